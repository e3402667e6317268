import { BLOCK_FRAMES } from '../effects/effect.ts'
import { copyFrames, sampleLoops, WINDOW_HISTORY } from '../samples/loops/sample-loops.ts'
import { TAP_PAIRS, type TruePeakFilter } from './true-peak-filter.ts'

/** Samples before a frame that have to lie in the buffer when it is scanned. */
export const TRUE_PEAK_HISTORY = 2 * TAP_PAIRS - 1

/** Frames behind the last that have to be scanned as silence, so that the last intervals are looked into. */
export const TRUE_PEAK_TAIL = TAP_PAIRS

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
    const loops = sampleLoops()
    const window = loops.windows[0] as Float64Array
    for (let at = from; at < until; at += BLOCK_FRAMES) {
      const count = Math.min(BLOCK_FRAMES, until - at)
      const before = at - TRUE_PEAK_HISTORY
      copyFrames(samples, before, TRUE_PEAK_HISTORY + count, window, WINDOW_HISTORY - TRUE_PEAK_HISTORY)
      this.scanWindow(0, 0, count)
    }
  }

  /** As {@link TruePeakMeter.scan}, of frames that lie in a channel's window of the loops already. */
  scanWindow(channel: number, from: number, until: number): void {
    const loops = sampleLoops()
    const { numbers, positions } = this.#filter
    loops.parameters.set(numbers)
    this.peak = loops.run.raisePeak(loops.blockAt(channel), from, until, loops.parametersAt, positions, this.peak)
  }
}
