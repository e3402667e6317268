import { EXIT_CODES, SwarmError } from '../../../errors.ts'
import type { FrameRange } from '../audio-format.ts'
import type { ClippedRuns } from './clipped-runs.ts'
import { binsOf, columnsOf, hopCount, type MeasureLayout } from './measure-layout.ts'

/** Greatest magnitude of a sample that is taken: of a float of 32 bits. */
const MAGNITUDE_MAX = 3.4028234663852886e38

/** What a range has of one channel. */
export interface ChannelPart {
  readonly peak: number
  readonly truePeak: number
  readonly clipped: ClippedRuns
  /** [hops] of samples, of their squares, of the K-weighted squares. */
  readonly sums: Float64Array
  readonly squares: Float64Array
  readonly weightedSquares: Float64Array
  /** [bins] least and greatest sample; Infinity and −Infinity are not possible, since each bin has a frame. */
  readonly minima: Float32Array
  readonly maxima: Float32Array
}

/** What a range has of everything that is measured. */
export interface MeasurePart {
  readonly channels: readonly ChannelPart[]
  /** [columns][rows] levels of 0.5 dB. */
  readonly levels: Uint8Array
}

/**
 * Bytes of a range's measures: per channel 6 numbers, 3 per hop and 2 of 4 bytes per waveform bin, then the levels.
 * @param range begins at a multiple of the hop
 */
export function measureByteLength(layout: MeasureLayout, range: FrameRange): number {
  const bins = binsOf(layout, range)
  const columns = columnsOf(layout, range)
  const perChannel = 8 * (6 + 3 * hopCount(layout, range)) + 8 * (bins.end - bins.first)
  return layout.shape.channels * perChannel + (columns.end - columns.first) * (layout.spectrogramSize / 2 + 1)
}

/** Writes a range's measures, little-endian; {@link parseMeasurePart} reads them. */
export function writeMeasurePart(layout: MeasureLayout, range: FrameRange, part: MeasurePart): Uint8Array {
  const bytes = new Uint8Array(measureByteLength(layout, range))
  const view = new DataView(bytes.buffer)
  let at = 0
  const put = (value: number) => {
    view.setFloat64(at, value, true)
    at += 8
  }
  for (const channel of part.channels) {
    const { count, longest, leading, trailing } = channel.clipped
    for (const value of [channel.peak, channel.truePeak, count, longest, leading, trailing]) put(value)
    for (const sums of [channel.sums, channel.squares, channel.weightedSquares]) sums.forEach(put)
    for (const values of [channel.minima, channel.maxima]) {
      for (const value of values) {
        view.setFloat32(at, value, true)
        at += 4
      }
    }
  }
  bytes.set(part.levels, at)
  return bytes
}

/**
 * Reads a range's measures from bytes that may come from anywhere.
 * @throws SwarmError MEASURE_INVALID when they are not as many as the range's, not finite, or contradict each other
 */
export function parseMeasurePart(layout: MeasureLayout, range: FrameRange, bytes: Uint8Array): MeasurePart {
  const expected = measureByteLength(layout, range)
  if (bytes.byteLength !== expected) {
    throw invalid(range, `expected ${expected} bytes of measures, got ${bytes.byteLength}`)
  }
  const reader = new PartReader(range, bytes)
  const hops = hopCount(layout, range)
  const bins = binsOf(layout, range)
  const channels: ChannelPart[] = []
  for (let channel = 0; channel < layout.shape.channels; channel++) {
    channels.push(reader.channel(hops, layout.hopFrames, bins.end - bins.first))
  }
  return { channels, levels: reader.rest() }
}

class PartReader {
  readonly #range: FrameRange
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(range: FrameRange, bytes: Uint8Array) {
    this.#range = range
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  channel(hops: number, hopFrames: number, bins: number): ChannelPart {
    const peak = this.#number('peak', 0, MAGNITUDE_MAX)
    const truePeak = this.#number('true peak', peak, 4 * MAGNITUDE_MAX)
    const clipped = this.#clipped()
    const squaresMax = 64 * hopFrames * MAGNITUDE_MAX * MAGNITUDE_MAX
    const sums = this.#numbers(hops, 'sum', -hopFrames * MAGNITUDE_MAX, hopFrames * MAGNITUDE_MAX)
    const squares = this.#numbers(hops, 'sum of squares', 0, squaresMax)
    const weightedSquares = this.#numbers(hops, 'sum of weighted squares', 0, squaresMax)
    const minima = this.#samples(bins)
    const maxima = this.#samples(bins)
    for (const [bin, least] of minima.entries()) {
      if (least > (maxima[bin] as number))
        throw invalid(this.#range, `the least sample of bin ${bin} is above its greatest`)
    }
    return { peak, truePeak, clipped, sums, squares, weightedSquares, minima, maxima }
  }

  rest(): Uint8Array {
    return this.#bytes.slice(this.#at)
  }

  #clipped(): ClippedRuns {
    const frames = this.#range.end - this.#range.start
    const count = this.#integer('count of clipped samples', frames)
    const longest = this.#integer('longest clipped run', count)
    const leading = this.#integer('leading clipped run', longest)
    const trailing = this.#integer('trailing clipped run', longest)
    return { frames, count, longest, leading, trailing }
  }

  #integer(name: string, max: number): number {
    const value = this.#number(name, 0, max)
    if (!Number.isInteger(value)) throw invalid(this.#range, `the ${name} is ${value}, not an integer`)
    return value
  }

  #numbers(count: number, name: string, min: number, max: number): Float64Array {
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) values[i] = this.#number(name, min, max)
    return values
  }

  #number(name: string, min: number, max: number): number {
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    if (!(value >= min && value <= max)) {
      throw invalid(this.#range, `expected a ${name} from ${min} to ${max}, got ${value}`)
    }
    return value
  }

  #samples(count: number): Float32Array {
    const values = new Float32Array(count)
    for (let i = 0; i < count; i++) {
      const value = this.#view.getFloat32(this.#at, true)
      this.#at += 4
      if (!(Math.abs(value) <= MAGNITUDE_MAX)) throw invalid(this.#range, `a sample of the waveform is ${value}`)
      values[i] = value
    }
    return values
  }
}

function invalid(range: FrameRange, reason: string): SwarmError {
  return new SwarmError(
    'MEASURE_INVALID',
    `measures of frames ${range.start} to ${range.end}: ${reason}; measure the range again`,
    { exitCode: EXIT_CODES.usage }
  )
}
