// Owns a scratch block for bytes that are not aligned, and the count of samples that were no numbers. Driven by whoever reads.
import { SAMPLE_BYTES, type SampleEncoding } from '../audio-format.ts'
import { BLOCK_FRAMES } from '../effects/effect.ts'
import { decodeF32, decodeF64, decodeS16, decodeS24, decodeS32, decodeU8, makeFinite } from './decode-channel.ts'
import { assertLittleEndian } from './little-endian.ts'
import { copyFrames, sampleLoops } from './loops/sample-loops.ts'
import { WholeView } from './whole-view.ts'

/**
 * Turns interleaved samples of a file into planar ones, full scale ±1: integers / 2^(bits − 1), bytes (x − 128) / 128, floats as
 * they are, beyond ±1 too, but NaN as 0 and ±∞ as ±1. Exact: every sample of every encoding is a double.
 */
export class SampleDecoder {
  readonly #encoding: SampleEncoding
  readonly #channels: number
  readonly #sampleBytes: number
  /** Bytes that the first sample's address has to be a multiple of. */
  readonly #alignment: number
  readonly #int16 = new WholeView(2, (buffer, length) => new Int16Array(buffer, 0, length))
  readonly #int32 = new WholeView(4, (buffer, length) => new Int32Array(buffer, 0, length))
  readonly #float32 = new WholeView(4, (buffer, length) => new Float32Array(buffer, 0, length))
  readonly #float64 = new WholeView(8, (buffer, length) => new Float64Array(buffer, 0, length))
  readonly #bytes = new WholeView(1, (buffer, length) => new Uint8Array(buffer, 0, length))
  #scratch = new Uint8Array(0)
  #nonFinite = 0

  /** @param channels from 1 */
  constructor(encoding: SampleEncoding, channels: number) {
    assertLittleEndian()
    this.#encoding = encoding
    this.#channels = channels
    this.#sampleBytes = SAMPLE_BYTES[encoding]
    this.#alignment = encoding === 's24' ? 1 : this.#sampleBytes
  }

  /** Float samples so far that were NaN or infinite. */
  get nonFinite(): number {
    return this.#nonFinite
  }

  /**
   * @param bytes interleaved, little-endian; aligned or not, though what is not is copied first. @param byteOffset of the first frame in `bytes`
   * @param out [channels][≥ frames], overwritten from index 0
   * @throws RangeError when `bytes` or `out` are too short
   */
  decode(bytes: Uint8Array, byteOffset: number, frames: number, out: readonly Float64Array[]): void {
    const frameBytes = this.#channels * this.#sampleBytes
    if (!(byteOffset >= 0) || byteOffset + frames * frameBytes > bytes.byteLength) {
      throw new RangeError(`expected ${frames} frames of ${frameBytes} bytes from byte ${byteOffset} on`)
    }
    for (let channel = 0; channel < this.#channels; channel++) {
      if ((out[channel]?.length ?? 0) < frames) throw new RangeError(`expected room for ${frames} frames`)
    }
    if (this.#channels === 2 && (this.#encoding === 's16' || this.#encoding === 'f32')) {
      this.#decodePairs(bytes, byteOffset, frames, out)
      return
    }
    const start = bytes.byteOffset + byteOffset
    if (start % this.#alignment === 0) {
      this.#decodeFrom(bytes.buffer, start, frames, out)
      return
    }
    const byteLength = frames * frameBytes
    if (this.#scratch.byteLength < byteLength) this.#scratch = new Uint8Array(byteLength)
    this.#scratch.set(bytes.subarray(byteOffset, byteOffset + byteLength))
    this.#decodeFrom(this.#scratch.buffer, 0, frames, out)
  }

  /** Two channels of 16 bits or floats of 32, aligned or not. */
  #decodePairs(bytes: Uint8Array, byteOffset: number, frames: number, out: readonly Float64Array[]): void {
    const loops = sampleLoops()
    const { run, bytesAt } = loops
    const frameBytes = 2 * this.#sampleBytes
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const count = Math.min(BLOCK_FRAMES, frames - done)
      const at = byteOffset + done * frameBytes
      loops.bytes.set(bytes.subarray(at, at + count * frameBytes))
      let isSound = true
      if (this.#encoding === 's16') run.deinterleave16(bytesAt, count, loops.blockAt(0), loops.blockAt(1))
      else isSound = run.deinterleaveF32(bytesAt, count, loops.blockAt(0), loops.blockAt(1)) === 1
      for (let channel = 0; channel < 2; channel++) {
        const samples = loops.blocks[channel] as Float64Array
        if (!isSound) this.#nonFinite += makeFinite(samples, count)
        copyFrames(samples, 0, count, out[channel] as Float64Array, done)
      }
    }
  }

  /** @param start aligned byte of the buffer */
  #decodeFrom(buffer: ArrayBufferLike, start: number, frames: number, out: readonly Float64Array[]): void {
    const channels = this.#channels
    const first = start / this.#alignment
    for (let channel = 0; channel < channels; channel++) {
      const to = out[channel] as Float64Array
      switch (this.#encoding) {
        case 'u8':
          decodeU8(this.#bytes.over(buffer), first + channel, channels, frames, to)
          break
        case 's16':
          decodeS16(this.#int16.over(buffer), first + channel, channels, frames, to)
          break
        case 's24':
          decodeS24(this.#bytes.over(buffer), first + channel * 3, channels * 3, frames, to)
          break
        case 's32':
          decodeS32(this.#int32.over(buffer), first + channel, channels, frames, to)
          break
        case 'f32':
          if (!decodeF32(this.#float32.over(buffer), first + channel, channels, frames, to)) {
            this.#nonFinite += makeFinite(to, frames)
          }
          break
        case 'f64':
          if (!decodeF64(this.#float64.over(buffer), first + channel, channels, frames, to)) {
            this.#nonFinite += makeFinite(to, frames)
          }
      }
    }
  }
}
