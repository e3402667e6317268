// Owns scratch memory of a few KiB and the counts of clipped samples. Driven by whoever writes a file, block by block, in any order.
import { SAMPLE_BYTES, type SampleEncoding } from '../audio-format.ts'
import { BLOCK_FRAMES } from '../effects/effect.ts'
import { ditherKey } from './dither.ts'
import { assertLittleEndian } from './little-endian.ts'
import { copyFrames, sampleLoops } from './loops/sample-loops.ts'
import { packF32, packF64, packS16, packS24, packS24Words, packU8 } from './pack.ts'
import { WholeView } from './whole-view.ts'

/** Samples that are turned at once: what stays in a core's nearest cache. */
const BLOCK_SAMPLES = 4096
const TWO_32 = 2 ** 32
/** The channels of stereo, which has loops of its own. */
const PAIR: readonly number[] = [0, 1]

/** Whether to add dither; it is where bits are dropped that it does good. */
export interface SampleEncoderOptions {
  /** Triangular, ±1 step, to 8, 16 and 24 bits, in silence too; never to 32 bits and floats. */
  readonly dither: boolean
}

/**
 * Turns planar samples, full scale ±1, into interleaved ones of a file. Integers are rounded to the nearest, halves to even, and
 * saturated: +1 is written as the greatest integer. Floats are rounded to the nearest and keep what lies beyond ±1. NaN is
 * written as 0. The bytes of a sample depend on its value, its channel and the absolute index of its frame alone.
 */
export class SampleEncoder {
  readonly #encoding: SampleEncoding
  readonly #channels: number
  readonly #sampleBytes: number
  readonly #dither: boolean
  readonly #clipped: number[]
  readonly #blockFrames: number
  readonly #keys: Int32Array
  readonly #steps: Int32Array
  #keysHigh = -1
  readonly #aligned: Uint8Array
  readonly #bytes = new WholeView(1, (buffer, length) => new Uint8Array(buffer, 0, length))
  readonly #int16 = new WholeView(2, (buffer, length) => new Int16Array(buffer, 0, length))
  readonly #int32 = new WholeView(4, (buffer, length) => new Int32Array(buffer, 0, length))
  readonly #float32 = new WholeView(4, (buffer, length) => new Float32Array(buffer, 0, length))
  readonly #float64 = new WholeView(8, (buffer, length) => new Float64Array(buffer, 0, length))

  /** @param channels from 1 */
  constructor(encoding: SampleEncoding, channels: number, options: SampleEncoderOptions) {
    assertLittleEndian()
    this.#encoding = encoding
    this.#channels = channels
    this.#sampleBytes = SAMPLE_BYTES[encoding]
    this.#dither = options.dither && (encoding === 'u8' || encoding === 's16' || encoding === 's24')
    this.#clipped = new Array<number>(channels).fill(0)
    this.#blockFrames = Math.min(BLOCK_FRAMES, Math.max(1, Math.floor(BLOCK_SAMPLES / channels)))
    this.#keys = new Int32Array(channels)
    this.#steps = new Int32Array(this.#blockFrames * channels)
    this.#aligned = new Uint8Array(this.#blockFrames * channels * this.#sampleBytes)
  }

  /**
   * Samples so far, by channel, that an integer format could not hold: beyond full scale by more than half a step, before dither.
   * For floats it stays 0.
   */
  get clipped(): readonly number[] {
    return this.#clipped
  }

