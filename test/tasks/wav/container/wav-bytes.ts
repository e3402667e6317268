import { SwarmError } from '../../../../src/errors.ts'
import { parseWav, type WavFile } from '../../../../src/tasks/wav/container/parse-wav.ts'
import type { RangeReader } from '../../../../src/tasks/wav/container/range-reader.ts'
import type { WavLayout } from '../../../../src/tasks/wav/container/wav-layout.ts'

/** A file in memory that counts what is read of it, and refuses reads beyond it. */
export class ByteFile implements RangeReader {
  readonly path = '/sound/show.wav'
  readonly bytes: Uint8Array
  readonly byteLength: number
  readCount = 0
  readBytes = 0

  /** @param byteLength more than `bytes` for a file whose rest is zeros */
  constructor(bytes: Uint8Array, byteLength = bytes.byteLength) {
    this.bytes = bytes
    this.byteLength = byteLength
  }

  read(offset: number, byteLength: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || offset < 0 || byteLength < 0 || offset + byteLength > this.byteLength) {
      throw new RangeError(`read of ${byteLength} bytes at ${offset} of ${this.byteLength}`)
    }
    this.readCount++
    this.readBytes += byteLength
    const bytes = new Uint8Array(byteLength)
    bytes.set(this.bytes.subarray(offset, offset + byteLength))
    return bytes
  }
}

export function bytesOf(...parts: readonly (string | number | readonly number[] | Uint8Array)[]): Uint8Array {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : typeof part === 'number' ? [part] : [...part]
    )
  )
}

export function u16(value: number): number[] {
  return [value & 255, (value >>> 8) & 255]
}

export function u32(value: number): number[] {
  return [...u16(value), ...u16(value >>> 16)]
}

export function u64(value: number): number[] {
  return [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))]
}

/** A chunk with its padding. */
export function chunk(id: string, body: Uint8Array, byteLength = body.byteLength): Uint8Array {
  return bytesOf(id, u32(byteLength), body, body.byteLength % 2 === 1 ? [0] : [])
}

export interface FmtFields {
  readonly tag?: number
  readonly channels?: number
  readonly sampleRate?: number
  readonly byteRate?: number
  readonly blockAlign?: number
  readonly bits?: number
}

export function fmtBody(fields: FmtFields = {}): Uint8Array {
  const { tag = 1, channels = 2, sampleRate = 48_000, bits = 16 } = fields
  const { blockAlign = channels * Math.ceil(bits / 8) } = fields
  const { byteRate = sampleRate * blockAlign } = fields
  return bytesOf(u16(tag), u16(channels), u32(sampleRate), u32(byteRate), u16(blockAlign), u16(bits))
}

const GUID_TAIL = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71]

export function extensibleBody(fields: FmtFields, validBits: number, mask: number, tail = GUID_TAIL): Uint8Array {
  const plain = fmtBody({ ...fields, tag: 0xfffe })
  return bytesOf(plain, u16(22), u16(validBits), u32(mask), u16(fields.tag ?? 1), tail)
}

/** @param chunks all behind the form's name */
export function riff(...chunks: readonly Uint8Array[]): Uint8Array {
  const body = bytesOf('WAVE', ...chunks)
  return bytesOf('RIFF', u32(body.byteLength), body)
}

/** Sixteen bytes of audio: four frames of 16-bit stereo. */
export const SOUND = Uint8Array.from({ length: 16 }, (_, index) => index * 3)

export function parse(bytes: Uint8Array, salvage = false): WavFile {
  return parseWav(new ByteFile(bytes), { salvage })
}

export function refusalOf(operation: () => unknown): SwarmError {
  try {
    operation()
  } catch (error) {
    if (error instanceof SwarmError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Makes the file that a layout plans. */
export function assemble(layout: WavLayout, source: Uint8Array, audio: Uint8Array): Uint8Array {
  return bytesOf(
    ...layout.parts.map((part) => {
      if (part.kind === 'bytes') return part.bytes
      if (part.kind === 'audio') return audio
      return source.subarray(part.range.offset, part.range.offset + part.range.byteLength)
    })
  )
}
