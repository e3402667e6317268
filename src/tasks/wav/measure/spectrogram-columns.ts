import type { FrameRange } from '../audio-format.ts'
import { decibelsToGain, exactCos } from '../math/exact-math.ts'
import { RealFft } from '../math/fft.ts'
import { columnsOf, type MeasureLayout, windowEnd, windowStart, windowsOf } from './measure-layout.ts'

/** Decibels from one level of a spectrogram to the next. */
export const LEVEL_STEP_DB = 0.5

/** The level of 0 dB, a sine at full scale; level 0 is whatever is 127.5 dB below it, or more. */
export const LEVEL_MAX = 255

/** The columns of one range: windows are transformed once their last frame is there. */
export class SpectrogramColumns {
  /** [columns][size / 2 + 1] levels, of the columns that the range has windows of. */
  readonly levels: Uint8Array
  /** End of the next window, in frames of the file; Infinity behind the last. */
  nextEnd: number

  readonly #layout: MeasureLayout
  readonly #firstColumn: number
  readonly #endWindow: number
  readonly #fft: RealFft
  readonly #hann: Float64Array
  readonly #windowed: Float64Array
  readonly #real: Float64Array
  readonly #imaginary: Float64Array
  readonly #window: Float64Array
  readonly #column: Float64Array
  readonly #thresholds: Float64Array
  #next: number

  constructor(layout: MeasureLayout, range: FrameRange) {
    const size = layout.spectrogramSize
    const bins = size / 2 + 1
    const columns = columnsOf(layout, range)
    const windows = windowsOf(layout, range)
    this.#layout = layout
    this.#firstColumn = columns.first
    this.#next = windows.first
    this.#endWindow = windows.end
    this.levels = new Uint8Array((columns.end - columns.first) * bins)
    this.#fft = new RealFft(size)
    this.#hann = hann(size)
    this.#windowed = new Float64Array(size)
    this.#real = new Float64Array(bins)
    this.#imaginary = new Float64Array(bins)
    this.#window = new Float64Array(bins)
    this.#column = new Float64Array(bins)
    this.#thresholds = thresholds()
    this.nextEnd = this.#endOfNext()
  }

  /**
   * Measures the next window, which ends at {@link SpectrogramColumns.nextEnd}.
   * @param buffers [channels] the latest frames
   * @param firstFrame frame of the file that each buffer's index 0 is; not above the window's first
   */
  measure(buffers: readonly Float64Array[], firstFrame: number): void {
    const window = this.#next
    const start = windowStart(this.#layout, window) - firstFrame
    const has = Math.min(this.#layout.spectrogramSize, windowEnd(this.#layout, window) - firstFrame - start)
    const power = this.#window.fill(0)
    for (const samples of buffers) {
      for (let i = 0; i < has; i++) this.#windowed[i] = (samples[start + i] as number) * (this.#hann[i] as number)
      this.#windowed.fill(0, has)
      this.#fft.forward(this.#windowed, this.#real, this.#imaginary)
      for (let k = 0; k < power.length; k++) {
        const re = this.#real[k] as number
        const im = this.#imaginary[k] as number
        power[k] = (power[k] as number) + (re * re + im * im)
      }
    }
    const column = this.#column
    for (let k = 0; k < power.length; k++) column[k] = Math.max(column[k] as number, power[k] as number)
    this.#next = window + 1
    this.nextEnd = this.#endOfNext()
    if (this.#next === this.#endWindow || this.#next % this.#layout.windowsPerColumn === 0) {
      this.#closeColumn(Math.floor(window / this.#layout.windowsPerColumn) - this.#firstColumn, buffers.length)
    }
  }

  #endOfNext(): number {
    return this.#next < this.#endWindow ? windowEnd(this.#layout, this.#next) : Number.POSITIVE_INFINITY
  }

  #closeColumn(index: number, channels: number): void {
    const column = this.#column
    const at = index * column.length
    for (let k = 0; k < column.length; k++) {
      this.levels[at + k] = levelOf((column[k] as number) / channels, this.#thresholds)
    }
    column.fill(0)
  }
}

/** Hann's window, scaled so that a sine at full scale has a spectrum of magnitude 1. */
function hann(size: number): Float64Array {
  const window = new Float64Array(size)
  for (let i = 0; i < size; i++) window[i] = (2 / size) * (1 - exactCos((2 * Math.PI * i) / size))
  return window
}

/** Least power of every level: halfway between neighbours. */
function thresholds(): Float64Array {
  const least = new Float64Array(LEVEL_MAX + 1)
  for (let level = 1; level <= LEVEL_MAX; level++) {
    const gain = decibelsToGain((level - 0.5 - LEVEL_MAX) * LEVEL_STEP_DB)
    least[level] = gain * gain
  }
  return least
}

/** The greatest level whose least power is at most `power`. */
function levelOf(power: number, least: Float64Array): number {
  let level = 0
  for (let step = 128; step > 0; step >>= 1) {
    if (power >= (least[level + step] as number)) level += step
  }
  return level
}
