import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting, type Quantity, quantitySetting } from '../chain/settings.ts'
import { decibelsToGain, exactCos, exactSin, exactSinh } from '../math/exact-math.ts'
import type { Settings } from './effect.ts'

/** y[n] = b0·x[n] + b1·x[n−1] + b2·x[n−2] − a1·y[n−1] − a2·y[n−2]. */
export interface BiquadCoefficients {
  readonly b0: number
  readonly b1: number
  readonly b2: number
  readonly a1: number
  readonly a2: number
}

/** What all formulas of the Audio EQ Cookbook start from. */
export interface BiquadDesign {
  readonly cos: number
  /** The cookbook's α. */
  readonly alpha: number
}

/**
 * The coefficients divided by the first of the denominator.
 *
 * @param numerator [b0, b1, b2]
 * @param denominator [a0, a1, a2]
 */
export function normalized(
  numerator: readonly [number, number, number],
  denominator: readonly [number, number, number]
): BiquadCoefficients {
  const [b0, b1, b2] = numerator
  const [a0, a1, a2] = denominator
  return { b0: b0 / a0, b1: b1 / a0, b2: b2 / a0, a1: a1 / a0, a2: a2 / a0 }
}

/**
 * Angle of a filter's frequency, in radians per frame.
 *
 * @param frequency in Hz
 * @throws SwarmError EFFECT_UNSUITABLE at or above half the sample rate
 */
export function angularFrequency(effect: string, frequency: number, sampleRate: number): number {
  if (frequency < sampleRate / 2) return (2 * Math.PI * frequency) / sampleRate
  const expected = `expected a frequency below ${sampleRate / 2} Hz, half the sample rate`
  throw effectUnsuitable(effect, `${expected}, but got ${frequency} Hz; choose a lower one, or resample before`)
}

/**
 * Cosine and α of a filter from its `frequency` and `width`.
 *
 * @param amplitude the cookbook's A, for widths that are slopes
 * @throws SwarmError EFFECT_UNSUITABLE for a frequency at or above half the sample rate, a slope above 1, or a width of 0
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export function designBiquad(effect: string, settings: Settings, sampleRate: number, amplitude = 1): BiquadDesign {
  const frequency = numberSetting(settings, 'frequency')
  const omega = angularFrequency(effect, frequency, sampleRate)
  const sin = exactSin(omega)
  const width = quantitySetting(settings, 'width')
  if (width.value <= 0) throw effectUnsuitable(effect, `expected a width above 0, but got ${settings.width}`)
  if (width.unit === 's' && width.value > 1) {
    throw effectUnsuitable(effect, `expected a slope of at most 1s, but got ${settings.width}`)
  }
  return { cos: exactCos(omega), alpha: sin * halfInverseQ(width, { frequency, omega, sin, amplitude }) }
}

/** The cookbook's A of a gain in dB: the square root of its factor. */
export function shelfAmplitude(gainDb: number): number {
  return decibelsToGain(gainDb / 2)
}

/** α / sin ω, whatever the width is given as. */
function halfInverseQ(
  { value, unit }: Quantity,
  of: { readonly frequency: number; readonly omega: number; readonly sin: number; readonly amplitude: number }
): number {
  switch (unit) {
    case 'o':
      return exactSinh(((Math.LN2 / 2) * value * of.omega) / of.sin)
    case 'h':
      return value / (2 * of.frequency)
    case 's':
      return Math.sqrt((of.amplitude + 1 / of.amplitude) * (1 / value - 1) + 2) / 2
    default:
      return 1 / (2 * value)
  }
}
