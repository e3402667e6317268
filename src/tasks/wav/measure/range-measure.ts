import type { FrameRange } from '../audio-format.ts'
import { BLOCK_FRAMES } from '../effects/effect.ts'
import { ChannelSums } from './channel-sums.ts'
import { ClippedCounter } from './clipped-runs.ts'
import { type KWeighting, planKWeighting } from './k-weighting.ts'
import { writeMeasurePart } from './measure-bytes.ts'
import { binStart, binsOf, hopCount, type MeasureLayout, measureWarmUpFrames } from './measure-layout.ts'
import { SpectrogramColumns } from './spectrogram-columns.ts'
import { planTruePeak, type TruePeakFilter } from './true-peak-filter.ts'
import { TRUE_PEAK_TAIL, TruePeakMeter } from './true-peak-meter.ts'

/** What is kept of one channel while a range is measured. */
class ChannelState {
  /** The latest frames, and behind them the block at hand. */
  readonly buffer: Float64Array
  readonly running: ChannelSums
  readonly truePeak: TruePeakMeter
  readonly clipped = new ClippedCounter()
  readonly sums: Float64Array
  readonly squares: Float64Array
  readonly weightedSquares: Float64Array
  readonly minima: Float32Array
  readonly maxima: Float32Array
  peak = 0

  constructor(layout: MeasureLayout, range: FrameRange, filters: { loudness: KWeighting; truePeak: TruePeakFilter }) {
    const hops = hopCount(layout, range)
    const bins = binsOf(layout, range)
    this.buffer = new Float64Array(layout.spectrogramSize + BLOCK_FRAMES)
    this.running = new ChannelSums(filters.loudness)
    this.truePeak = new TruePeakMeter(filters.truePeak)
    this.sums = new Float64Array(hops)
    this.squares = new Float64Array(hops)
    this.weightedSquares = new Float64Array(hops)
    this.minima = new Float32Array(bins.end - bins.first).fill(Number.POSITIVE_INFINITY)
    this.maxima = new Float32Array(bins.end - bins.first).fill(Number.NEGATIVE_INFINITY)
  }

  /** Takes frames into filter, sums and extremes; `bin` is negative before the range. */
  add(from: number, until: number, bin: number): void {
    const { running } = this
    running.add(this.buffer, from, until)
    if (bin < 0) return
    const peak = Math.max(-running.least, running.greatest)
    if (peak > this.peak) this.peak = peak
    this.clipped.add(this.buffer, from, until, peak)
    this.minima[bin] = Math.min(this.minima[bin] as number, running.least)
    this.maxima[bin] = Math.max(this.maxima[bin] as number, running.greatest)
  }

  closeHop(hop: number): void {
    this.sums[hop] = this.running.sum
    this.squares[hop] = this.running.squares
    this.weightedSquares[hop] = this.running.weightedSquares
  }
}

/**
 * Measures one range of a file, in one pass over it and {@link measureWarmUpFrames} before it. Owned by the kernel of one
 * range, which feeds it what it reads or makes.
 */
export class RangeMeasure {
  /** The frame that feeding begins with: the warm-up's first. */
  readonly firstFrame: number
  readonly #layout: MeasureLayout
  readonly #range: FrameRange
  readonly #channels: readonly ChannelState[]
  readonly #buffers: readonly Float64Array[]
  readonly #spectrogram: SpectrogramColumns
  readonly #history: number
  readonly #firstBin: number
  #frame: number
  #bin: number
  #nextBin: number
  #nextHop: number
  /** Frames of the block at hand. */
  #held = 0

  /**
   * @param range begins at a multiple of the layout's hop, and ends at one or with the file
   * @throws RangeError for another range
   */
  constructor(layout: MeasureLayout, range: FrameRange) {
    const { start, end } = range
    const isWhole = (frame: number) => frame % layout.hopFrames === 0
    if (!(start >= 0 && start <= end && end <= layout.shape.frames && isWhole(start))) {
      throw new RangeError(`a measure begins at frame ${start} and ends at ${end}: not at hops of ${layout.hopFrames}`)
    }
    if (!isWhole(end) && end !== layout.shape.frames) {
      throw new RangeError(`a measure ends at frame ${end}, neither at a hop of ${layout.hopFrames} nor with the file`)
    }
    this.#layout = layout
    this.#range = range
    const { channels, sampleRate } = layout.shape
    const filters = { loudness: planKWeighting(sampleRate), truePeak: planTruePeak(sampleRate) }
    this.#channels = Array.from({ length: channels }, () => new ChannelState(layout, range, filters))
    this.#buffers = this.#channels.map((channel) => channel.buffer)
    this.#spectrogram = new SpectrogramColumns(layout, range)
    this.#history = layout.spectrogramSize
    this.firstFrame = Math.max(0, start - measureWarmUpFrames(layout))
    this.#firstBin = binsOf(layout, range).first
    this.#frame = this.firstFrame
    this.#bin = this.#firstBin
    this.#nextBin = binStart(layout, this.#firstBin + 1)
    this.#nextHop = (Math.floor(this.#frame / layout.hopFrames) + 1) * layout.hopFrames
  }

