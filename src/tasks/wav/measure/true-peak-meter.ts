import { TAP_PAIRS, type TruePeakFilter } from './true-peak-filter.ts'

/** Samples before a frame that have to lie in the buffer when it is scanned. */
export const TRUE_PEAK_HISTORY = 2 * TAP_PAIRS - 1

/** Frames behind the last that have to be scanned as silence, so that the last intervals are looked into. */
export const TRUE_PEAK_TAIL = TAP_PAIRS

const BLOCK = 64
/** Rounding of bound and sum together is far below this. */
const SLACK = 1 - 1e-9

/**
 * Greatest magnitude of one channel's samples and of what lies between them.
 *
 * Only intervals that can raise the greatest so far are interpolated; the bounds that rule out the others hold for certain, so
 * the result is what looking into all would give.
 */
export class TruePeakMeter {
  /** So far. */
  peak = 0
  readonly #filter: TruePeakFilter

  constructor(filter: TruePeakFilter) {
    this.#filter = filter
  }

  /**
   * Takes frames `from` up to `until` of `samples`, looking into the intervals that they complete.
   * @param samples with {@link TRUE_PEAK_HISTORY} frames before `from`
   */
  scan(samples: Float64Array, from: number, until: number): void {
    const { positions, innerGain, outerGain, bendGain, leakGain } = this.#filter
    let pastGreatest = 0
    let pastBend = 0
    for (let i = from - TRUE_PEAK_HISTORY; i < from; i++) {
      pastGreatest = Math.max(pastGreatest, Math.abs(samples[i] as number))
      if (i >= from - TRUE_PEAK_HISTORY + 2) pastBend = Math.max(pastBend, bendAt(samples, i))
    }
    for (let start = from; start < until; start += BLOCK) {
      const end = Math.min(until, start + BLOCK)
      let greatest = 0
      let bend = 0
      let before = samples[start - 2] as number
      let last = samples[start - 1] as number
      for (let i = start; i < end; i++) {
        const x = samples[i] as number
        const magnitude = Math.abs(x)
        const curve = Math.abs(x - 2 * last + before)
        if (magnitude > greatest) greatest = magnitude
        if (curve > bend) bend = curve
        before = last
        last = x
      }
      if (greatest > this.peak) this.peak = greatest
      const all = Math.max(greatest, pastGreatest)
      const least = this.peak * SLACK
      const byBend = least - bendGain * Math.max(bend, pastBend) - leakGain * all
      const byMagnitude = (least - outerGain * all) / innerGain
      const limit = Math.max(byBend, byMagnitude)
      if (positions !== 0 && all > limit) this.#look(samples, start, end, limit)
      pastGreatest = greatest
      pastBend = bend
    }
  }

  /** Interpolates the intervals beside samples beyond `limit`. */
  #look(samples: Float64Array, start: number, end: number, limit: number): void {
    const { middle, even, odd, positions } = this.#filter
    let peak = this.peak
    for (let n = start; n < end; n++) {
      const left = n - TAP_PAIRS
      if (Math.abs(samples[left] as number) <= limit && Math.abs(samples[left + 1] as number) <= limit) continue
      let half = 0
      let common = 0
      let apart = 0
      for (let pair = 0; pair < TAP_PAIRS; pair++) {
        const a = samples[left - pair] as number
        const b = samples[left + 1 + pair] as number
        half += (middle[pair] as number) * (a + b)
        common += (even[pair] as number) * (a + b)
        apart += (odd[pair] as number) * (a - b)
      }
      if (Math.abs(half) > peak) peak = Math.abs(half)
      if (positions === 1) continue
      // The greater of |common + apart| and |common − apart|.
      const quarter = Math.abs(common) + Math.abs(apart)
      if (quarter > peak) peak = quarter
    }
    this.peak = peak
  }
}

function bendAt(samples: Float64Array, i: number): number {
  return Math.abs((samples[i] as number) - 2 * (samples[i - 1] as number) + (samples[i - 2] as number))
}
