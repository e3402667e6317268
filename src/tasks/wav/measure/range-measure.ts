import type { FrameRange } from '../audio-format.ts'
import { BLOCK_FRAMES } from '../effects/effect.ts'
import { sampleLoops, WINDOW_HISTORY } from '../samples/loops/sample-loops.ts'
import { ChannelSums } from './channel-sums.ts'
import { ClippedCounter } from './clipped-runs.ts'
import { planKWeighting } from './k-weighting.ts'
import { writeMeasurePart } from './measure-bytes.ts'
import { binStart, binsOf, hopCount, type MeasureLayout, measureWarmUpFrames } from './measure-layout.ts'
import { SpectrogramColumns } from './spectrogram-columns.ts'
import { planTruePeak, type TruePeakFilter } from './true-peak-filter.ts'
import { TRUE_PEAK_TAIL, TruePeakMeter } from './true-peak-meter.ts'

/** What is kept of one channel while a range is measured. */
class ChannelState {
  /** The latest frames. */
  readonly history = new Float64Array(WINDOW_HISTORY)
  readonly truePeak: TruePeakMeter
  readonly clipped = new ClippedCounter()
  readonly sums: Float64Array
  readonly squares: Float64Array
  readonly weightedSquares: Float64Array
  readonly minima: Float32Array
  readonly maxima: Float32Array
  peak = 0

  constructor(layout: MeasureLayout, range: FrameRange, truePeak: TruePeakFilter) {
    const hops = hopCount(layout, range)
    const bins = binsOf(layout, range)
    this.truePeak = new TruePeakMeter(truePeak)
    this.sums = new Float64Array(hops)
    this.squares = new Float64Array(hops)
    this.weightedSquares = new Float64Array(hops)
    this.minima = new Float32Array(bins.end - bins.first).fill(Number.POSITIVE_INFINITY)
    this.maxima = new Float32Array(bins.end - bins.first).fill(Number.NEGATIVE_INFINITY)
  }

  /** Takes extremes of frames `from` up to `until` of `samples`. */
  add(samples: Float64Array, from: number, until: number, bin: number, least: number, greatest: number): void {
    const peak = Math.max(-least, greatest)
    if (peak > this.peak) this.peak = peak
    this.clipped.add(samples, from, until, peak)
    this.minima[bin] = Math.min(this.minima[bin] as number, least)
    this.maxima[bin] = Math.max(this.maxima[bin] as number, greatest)
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
  readonly #running: ChannelSums
  readonly #spectrogram: SpectrogramColumns
  readonly #firstBin: number
  #frame: number
  #bin: number
  #nextBin: number
  #nextHop: number

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
    const truePeak = planTruePeak(sampleRate)
    this.#channels = Array.from({ length: channels }, () => new ChannelState(layout, range, truePeak))
    this.#running = new ChannelSums(channels, planKWeighting(sampleRate))
    this.#spectrogram = new SpectrogramColumns(layout, range)
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
      this.#take(block, from, Math.min(BLOCK_FRAMES, count - from))
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
      const silence = new Float64Array(TRUE_PEAK_TAIL)
      for (const { history, truePeak } of this.#channels) {
        sampleLoops().putBehind(history, 0, silence, 0, TRUE_PEAK_TAIL)
        truePeak.scanWindow(0, 0, TRUE_PEAK_TAIL)
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

  /** Takes frames `start` up to `start + length` of a block. */
  #take(block: readonly Float64Array[], start: number, length: number): void {
    const loops = sampleLoops()
    const first = this.#frame
    for (const [channel, { history }] of this.#channels.entries()) {
      loops.putBehind(history, channel, block[channel] as Float64Array, start, length)
    }
    this.#running.begin()
    this.#sum(loops.blocks, first + length)
    this.#running.end()
    const measured = Math.max(this.#range.start - first, 0)
    if (measured < length) {
      for (const [channel, { truePeak }] of this.#channels.entries()) truePeak.scanWindow(channel, measured, length)
    }
    this.#spectrogram.add(block, start, length, first)
  }

  /** Sums frames up to `end`, cut where hops, bins and the range begin. */
  #sum(blocks: readonly Float64Array[], end: number): void {
    const first = this.#frame
    let frame = first
    while (frame < end) {
      const inside = frame >= this.#range.start
      const until = Math.min(end, this.#nextHop, inside ? this.#nextBin : this.#range.start)
      this.#running.add(frame - first, until - first)
      if (inside) this.#takeExtremes(blocks, frame - first, until - first)
      frame = until
      if (frame === this.#nextHop || frame === this.#range.end) this.#closeHop(frame)
      if (inside && frame === this.#nextBin) {
        this.#bin++
        this.#nextBin = binStart(this.#layout, this.#bin + 1)
      }
    }
    this.#frame = frame
  }

  #takeExtremes(blocks: readonly Float64Array[], from: number, until: number): void {
    const bin = this.#bin - this.#firstBin
    for (const [index, channel] of this.#channels.entries()) {
      const samples = blocks[index] as Float64Array
      channel.add(samples, from, until, bin, this.#running.least(index), this.#running.greatest(index))
    }
  }

  #closeHop(frame: number): void {
    const { hopFrames } = this.#layout
    const hop = Math.ceil((frame - this.#range.start) / hopFrames) - 1
    if (hop >= 0) {
      for (const [index, channel] of this.#channels.entries()) {
        channel.sums[hop] = this.#running.sum(index)
        channel.squares[hop] = this.#running.squares(index)
        channel.weightedSquares[hop] = this.#running.weightedSquares(index)
      }
    }
    this.#running.startHop()
    this.#nextHop = (Math.floor(frame / hopFrames) + 1) * hopFrames
  }
}
