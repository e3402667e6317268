import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exp2Negative, log2Of } from '../../../../src/tasks/wav/effects/envelope-octaves.ts'

const ERROR_MAX = 1e-9

test('logarithms are right to 1e-9 octaves over all magnitudes', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
      expect(Math.abs(log2Of(x) - Math.log2(x))).toBeLessThan(ERROR_MAX)
    })
  )
  for (let x = 0.5; x < 2.1; x += 0.0001) expect(Math.abs(log2Of(x) - Math.log2(x))).toBeLessThan(ERROR_MAX)
})

test('powers of two are right to 1e-9 of themselves', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 200, noNaN: true }), (x) => {
      expect(Math.abs(exp2Negative(x) * 2 ** x - 1)).toBeLessThan(ERROR_MAX)
    })
  )
})

test('zero octaves are exactly one, and more than 200 end in a number next to nothing', () => {
  expect(exp2Negative(0)).toBe(1)
  expect(log2Of(1)).toBe(0)
  expect(exp2Negative(5000)).toBeGreaterThanOrEqual(0)
  expect(exp2Negative(5000)).toBeLessThan(1e-59)
})
