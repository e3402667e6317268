import { TAP_PAIRS, type TruePeakFilter } from '../measure/true-peak-filter.ts'
import { sampleLoops, WINDOW_HISTORY } from '../samples/loops/sample-loops.ts'

/** Frames by which the latest place that a level belongs to may be older than the frame that shows it. */
export const TRUE_PEAK_HOLD = TAP_PAIRS

/**
 * Finds where a signal passes a ceiling: in samples, and, with a filter, between them. State: the last 24 frames.
 * @see ITU-R BS.1770-4, annex 2
 */
export class LimitDetector {
  readonly #ceiling: number
  readonly #filter: TruePeakFilter | undefined
  /** [channels][WINDOW_HISTORY] */
  readonly #histories: readonly Float64Array[]

  /** @param ceiling as magnitude */
  constructor(channels: number, ceiling: number, filter: TruePeakFilter | undefined) {
    this.#ceiling = ceiling
    this.#filter = filter
    this.#histories = Array.from({ length: channels }, () => new Float64Array(WINDOW_HISTORY))
  }

  /**
   * Greatest magnitude that each frame shows, of all channels: in the levels of {@link sampleLoops}, where the frames lie in the
   * blocks. Below the ceiling it may be any number below. The peak between frames n − 12 and n − 11 counts for frame n.
   * @returns whether any is above the ceiling
   */
  detect(count: number): boolean {
    const loops = sampleLoops()
    const { run, levelsAt, parametersAt } = loops
    loops.levels.fill(0, 0, count)
    if (this.#filter !== undefined) loops.parameters.set(this.#filter.numbers)
    const positions = this.#filter?.positions ?? 0
    let isAbove = 0
    for (const [channel, history] of this.#histories.entries()) {
      const window = loops.windows[channel] as Float64Array
      if (positions > 0) exchangeHistory(history, window, count)
      isAbove |= run.raiseLevels(loops.blockAt(channel), count, levelsAt, parametersAt, positions, this.#ceiling)
    }
    return isAbove !== 0
  }
}

/** Puts the frames before a block into its window, and takes out those before the next. */
function exchangeHistory(history: Float64Array, window: Float64Array, count: number): void {
  window.set(history)
  for (let i = 0; i < WINDOW_HISTORY; i++) history[i] = window[count + i] as number
}
