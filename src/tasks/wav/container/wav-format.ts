import { CHANNELS_MAX, SAMPLE_BYTES, SAMPLE_RATE_MAX, SAMPLE_RATE_MIN, type SampleEncoding } from '../audio-format.ts'
import type { Chunk } from './chunk.ts'
import { codecName, FORMAT_EXTENSIBLE, FORMAT_FLOAT, FORMAT_PCM, subFormat } from './sub-format.ts'
import { wavMalformed, wavUnsupported } from './wav-error.ts'
import type { WavScan } from './wav-scan.ts'

const PLAIN_BYTES = 16
const EXTENSIBLE_BYTES = 40
const PCM_ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32']
const ADVICE = 'convert it first, for example with: ffmpeg -i IN.wav OUT.flac'

/** What a fmt chunk says of samples. */
export interface WavFormat {
  readonly encoding: SampleEncoding
  readonly channels: number
  readonly sampleRate: number
  /** Speaker positions of an extensible format, uint32; 0 names none. */
  readonly channelMask?: number
}

/** Offsets are relative to the chunk's body. */
interface Fields {
  readonly at: number
  readonly tag: number
  readonly tagAt: number
  readonly bits: number
}

/**
 * Reads a fmt chunk, plain or WAVE_FORMAT_EXTENSIBLE. Fewer valid bits than the container has are left-justified, and need no
 * handling.
 * @throws SwarmError WAV_MALFORMED for what cannot be; WAV_UNSUPPORTED for other codecs, sample rates and channel counts
 * @see Microsoft, "Multiple Channel Audio Data and WAVE Files"
 */
export function parseFormat(scan: WavScan, chunk: Chunk): WavFormat {
  const { path } = scan.file
  const at = chunk.bodyOffset
  if (chunk.byteLength < PLAIN_BYTES || !scan.has(at, chunk.byteLength)) {
    const problem = `expected chunk "fmt " to have at least ${PLAIN_BYTES} bytes and end within the file`
    throw wavMalformed(path, chunk.offset, `${problem}, but it says that it has ${chunk.byteLength}`)
  }
  const isExtensible = scan.uint16(at) === FORMAT_EXTENSIBLE
  if (isExtensible && chunk.byteLength < EXTENSIBLE_BYTES) {
    const problem = `expected an extensible format of ${EXTENSIBLE_BYTES} bytes, but it has ${chunk.byteLength}`
    throw wavMalformed(path, chunk.offset, problem)
  }
  const tag = isExtensible ? readSubFormat(scan, at + 24) : scan.uint16(at)
  const fields = { at, tag, tagAt: isExtensible ? at + 24 : at, bits: scan.uint16(at + 14) }
  const encoding = encodingOf(scan, fields)
  const channels = readChannels(scan, at + 2)
  const sampleRate = readSampleRate(scan, at + 4)
  checkFrameBytes(scan, fields, channels * SAMPLE_BYTES[encoding], sampleRate)
  if (!isExtensible) {
    if (fields.bits % 8 !== 0) noteValidBits(scan, fields.bits, encoding)
    return { encoding, channels, sampleRate }
  }
  const validBits = scan.uint16(at + 18)
  if (validBits > 0) noteValidBits(scan, Math.min(validBits, fields.bits), encoding)
  if (validBits > fields.bits) {
    scan.notice(`at byte ${at + 18}, it claims ${validBits} valid bits of ${fields.bits}; all are taken`)
  }
  return { encoding, channels, sampleRate, channelMask: scan.uint32(at + 20) }
}

function noteValidBits(scan: WavScan, validBits: number, encoding: SampleEncoding): void {
  const bits = SAMPLE_BYTES[encoding] * 8
  if (validBits !== bits) scan.notice(`its samples have ${validBits} valid bits of ${bits}`)
}

function readSubFormat(scan: WavScan, offset: number): number {
  const guid = scan.bytes(offset, 16)
  const found = subFormat(guid)
  if (found === undefined) {
    const hex = Array.from(guid, (byte) => byte.toString(16).padStart(2, '0')).join('')
    throw wavUnsupported(
      scan.file.path,
      offset,
      `expected PCM or float samples, but found sub-format ${hex}; ${ADVICE}`
    )
  }
  if (found.isAmbisonic) scan.notice('it is Ambisonic B-format; its channels are taken as they are')
  return found.tag
}

function encodingOf(scan: WavScan, { at, tag, tagAt, bits }: Fields): SampleEncoding {
  if (tag === FORMAT_PCM) {
    const encoding = PCM_ENCODINGS[Math.ceil(bits / 8) - 1]
    if (encoding !== undefined) return encoding
    if (bits === 0) throw wavMalformed(scan.file.path, at + 14, 'expected the bits of a sample, but found 0')
    throw wavUnsupported(scan.file.path, at + 14, `expected integers of at most 32 bits, but found ${bits}; ${ADVICE}`)
  }
  if (tag === FORMAT_FLOAT) {
    if (bits === 32) return 'f32'
    if (bits === 64) return 'f64'
    throw wavUnsupported(scan.file.path, at + 14, `expected floats of 32 or 64 bits, but found ${bits}; ${ADVICE}`)
  }
  const problem = `expected PCM or float samples, but found ${codecName(tag)}; ${ADVICE}`
  throw wavUnsupported(scan.file.path, tagAt, problem)
}

function readChannels(scan: WavScan, offset: number): number {
  const channels = scan.uint16(offset)
  const expected = `expected 1 to ${CHANNELS_MAX} channels, but found ${channels}`
  if (channels === 0) throw wavMalformed(scan.file.path, offset, expected)
  if (channels > CHANNELS_MAX) throw wavUnsupported(scan.file.path, offset, `${expected}; split it first`)
  return channels
}

function readSampleRate(scan: WavScan, offset: number): number {
  const sampleRate = scan.uint32(offset)
  const expected = `expected a sample rate of ${SAMPLE_RATE_MIN} to ${SAMPLE_RATE_MAX} Hz, but found ${sampleRate}`
  if (sampleRate === 0) throw wavMalformed(scan.file.path, offset, expected)
  if (sampleRate >= SAMPLE_RATE_MIN && sampleRate <= SAMPLE_RATE_MAX) return sampleRate
  throw wavUnsupported(scan.file.path, offset, `${expected}; resample it first`)
}

function checkFrameBytes(scan: WavScan, { at }: Fields, frameBytes: number, sampleRate: number): void {
  const blockAlign = scan.uint16(at + 12)
  if (blockAlign !== frameBytes) {
    const problem = `expected frames of ${frameBytes} bytes by channels and bits, but found a block align of ${blockAlign}`
    scan.fault(at + 12, problem, 'channels and bits are believed')
  }
  const byteRate = scan.uint32(at + 8)
  if (byteRate !== frameBytes * sampleRate) {
    scan.notice(`at byte ${at + 8}, expected ${frameBytes * sampleRate} bytes per second, but found ${byteRate}`)
  }
}
