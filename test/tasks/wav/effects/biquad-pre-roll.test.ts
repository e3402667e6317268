import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalized } from '../../../../src/tasks/wav/effects/biquad-coefficients.ts'
import { biquadPreRoll, PRE_ROLL_SECONDS_MAX } from '../../../../src/tasks/wav/effects/biquad-pre-roll.ts'
import { PRE_ROLL_LEVEL } from '../../../../src/tasks/wav/effects/effect.ts'
import { cookbook, filterDirectly } from './biquad-reference.ts'

const TYPES = ['lowpass', 'highpass', 'bandpass', 'notch', 'eq', 'bass', 'treble'] as const

function coefficientsOf(parts: readonly number[]): ReturnType<typeof normalized> {
  const [b0 = 0, b1 = 0, b2 = 0, a0 = 1, a1 = 0, a2 = 0] = parts
  return normalized([b0, b1, b2], [a0, a1, a2])
}

/** Sum of the magnitudes of an impulse response behind a frame: the worst that missing input before can do. */
function tailOf(parts: readonly number[], after: number): number {
  const impulse = new Float64Array(after * 3 + 1000)
  impulse[0] = 1
  return filterDirectly(parts, impulse)
    .subarray(after + 1)
    .reduce((sum, sample) => sum + Math.abs(sample), 0)
}

describe('biquadPreRoll', () => {
  test('leaves less than −140 dB of the impulse response behind it, for filters of all kinds', () => {
    const frequency = fc.double({ min: 60, max: 3900, noNaN: true })
    const q = fc.double({ min: 0.3, max: 8, noNaN: true })
    const gain = fc.integer({ min: -20, max: 20 })
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), frequency, q, gain, (type, hertz, width, gainDb) => {
        const parts = cookbook(type, hertz, width, gainDb, 8000)
        const preRoll = biquadPreRoll('eq', coefficientsOf(parts), 8000)
        expect(tailOf(parts, preRoll)).toBeLessThanOrEqual(PRE_ROLL_LEVEL)
      })
    )
  })

  test('is not much longer than it has to be', () => {
    const parts = cookbook('highpass', 80, Math.SQRT1_2, 0, 48_000)
    const preRoll = biquadPreRoll('highpass', coefficientsOf(parts), 48_000)
    expect(tailOf(parts, Math.floor(preRoll / 2))).toBeGreaterThan(PRE_ROLL_LEVEL)
    expect(preRoll).toBeLessThan(4800)
  })

  test.each([0.5, 0.5 - 1e-9, 0.5 + 1e-9])('holds for double poles and those near to it (%d q)', (width) => {
    const parts = cookbook('lowpass', 200, width, 0, 8000)
    expect(tailOf(parts, biquadPreRoll('lowpass', coefficientsOf(parts), 8000))).toBeLessThanOrEqual(PRE_ROLL_LEVEL)
  })

  test('is at most two frames for a filter without feedback', () => {
    expect(biquadPreRoll('eq', { b0: 0.5, b1: 0.5, b2: 0.5, a1: 0, a2: 0 }, 8000)).toBeLessThanOrEqual(2)
  })

  test.each([
    ['on the unit circle', { b0: 1, b1: 0, b2: 0, a1: -2, a2: 1 }],
    ['outside of it', { b0: 1, b1: 0, b2: 0, a1: -2.5, a2: 1 }],
    ['too near to it', { b0: 1, b1: 0, b2: 0, a1: 0, a2: 1 - 1e-7 }],
    ['nowhere', { b0: 1, b1: 0, b2: 0, a1: Number.NaN, a2: 0 }]
  ])('refuses poles %s', (_where, coefficients) => {
    expect(() => biquadPreRoll('eq', coefficients, 48_000)).toThrowError(
      expect.objectContaining({
        code: 'EFFECT_UNSUITABLE',
        message: expect.stringContaining(`${PRE_ROLL_SECONDS_MAX} s`)
      })
    )
  })
})
