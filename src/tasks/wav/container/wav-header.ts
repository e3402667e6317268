import { type AudioShape, CHANNELS_MAX, SAMPLE_BYTES, type SampleEncoding } from '../audio-format.ts'
import { FORMAT_EXTENSIBLE, FORMAT_FLOAT, FORMAT_PCM, SUB_FORMAT_TAIL } from './sub-format.ts'

/** What a file to be written holds. */
export interface WavOutput {
  readonly shape: AudioShape
  readonly encoding: SampleEncoding
  /** Speaker positions, uint32, of an extensible format; left out, front centre for one channel, front left and right for two. */
  readonly channelMask?: number
}

const UINT32_MAX = 0xffff_ffff
const TWO_32 = 2 ** 32
const DEFAULT_MASKS: readonly number[] = [0, 0x4, 0x3]

/** Bytes that are put one behind another, little-endian. */
class HeaderBytes {
  readonly #bytes: number[] = []

  id(text: string): this {
    for (const character of text) this.#bytes.push(character.charCodeAt(0))
    return this
  }

  uint16(value: number): this {
    this.#bytes.push(value % 256, Math.floor(value / 256) % 256)
    return this
  }

  uint32(value: number): this {
    return this.uint16(value % 65_536).uint16(Math.floor(value / 65_536) % 65_536)
  }

  uint64(value: number): this {
    return this.uint32(value % TWO_32).uint32(Math.floor(value / TWO_32))
  }

  bytes(values: Iterable<number>): this {
    this.#bytes.push(...values)
    return this
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** @param riffBytes of all that follows these eight bytes, up to 2³² − 1. @returns the first twelve bytes of a plain file */
export function riffHead(riffBytes: number): Uint8Array {
  return new HeaderBytes().id('RIFF').uint32(riffBytes).id('WAVE').done()
}

/** @returns the first bytes of an RF64 file, with its ds64 chunk. @see EBU Tech 3306 */
export function rf64Head(riffBytes: number, dataBytes: number, frames: number): Uint8Array {
  return new HeaderBytes()
    .id('RF64')
    .uint32(UINT32_MAX)
    .id('WAVE')
    .id('ds64')
    .uint32(28)
    .uint64(riffBytes)
    .uint64(dataBytes)
    .uint64(frames)
    .uint32(0)
    .done()
}

/** @returns the data chunk's name and length; 2³² − 1 from there on */
export function dataHeader(dataBytes: number): Uint8Array {
  return new HeaderBytes().id('data').uint32(Math.min(dataBytes, UINT32_MAX)).done()
}

/**
 * Writes the fmt chunk, and for floats the fact chunk. The format is plain where it may be: up to two channels of at most
 * 16 bits, or of floats; else it is WAVE_FORMAT_EXTENSIBLE.
 * @throws RangeError for no or too many channels
 * @see Microsoft, "Multiple Channel Audio Data and WAVE Files"
 */
export function formatChunks({ shape, encoding, channelMask }: WavOutput): Uint8Array {
  const { channels, sampleRate, frames } = shape
  if (!Number.isInteger(channels) || channels < 1 || channels > CHANNELS_MAX) {
    throw new RangeError(`a WAV file cannot be written with ${channels} channels`)
  }
  const sampleBytes = SAMPLE_BYTES[encoding]
  const isFloat = encoding === 'f32' || encoding === 'f64'
  const tag = isFloat ? FORMAT_FLOAT : FORMAT_PCM
  const isExtensible = channels > 2 || (!isFloat && sampleBytes > 2)
  const bits = sampleBytes * 8
  const out = new HeaderBytes()
    .id('fmt ')
    .uint32(isExtensible ? 40 : isFloat ? 18 : 16)
    .uint16(isExtensible ? FORMAT_EXTENSIBLE : tag)
    .uint16(channels)
    .uint32(sampleRate)
    .uint32(sampleRate * channels * sampleBytes)
    .uint16(channels * sampleBytes)
    .uint16(bits)
  if (isExtensible) {
    const mask = channelMask ?? DEFAULT_MASKS[channels] ?? 0
    out.uint16(22).uint16(bits).uint32(mask).uint16(tag).bytes(SUB_FORMAT_TAIL)
  } else if (isFloat) out.uint16(0)
  if (isFloat) out.id('fact').uint32(4).uint32(Math.min(frames, UINT32_MAX))
  return out.done()
}
