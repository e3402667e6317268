import { TAP_PAIRS, type TruePeakFilter } from '../measure/true-peak-filter.ts'
import { BLOCK_FRAMES } from './effect.ts'

/** Frames over which the bounds are taken. */
const STRIDE = 64
const HISTORY = 2 * TAP_PAIRS - 1
/** Rounding of bound and sum together is far below this. */
const SLACK = 1 - 1e-9

/** Frames by which the latest place that a level belongs to may be older than the frame that shows it. */
export const TRUE_PEAK_HOLD = TAP_PAIRS

/**
 * Finds where a signal passes a ceiling: in samples, and, with a filter, between them. State: the last 23 frames.
 * @see ITU-R BS.1770-4, annex 2
 */
export class LimitDetector {
  readonly #ceiling: number
  readonly #filter: TruePeakFilter | undefined
  /** [channels][23 + BLOCK_FRAMES] */
  readonly #windows: readonly Float64Array[]

  /** @param ceiling as magnitude */
  constructor(channels: number, ceiling: number, filter: TruePeakFilter | undefined) {
    this.#ceiling = ceiling
    this.#filter = filter === undefined || filter.positions === 0 ? undefined : filter
    const frames = this.#filter === undefined ? 0 : HISTORY + BLOCK_FRAMES
    this.#windows = Array.from({ length: channels }, () => new Float64Array(frames))
  }

  /**
   * Greatest magnitude that each frame shows, of all channels; below the ceiling it may be any number below.
   *
   * @param input [channels][≥ count]
   * @param levels [≥ count], written; the peak between frames n − 12 and n − 11 counts for frame n
   */
  detect(input: readonly Float64Array[], levels: Float64Array, count: number): void {
    levels.fill(0, 0, count)
    for (const [channel, samples] of input.entries()) {
      raiseToMagnitudes(levels, samples, count)
      if (this.#filter === undefined) continue
      const window = this.#windows[channel] as Float64Array
      for (let i = 0; i < count; i++) window[HISTORY + i] = samples[i] as number
      for (let start = 0; start < count; start += STRIDE) {
        this.#lookBetween(this.#filter, window, levels, start, Math.min(start + STRIDE, count))
      }
      window.copyWithin(0, count, count + HISTORY)
    }
  }

  /** Frames `start` to `end` lie in the window HISTORY further on. */
  #lookBetween(filter: TruePeakFilter, window: Float64Array, levels: Float64Array, start: number, end: number): void {
    const limit = quietLimit(filter, window, start, end + HISTORY, this.#ceiling * SLACK)
    if (limit === Number.POSITIVE_INFINITY) return
    const { middle, even, odd, positions } = filter
    for (let n = start; n < end; n++) {
      const left = n + HISTORY - TAP_PAIRS
      if (Math.abs(window[left] as number) <= limit && Math.abs(window[left + 1] as number) <= limit) continue
      let half = 0
      let common = 0
      let apart = 0
      for (let pair = 0; pair < TAP_PAIRS; pair++) {
        const a = window[left - pair] as number
        const b = window[left + 1 + pair] as number
        half += (middle[pair] as number) * (a + b)
        common += (even[pair] as number) * (a + b)
        apart += (odd[pair] as number) * (a - b)
      }
      const quarter = positions === 3 ? Math.abs(common) + Math.abs(apart) : 0
      const level = Math.max(Math.abs(half), quarter)
      if (level > (levels[n] as number)) levels[n] = level
    }
  }
}

/** Magnitude below which both neighbours of an interval have to be for it to stay below the ceiling for certain. */
function quietLimit(filter: TruePeakFilter, window: Float64Array, start: number, end: number, ceiling: number): number {
  let greatest = 0
  let bend = 0
  let before = window[start] as number
  let last = window[start + 1] as number
  greatest = Math.max(Math.abs(before), Math.abs(last))
  for (let i = start + 2; i < end; i++) {
    const x = window[i] as number
    const magnitude = Math.abs(x)
    const curve = Math.abs(x - 2 * last + before)
    if (magnitude > greatest) greatest = magnitude
    if (curve > bend) bend = curve
    before = last
    last = x
  }
  const byBend = ceiling - filter.bendGain * bend - filter.leakGain * greatest
  const byMagnitude = (ceiling - filter.outerGain * greatest) / filter.innerGain
  const limit = Math.max(byBend, byMagnitude)
  return greatest <= limit ? Number.POSITIVE_INFINITY : limit
}

function raiseToMagnitudes(levels: Float64Array, samples: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(samples[i] as number)
    if (magnitude > (levels[i] as number)) levels[i] = magnitude
  }
}
