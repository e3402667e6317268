import { kaiser, sinc } from '../math/windowed-sinc.ts'

/** Pairs of taps of the interpolation, each a sample to the left and one to the right of the interval that is looked into. */
export const TAP_PAIRS = 12
const BETA = 5

/** Interpolation at a quarter, the half and three quarters of an interval between samples, and bounds of what it can give. */
export interface TruePeakFilter {
  /** Positions inside an interval: 3 below 96 kHz (4 × oversampled), 1 below 192 kHz (2 ×), 0 above. */
  readonly positions: 0 | 1 | 3
  /** By pair, for the middle: × (left + right). */
  readonly middle: Float64Array
  /** By pair, for the quarters: × (left + right), and ± (left − right). */
  readonly even: Float64Array
  readonly odd: Float64Array
  /**
   * All that the loops need: four gains, then by pair middle, even and odd. Of the gains, |y| ≤ first · greatest of the two
   * nearest + second · greatest of all, and |y| ≤ greatest of the two nearest + third · greatest second difference + fourth ·
   * greatest of all.
   */
  readonly numbers: Float64Array
}

/**
 * A windowed sinc of 24 samples, within 0.03 dB up to 0.42 of the sample rate: twice as long as the example of the standard.
 * @param sampleRate in Hz; the higher it is, the less is oversampled, as in libebur128
 * @see ITU-R BS.1770-4, annex 2
 */
export function planTruePeak(sampleRate: number): TruePeakFilter {
  interpolation ??= planInterpolation()
  return { ...interpolation, positions: sampleRate < 96_000 ? 3 : sampleRate < 192_000 ? 1 : 0 }
}

/** The same for all rates, and written never. */
let interpolation: Omit<TruePeakFilter, 'positions'> | undefined

function planInterpolation(): Omit<TruePeakFilter, 'positions'> {
  const quarter = taps(0.25)
  const middle = taps(0.5)
  const even = new Float64Array(TAP_PAIRS)
  const odd = new Float64Array(TAP_PAIRS)
  const half = new Float64Array(TAP_PAIRS)
  for (let pair = 0; pair < TAP_PAIRS; pair++) {
    const left = quarter[TAP_PAIRS - 1 - pair] as number
    const right = quarter[TAP_PAIRS + pair] as number
    even[pair] = 0.5 * (left + right)
    odd[pair] = 0.5 * (left - right)
    half[pair] = middle[TAP_PAIRS - 1 - pair] as number
  }
  const { innerGain, outerGain, bendGain, leakGain } = gains([
    { taps: quarter, position: 0.25 },
    { taps: middle, position: 0.5 }
  ])
  const numbers = [innerGain, outerGain, bendGain, leakGain]
  for (const [pair, tap] of half.entries()) numbers.push(tap, even[pair] as number, odd[pair] as number)
  return { middle: half, even, odd, numbers: Float64Array.from(numbers) }
}

/** Taps for a position inside the interval behind sample TAP_PAIRS − 1, together 1. */
function taps(position: number): Float64Array {
  const values = new Float64Array(2 * TAP_PAIRS)
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    const offset = i - (TAP_PAIRS - 1) - position
    const value = sinc(offset) * kaiser(offset / TAP_PAIRS, BETA)
    values[i] = value
    sum += value
  }
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / sum
  return values
}

interface Gains {
  readonly innerGain: number
  readonly outerGain: number
  readonly bendGain: number
  readonly leakGain: number
}

/** Bounds over phases; three quarters are one quarter mirrored, so theirs are the same. */
function gains(phases: readonly { taps: Float64Array; position: number }[]): Gains {
  const worst: { -readonly [Name in keyof Gains]: number } = { innerGain: 0, outerGain: 0, bendGain: 0, leakGain: 0 }
  for (const phase of phases) {
    const { bend, leak } = bendOf(phase.taps, phase.position)
    let inner = 0
    let outer = 0
    for (const [i, tap] of phase.taps.entries()) {
      if (i === TAP_PAIRS - 1 || i === TAP_PAIRS) inner += Math.abs(tap)
      else outer += Math.abs(tap)
    }
    worst.innerGain = Math.max(worst.innerGain, inner)
    worst.outerGain = Math.max(worst.outerGain, outer)
    worst.bendGain = Math.max(worst.bendGain, bend)
    worst.leakGain = Math.max(worst.leakGain, leak)
  }
  return worst
}

/**
 * The taps are a line between the two nearest samples plus a rest; the rest is a sum of second differences (q below, by
 * summing it twice) plus what is left at the last two taps.
 */
function bendOf(values: Float64Array, position: number): { bend: number; leak: number } {
  let before = 0
  let last = 0
  let bend = 0
  let leak = 0
  for (let i = 0; i < values.length; i++) {
    const line = i === TAP_PAIRS - 1 ? 1 - position : i === TAP_PAIRS ? position : 0
    const q = (values[i] as number) - line + 2 * last - before
    if (i < values.length - 2) {
      bend += Math.abs(q)
      before = last
      last = q
    } else if (i === values.length - 2) {
      leak += Math.abs(q)
      before = last
      last = 0
    } else {
      leak += Math.abs(q)
    }
  }
  return { bend, leak }
}