  /**
   * Takes the next frames, from {@link RangeMeasure.firstFrame} on, in order.
   * @param block [channels][≥ count], full scale ±1, finite
   * @throws RangeError when it is fed beyond the range's end
   */
  feed(block: readonly Float64Array[], count: number): void {
    if (this.#frame + count > this.#range.end) {
      throw new RangeError(`a measure is fed up to frame ${this.#frame + count}; its range ends at ${this.#range.end}`)
    }
    for (let from = 0; from < count; from += BLOCK_FRAMES) {
      const length = Math.min(BLOCK_FRAMES, count - from)
      this.#hold(length)
      for (let channel = 0; channel < this.#buffers.length; channel++) {
        copyBlock(block[channel] as Float64Array, from, this.#buffers[channel] as Float64Array, this.#history, length)
      }
      this.#take(length)
    }
  }

  /**
   * The range's measures, for {@link reduceMeasures}.
   * @throws RangeError when the range has not been fed to its end
   */
  finish(): Uint8Array {
    const { start, end } = this.#range
    if (this.#frame !== end) {
      throw new RangeError(`a measure was fed up to frame ${this.#frame}; its range ends at ${end}`)
    }
    if (end === this.#layout.shape.frames && start < end) {
      this.#hold(TRUE_PEAK_TAIL)
      for (const { buffer, truePeak } of this.#channels) {
        buffer.fill(0, this.#history, this.#history + TRUE_PEAK_TAIL)
        truePeak.scan(buffer, this.#history, this.#history + TRUE_PEAK_TAIL)
      }
    }
    const channels = this.#channels.map((channel) => ({
      peak: channel.peak,
      truePeak: channel.truePeak.peak,
      clipped: channel.clipped.runs(),
      sums: channel.sums,
      squares: channel.squares,
      weightedSquares: channel.weightedSquares,
      minima: channel.minima,
      maxima: channel.maxima
    }))
    return writeMeasurePart(this.#layout, this.#range, { channels, levels: this.#spectrogram.levels })
  }

  /** Makes room for the next block: what was held joins the history. */
  #hold(length: number): void {
    for (const buffer of this.#buffers) buffer.copyWithin(0, this.#held, this.#held + this.#history)
    this.#held = length
  }

  #take(length: number): void {
    const first = this.#frame
    const end = first + length
    this.#sum(end)
    const measured = Math.max(first, this.#range.start)
    if (measured < end) {
      const from = this.#history + measured - first
      for (const { truePeak, buffer } of this.#channels) truePeak.scan(buffer, from, this.#history + length)
    }
    while (this.#spectrogram.nextEnd <= end) this.#spectrogram.measure(this.#buffers, first - this.#history)
  }

  /** Sums frames up to `end`, cut where hops, bins and the range begin. */
  #sum(end: number): void {
    const first = this.#frame
    let frame = first
    while (frame < end) {
      const inside = frame >= this.#range.start
      const until = Math.min(end, this.#nextHop, inside ? this.#nextBin : this.#range.start)
      const bin = inside ? this.#bin - this.#firstBin : -1
      const shift = this.#history - first
      for (const channel of this.#channels) channel.add(shift + frame, shift + until, bin)
      frame = until
      if (frame === this.#nextHop || frame === this.#range.end) this.#closeHop(frame)
      if (inside && frame === this.#nextBin) {
        this.#bin++
        this.#nextBin = binStart(this.#layout, this.#bin + 1)
      }
    }
    this.#frame = frame
  }

  #closeHop(frame: number): void {
    const { hopFrames } = this.#layout
    const hop = Math.ceil((frame - this.#range.start) / hopFrames) - 1
    for (const channel of this.#channels) {
      if (hop >= 0) channel.closeHop(hop)
      channel.running.startHop()
    }
    this.#nextHop = (Math.floor(frame / hopFrames) + 1) * hopFrames
  }
}

function copyBlock(from: Float64Array, start: number, to: Float64Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number
}
