import { expect, test } from 'vitest'
import { decayPerFrame, framesToDecay } from '../../../../src/tasks/wav/effects/envelope-time.ts'

test('an envelope falls to 1/e in its time', () => {
  expect(decayPerFrame(0.1, 1000) ** 100).toBeCloseTo(Math.exp(-1), 12)
  expect(decayPerFrame(0, 48_000)).toBe(0)
})

test('the frames to a level are the least that reach it', () => {
  const decay = decayPerFrame(0.05, 48_000)
  const frames = framesToDecay(decay, 1e-7)
  expect(decay ** frames).toBeLessThanOrEqual(1e-7 * (1 + 1e-9))
  expect(decay ** (frames - 1)).toBeGreaterThan(1e-7)
  expect([framesToDecay(0, 1e-7), framesToDecay(decay, 1), framesToDecay(decay, 2)]).toEqual([1, 0, 0])
})
