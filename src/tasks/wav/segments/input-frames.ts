import { SwarmError } from '../../../errors.ts'
import type { FrameRange } from '../audio-format.ts'
import type { FrameStream } from '../effects/effect.ts'
import { SampleDecoder } from '../samples/decode-samples.ts'
import { type EncodedAudio, frameBytes } from '../wav-plan.ts'
import { isEmpty, lengthOf } from './frame-ranges.ts'

/** Frames of a chunk's input, by their place in the whole. Holds no copy of them. */
export class InputFrames {
  readonly #audio: EncodedAudio
  readonly #ranges: readonly FrameRange[]
  readonly #bytes: Uint8Array

  /**
   * @param ranges that `bytes` hold, one after the other
   * @throws SwarmError INPUT_MALFORMED when these have another length
   */
  constructor(audio: EncodedAudio, ranges: readonly FrameRange[], bytes: Uint8Array) {
    const expected = ranges.reduce((sum, range) => sum + lengthOf(range), 0) * frameBytes(audio)
    if (bytes.byteLength !== expected) {
      const message = `the chunk's input has ${bytes.byteLength} bytes of audio, expected ${expected}`
      throw new SwarmError('INPUT_MALFORMED', message)
    }
    this.#audio = audio
    this.#ranges = ranges
    this.#bytes = bytes
  }

  /** Streams frames of one of the ranges. @throws RangeError for others */
  open(range: FrameRange): DecodedStream {
    if (isEmpty(range)) return new DecodedStream(this.#audio, this.#bytes, 0)
    let offset = 0
    for (const each of this.#ranges) {
      if (each.start <= range.start && range.end <= each.end) {
        const position = offset + (range.start - each.start) * frameBytes(this.#audio)
        return new DecodedStream(this.#audio, this.#bytes, position)
      }
      offset += lengthOf(each) * frameBytes(this.#audio)
    }
    throw new RangeError(`frames ${range.start} to ${range.end} are not in the chunk's input`)
  }
}

/** Frames as they are decoded, one after the other. */
export class DecodedStream implements FrameStream {
  readonly channels: number
  readonly #decoder: SampleDecoder
  readonly #bytes: Uint8Array
  readonly #frameBytes: number
  #offset: number

  constructor(audio: EncodedAudio, bytes: Uint8Array, offset: number) {
    this.channels = audio.channels
    this.#decoder = new SampleDecoder(audio.encoding, audio.channels)
    this.#bytes = bytes
    this.#frameBytes = frameBytes(audio)
    this.#offset = offset
  }

  /** Samples so far that were no finite number. */
  get nonFinite(): number {
    return this.#decoder.nonFinite
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#decoder.decode(this.#bytes, this.#offset, count, out)
    this.#offset += count * this.#frameBytes
  }
}