  /**
   * @param input [channels][≥ frames], full scale ±1. @param firstFrame index in the whole output of the first one
   * @param bytes takes the frames from `byteOffset` on; aligned or not, though what is not is copied once more
   * @throws RangeError when `input` or `bytes` are too short, or `firstFrame` is no index
   */
  encode(
    input: readonly Float64Array[],
    frames: number,
    firstFrame: number,
    bytes: Uint8Array,
    byteOffset: number
  ): void {
    const frameBytes = this.#channels * this.#sampleBytes
    this.#check(input, frames, firstFrame, bytes.byteLength - byteOffset, byteOffset)
    const start = bytes.byteOffset + byteOffset
    const isAligned = this.#encoding === 's24' || start % this.#sampleBytes === 0
    for (let done = 0; done < frames; ) {
      const frame = firstFrame + done
      const count = Math.min(this.#blockFrames, frames - done, TWO_32 - (frame % TWO_32)) | 0
      if (isAligned) this.#encodeBlock(input, done, count, frame, bytes.buffer, start + done * frameBytes)
      else {
        this.#encodeBlock(input, done, count, frame, this.#aligned.buffer, 0)
        bytes.set(this.#aligned.subarray(0, count * frameBytes), byteOffset + done * frameBytes)
      }
      done += count
    }
  }

  #check(input: readonly Float64Array[], frames: number, firstFrame: number, room: number, byteOffset: number): void {
    if (!Number.isSafeInteger(firstFrame + frames) || firstFrame < 0) {
      throw new RangeError(`expected the index of a frame, not ${firstFrame}`)
    }
    if (!(byteOffset >= 0) || room < frames * this.#channels * this.#sampleBytes) {
      throw new RangeError(`expected room for ${frames} frames, but there are ${room} bytes`)
    }
    for (let channel = 0; channel < this.#channels; channel++) {
      if ((input[channel]?.length ?? 0) < frames)
        throw new RangeError(`expected ${frames} frames of ${this.#channels} channels`)
    }
  }

  /** @param at aligned byte of the buffer */
  #encodeBlock(
    input: readonly Float64Array[],
    start: number,
    frames: number,
    firstFrame: number,
    buffer: ArrayBufferLike,
    at: number
  ): void {
    const count = frames * this.#channels
    switch (this.#encoding) {
      case 'u8':
        this.#quantize(input, start, frames, firstFrame, 128, this.#steps, 0)
        packU8(this.#steps, count, this.#bytes.over(buffer), at)
        break
      case 's16':
        if (this.#channels === 2) {
          this.#encodePairs16(input, start, frames, firstFrame, buffer, at)
          break
        }
        this.#quantize(input, start, frames, firstFrame, 32_768, this.#steps, 0)
        packS16(this.#steps, count, this.#int16.over(buffer), (at / 2) | 0)
        break
      case 's24':
        this.#quantize(input, start, frames, firstFrame, 8_388_608, this.#steps, 0)
        if (at % 4 === 0 && count % 4 === 0) packS24Words(this.#steps, count, this.#int32.over(buffer), (at / 4) | 0)
        else packS24(this.#steps, count, this.#bytes.over(buffer), at)
        break
      case 's32':
        this.#quantize(input, start, frames, firstFrame, 2_147_483_648, this.#int32.over(buffer), (at / 4) | 0)
        break
      case 'f32':
        if (this.#channels === 2) {
          this.#encodePairsF32(input, start, frames, buffer, at)
          break
        }
        for (let channel = 0; channel < this.#channels; channel++) {
          const samples = input[channel] as Float64Array
          packF32(samples, start, frames, this.#float32.over(buffer), ((at / 4) | 0) + channel, this.#channels)
        }
        break
      case 'f64':
        for (let channel = 0; channel < this.#channels; channel++) {
          const samples = input[channel] as Float64Array
          packF64(samples, start, frames, this.#float64.over(buffer), ((at / 8) | 0) + channel, this.#channels)
        }
    }
  }

  #quantize(
    input: readonly Float64Array[],
    start: number,
    frames: number,
    firstFrame: number,
    full: number,
    steps: Int32Array,
    at: number
  ): void {
    const channels = this.#channels
    const made = sampleLoops().steps[0] as Int32Array
    for (let channel = 0; channel < channels; channel++) {
      this.#quantizeChannel(input, channel, start, frames, firstFrame, full, 0)
      scatter(made, frames, steps, at + channel, channels)
    }
  }

  /** Makes steps of one channel, in one of the two places that the loops have for them. */
  #quantizeChannel(
    input: readonly Float64Array[],
    channel: number,
    start: number,
    frames: number,
    firstFrame: number,
    full: number,
    slot: number
  ): void {
    const loops = sampleLoops()
    if (this.#dither) this.#makeKeys(Math.floor(firstFrame / TWO_32))
    copyFrames(input[channel] as Float64Array, start, frames, loops.blocks[0] as Float64Array, 0)
    const clipped = loops.run.quantize(
      loops.blockAt(0),
      frames,
      full,
      loops.stepsAt(slot),
      this.#dither,
      firstFrame | 0,
      this.#keys[channel] as number
    )
    this.#clipped[channel] = (this.#clipped[channel] as number) + clipped
  }

  #encodePairs16(
    input: readonly Float64Array[],
    start: number,
    frames: number,
    firstFrame: number,
    buffer: ArrayBufferLike,
    at: number
  ): void {
    const loops = sampleLoops()
    for (const channel of PAIR) this.#quantizeChannel(input, channel, start, frames, firstFrame, 32_768, channel)
    loops.run.interleave16(loops.stepsAt(0), loops.stepsAt(1), frames, loops.bytesAt)
    this.#bytes.over(buffer).set(loops.bytes.subarray(0, frames * 4), at)
  }

  #encodePairsF32(
    input: readonly Float64Array[],
    start: number,
    frames: number,
    buffer: ArrayBufferLike,
    at: number
  ): void {
    const loops = sampleLoops()
    for (const channel of PAIR) {
      const samples = input[channel] as Float64Array
      copyFrames(samples, start, frames, loops.blocks[channel] as Float64Array, 0)
    }
    loops.run.interleaveF32(loops.blockAt(0), loops.blockAt(1), frames, loops.bytesAt)
    this.#bytes.over(buffer).set(loops.bytes.subarray(0, frames * 8), at)
  }

  #makeKeys(high: number): void {
    if (high === this.#keysHigh) return
    for (let channel = 0; channel < this.#channels; channel++) this.#keys[channel] = ditherKey(channel, high)
    this.#keysHigh = high
  }
}

function scatter(steps: Int32Array, count: number, out: Int32Array, at: number, stride: number): void {
  for (let frame = 0, index = at; frame < count; frame++, index += stride) out[index] = steps[frame] as number
}
