import type { AudioShape, FrameRange } from '../audio-format.ts'
import { levelFrameCount, levelFrameFrom, levelFrameStart } from './level-frames.ts'

/** Bytes of one level: a float32, little-endian. */
export const LEVEL_BYTES = 4

/**
 * Bytes that the levels of a range take.
 * @throws RangeError when the range is no run of whole level frames
 */
export function levelsByteLength(shape: AudioShape, range: FrameRange): number {
  const { first, end } = levelFramesOf(shape, range)
  return (end - first) * LEVEL_BYTES
}

/**
 * Measures the level of every 10 ms of a range: the RMS of its loudest channel, 1 being full scale. Whoever owns it feeds it
 * the range once, in order; how that is cut into blocks does not change a bit.
 */
export class LevelMeter {
  readonly #levels: DataView<ArrayBuffer>
  readonly #channels: number
  readonly #sampleRate: number
  readonly #rangeEnd: number
  /** Sum of squares of the level frame that is under way, by channel. */
  readonly #sums: Float64Array
  readonly #first: number
  #index: number
  #position: number
  #frameStart: number
  #frameEnd: number

  /**
   * @param shape of the whole audio
   * @param range whole level frames: starts where one starts, and ends where one starts or the audio ends
   * @throws RangeError when the range is no run of whole level frames
   */
  constructor(shape: AudioShape, range: FrameRange) {
    const { first } = levelFramesOf(shape, range)
    this.#levels = new DataView(new ArrayBuffer(levelsByteLength(shape, range)))
    this.#channels = shape.channels
    this.#sampleRate = shape.sampleRate
    this.#rangeEnd = range.end
    this.#sums = new Float64Array(shape.channels)
    this.#first = first
    this.#index = first
    this.#position = range.start
    this.#frameStart = range.start
    this.#frameEnd = this.#endOf(first)
  }

  /**
   * Takes the next frames.
   * @param block [channels][≥ count] samples, full scale ±1
   * @throws RangeError when they go beyond the range
   */
  feed(block: readonly Float64Array[], count: number): void {
    if (this.#position + count > this.#rangeEnd) {
      throw new RangeError(`the range ends at frame ${this.#rangeEnd}, but frames up to ${this.#position + count} came`)
    }
    for (let done = 0; done < count; ) {
      const take = Math.min(count - done, this.#frameEnd - this.#position)
      for (let channel = 0; channel < this.#channels; channel += 1) {
        this.#sums[channel] = addSquares(
          this.#sums[channel] as number,
          block[channel] as Float64Array,
          done,
          done + take
        )
      }
      done += take
      this.#position += take
      if (this.#position === this.#frameEnd) this.#close()
    }
  }

  /**
   * @returns [level frames] of float32, little-endian; Infinity where samples are no numbers
   * @throws RangeError when frames of the range are missing
   */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#position !== this.#rangeEnd) {
      throw new RangeError(`the range ends at frame ${this.#rangeEnd}, but only frames up to ${this.#position} came`)
    }
    return new Uint8Array(this.#levels.buffer)
  }

  #close(): void {
    let loudest = 0
    for (let channel = 0; channel < this.#channels; channel += 1) {
      const sum = this.#sums[channel] as number
      loudest = Math.max(loudest, sum < Number.POSITIVE_INFINITY ? sum : Number.POSITIVE_INFINITY)
      this.#sums[channel] = 0
    }
    const level = Math.sqrt(loudest / (this.#frameEnd - this.#frameStart))
    this.#levels.setFloat32((this.#index - this.#first) * LEVEL_BYTES, level, true)
    this.#index += 1
    this.#frameStart = this.#frameEnd
    this.#frameEnd = this.#endOf(this.#index)
  }

  #endOf(index: number): number {
    return Math.min(levelFrameStart(this.#sampleRate, index + 1), this.#rangeEnd)
  }
}

function addSquares(sum: number, samples: Float64Array, start: number, end: number): number {
  let total = sum
  for (let index = start; index < end; index += 1) {
    const sample = samples[index] as number
    total += sample * sample
  }
  return total
}

function levelFramesOf(shape: AudioShape, range: FrameRange): { first: number; end: number } {
  const first = levelFrameFrom(shape.sampleRate, range.start)
  const end = range.end === shape.frames ? levelFrameCount(shape) : levelFrameFrom(shape.sampleRate, range.end)
  const whole =
    range.start >= 0 &&
    range.start <= range.end &&
    range.end <= shape.frames &&
    (range.start === range.end || levelFrameStart(shape.sampleRate, first) === range.start) &&
    (range.end === shape.frames || levelFrameStart(shape.sampleRate, end) === range.end)
  if (whole) return { first, end: Math.max(first, end) }
  throw new RangeError(
    `levels take whole frames of 10 ms within ${shape.frames} audio frames, but got ${range.start} to ${range.end}`
  )
}
