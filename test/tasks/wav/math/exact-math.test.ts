import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as exact from '../../../../src/tasks/wav/math/exact-math.ts'

const FUNCTIONS = { ...exact }

/** Bits that every machine gives: a change of one is a change of every result of the swarm. */
const GOLDEN: readonly (readonly [name: keyof typeof exact, words: readonly number[], bits: bigint])[] = [
  ['exactSin', [0.5], 0x3fdeaee8744b05f0n],
  ['exactSin', [1], 0x3feaed548f090ceen],
  ['exactSin', [3], 0x3fc210386db6d55bn],
  ['exactSin', [-100.25], 0x3fd1bf00980dc35cn],
  ['exactSin', [999999.5], 0xbfe833357b1489f2n],
  ['exactCos', [0.5], 0x3fec1528065b7d50n],
  ['exactCos', [2], 0xbfdaa22657537205n],
  ['exactCos', [-12345.678], 0x3fe6b94c3bbe24b8n],
  ['exactExp', [1], 0x4005bf0a8b145769n],
  ['exactExp', [-0.1], 0x3fecf46d99d52b3an],
  ['exactExp', [300.5], 0x5b0719c25b8f5b4an],
  ['exactExp', [-740], 0x0000000000000055n],
  ['exactLog', [2], 0x3fe62e42fefa39efn],
  ['exactLog', [0.1], 0xc0026bb1bbb55515n],
  ['exactLog', [12345.678], 0x4022d79559791e31n],
  ['exactPow', [10, 0.3], 0x3fffec982d5bb8afn],
  ['exactPow', [1.5, -400], 0x31502aceec91d9d2n],
  ['decibelsToGain', [-3], 0x3fe6a77deae8ab8an],
  ['decibelsToGain', [-120], 0x3eb0c6f7a0b5ed8dn],
  ['gainToDecibels', [0.5], 0xc018151824c7587fn],
  ['gainToDecibels', [1e-7], 0xc061800000000000n],
  ['exactSinh', [0.3], 0x3fd37d42af54b926n],
  ['exactSinh', [4], 0x403b4a3803703630n]
]

const view = new DataView(new ArrayBuffer(8))

function bitsOf(value: number): bigint {
  view.setFloat64(0, value)
  return view.getBigUint64(0)
}

/** Difference in units of the last place of `expected`. */
function unitsApart(value: number, expected: number): number {
  if (Object.is(value, expected)) return 0
  const magnitude = Math.abs(expected)
  view.setFloat64(0, magnitude)
  view.setBigUint64(0, view.getBigUint64(0) + 1n)
  return Math.abs(value - expected) / (view.getFloat64(0) - magnitude)
}

/** Ours within 2 units, and the engine's own within 1. */
const UNITS_MAX = 3

describe('exact functions', () => {
  it.each(GOLDEN)('give the same bits everywhere: %s of %j', (name, words, bits) => {
    const run = FUNCTIONS[name] as (...words: number[]) => number
    expect(bitsOf(run(...words))).toBe(bits)
  })

  it('are sine and cosine up to a million radians', () => {
    const angle = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: -7, max: 7, noNaN: true }))
    fc.assert(
      fc.property(angle, (x) => {
        expect(unitsApart(exact.exactSin(x), Math.sin(x))).toBeLessThanOrEqual(UNITS_MAX)
        expect(unitsApart(exact.exactCos(x), Math.cos(x))).toBeLessThanOrEqual(UNITS_MAX)
      }),
      { numRuns: 3000 }
    )
  })

  it('keep their digits beside multiples of a quarter turn', () => {
    for (let quarters = 1; quarters < 600_000; quarters += 997) {
      const x = quarters * (Math.PI / 2)
      expect(unitsApart(exact.exactSin(x), Math.sin(x))).toBeLessThanOrEqual(UNITS_MAX)
      expect(unitsApart(exact.exactCos(x), Math.cos(x))).toBeLessThanOrEqual(UNITS_MAX)
    }
  })

  it('are the exponential and hyperbolic sine over the range of numbers', () => {
    const exponent = fc.oneof(
      fc.double({ min: -707, max: 709, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true })
    )
    fc.assert(
      fc.property(exponent, (x) => {
        expect(unitsApart(exact.exactExp(x), Math.exp(x))).toBeLessThanOrEqual(UNITS_MAX)
        expect(unitsApart(exact.exactSinh(x), Math.sinh(x))).toBeLessThanOrEqual(UNITS_MAX)
      }),
      { numRuns: 3000 }
    )
  })

  it('are the logarithm of every positive number', () => {
    const positive = fc.oneof(
      fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
      fc.double({ min: 0.9, max: 1.1, noNaN: true })
    )
    fc.assert(
      fc.property(positive, (x) => {
        expect(unitsApart(exact.exactLog(x), Math.log(x))).toBeLessThanOrEqual(UNITS_MAX)
      }),
      { numRuns: 3000 }
    )
  })

  it('are powers that undo themselves', () => {
    const base = fc.double({ min: 1e-6, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(base, fc.double({ min: -20, max: 20, noNaN: true }), (x, y) => {
        const product = exact.exactPow(x, y) * exact.exactPow(x, -y)
        expect(Math.abs(product - 1)).toBeLessThanOrEqual(1e-15)
        expect(unitsApart(exact.exactPow(x, y), x ** y)).toBeLessThanOrEqual(UNITS_MAX)
      }),
      { numRuns: 2000 }
    )
  })

  it('are exact where the result is a number of few digits', () => {
    expect(exact.exactPow(2, 10)).toBe(1024)
    expect(exact.exactPow(10, -3)).toBe(0.001)
    expect(exact.exactPow(0.25, 0.5)).toBe(0.5)
    expect(exact.decibelsToGain(20)).toBe(10)
    expect(exact.decibelsToGain(-60)).toBe(0.001)
    expect(exact.gainToDecibels(100)).toBe(40)
    expect(exact.gainToDecibels(1)).toBe(0)
  })

  it('give limits beyond the range of numbers, and NaN where nothing is defined', () => {
    expect(exact.exactExp(710)).toBe(Number.POSITIVE_INFINITY)
    expect(exact.exactExp(-746)).toBe(0)
    expect(exact.exactExp(Number.NaN)).toBeNaN()
    expect(exact.exactLog(0)).toBe(Number.NEGATIVE_INFINITY)
    expect(exact.exactLog(-1)).toBeNaN()
    expect(exact.exactPow(-2, 0.5)).toBeNaN()
    expect(exact.exactPow(0, 2)).toBe(0)
    expect(exact.exactPow(10, 400)).toBe(Number.POSITIVE_INFINITY)
    expect(exact.gainToDecibels(0)).toBe(Number.NEGATIVE_INFINITY)
    expect(exact.decibelsToGain(Number.NEGATIVE_INFINITY)).toBe(0)
    expect(exact.exactSinh(-711)).toBe(Number.NEGATIVE_INFINITY)
    expect(exact.exactSin(Number.POSITIVE_INFINITY)).toBeNaN()
    expect(exact.exactSin(-0)).toBe(-0)
  })

  it('refuse angles that are too great to be reduced', () => {
    expect(() => exact.exactSin(2_000_000)).toThrow(RangeError)
    expect(() => exact.exactCos(-2_000_000)).toThrow(RangeError)
  })
})
