import type { FrameRange } from '../audio-format.ts'
import { decibelsToGain, exactCos } from '../math/exact-math.ts'
import { RealFft } from '../math/fft.ts'
import { copyFrames } from '../samples/loops/sample-loops.ts'
import { columnsOf, type MeasureLayout, windowEnd, windowStart, windowsOf } from './measure-layout.ts'

/** Decibels from one level of a spectrogram to the next. */
export const LEVEL_STEP_DB = 0.5

/** The level of 0 dB, a sine at full scale; level 0 is whatever is 127.5 dB below it, or more. */
export const LEVEL_MAX = 255

/** The columns of one range: windows are transformed once their last frame is there. */
export class SpectrogramColumns {
  /** [columns][size / 2 + 1] levels, of the columns that the range has windows of. */
  readonly levels: Uint8Array

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
  /** [channels][size] what there is of the next window. */
  readonly #frames: readonly Float64Array[]
  #next: number
  /** Frames of the file: the next window's, and the one up to which it is there. */
  #start = 0
  #end = 0
  #gathered = 0

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
    this.#hann = hannOf(size)
    this.#windowed = new Float64Array(size)
    this.#real = new Float64Array(bins)
    this.#imaginary = new Float64Array(bins)
    this.#window = new Float64Array(bins)
    this.#column = new Float64Array(bins)
    leastPowers ??= thresholds()
    this.#thresholds = leastPowers
    this.#frames = Array.from({ length: layout.shape.channels }, () => new Float64Array(size))
    this.#expectNext()
  }

  /**
   * Takes what the next windows need of frames that come in order.
   * @param block [channels][≥ from + count], read from index `from` on
   * @param first frame of the file that index `from` is
   */
  add(block: readonly Float64Array[], from: number, count: number, first: number): void {
    while (this.#next < this.#endWindow && first + count > this.#start) {
      const until = Math.min(first + count, this.#end)
      if (until > this.#gathered) this.#gather(block, from - first, until)
      if (until < this.#end) return
      this.#measure()
    }
  }

  /** @param shift from frames of the file to indices of the block */
  #gather(block: readonly Float64Array[], shift: number, until: number): void {
    const gathered = this.#gathered
    for (const [channel, frames] of this.#frames.entries()) {
      const samples = block[channel] as Float64Array
      copyFrames(samples, shift + gathered, until - gathered, frames, gathered - this.#start)
    }
    this.#gathered = until
  }

  /** Measures the next window, which is all there. */
  #measure(): void {
    const window = this.#next
    const has = this.#end - this.#start
    const power = this.#window.fill(0)
    for (const samples of this.#frames) {
      for (let i = 0; i < has; i++) this.#windowed[i] = (samples[i] as number) * (this.#hann[i] as number)
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
    this.#expectNext()
    if (this.#next === this.#endWindow || this.#next % this.#layout.windowsPerColumn === 0) {
      this.#closeColumn(Math.floor(window / this.#layout.windowsPerColumn) - this.#firstColumn, this.#frames.length)
    }
  }

  /** Keeps what the next window has of the latest. */
  #expectNext(): void {
    if (this.#next === this.#endWindow) return
    const start = windowStart(this.#layout, this.#next)
    for (const frames of this.#frames) frames.copyWithin(0, start - this.#start)
    this.#start = start
    this.#end = windowEnd(this.#layout, this.#next)
    this.#gathered = Math.max(this.#gathered, start)
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

/** Tables of all spectrograms; written never. */
const hannBySize = new Map<number, Float64Array>()
let leastPowers: Float64Array | undefined

/** {@link hann}, of one of the three sizes that layouts have. */
function hannOf(size: number): Float64Array {
  const window = hannBySize.get(size) ?? hann(size)
  hannBySize.set(size, window)
  return window
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
