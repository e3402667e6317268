import { cutOutsideHeaders, rescaleSamples } from './decode-audio-flac.ts'
import type { AudioFormat } from './decode-audio-sniff.ts'

/** One run of decoded sound. */
export interface DecodedBlock {
  /** [channels][frames], full scale ±1. */
  readonly channelData: readonly Float32Array[]
  /** In Hz. */
  readonly sampleRate: number
}

/**
 * What the package audio-decode calls the formats that it is used for: those that it decodes in pieces, with the encoder's
 * delay and padding trimmed. The rest is left to the system's ffmpeg.
 */
const DECODERS: Readonly<Partial<Record<AudioFormat, string>>> = {
  flac: 'flac',
  oggflac: 'flac',
  mp3: 'mp3',
  ogg: 'oga',
  opus: 'opus',
  m4a: 'm4a',
  mp4: 'mp4',
  mov: 'mov',
  webm: 'webm',
  mkv: 'mkv',
  aac: 'aac',
  aiff: 'aiff'
}

/** Float32 does not hold samples of more bits. */
const RESCALED_BITS_MAX = 24

/** Whether {@link decodeWithPackage} takes a format. */
export function isDecodedByPackage(format: AudioFormat): boolean {
  return DECODERS[format] !== undefined
}

/**
 * Decodes a stream of bytes, block by block. Codecs are loaded when they are needed.
 *
 * @param bits of one sample, for FLAC
 * @throws Error of the package's own for what it cannot decode, RangeError when it does not take the format at all
 */
export async function* decodeWithPackage(
  format: AudioFormat,
  source: AsyncIterable<Uint8Array>,
  bits: number | undefined
): AsyncGenerator<DecodedBlock> {
  const name = DECODERS[format]
  if (name === undefined) throw new RangeError(`audio-decode is not used for ${format}`)
  const { decodeChunked } = await import('audio-decode')
  const pieces = format === 'flac' ? cutOutsideHeaders(source) : source
  const rescales = (format === 'flac' || format === 'oggflac') && bits !== undefined && bits <= RESCALED_BITS_MAX
  for await (const block of decodeChunked(pieces, name as Parameters<typeof decodeChunked>[1])) {
    if (rescales) for (const samples of block.channelData) rescaleSamples(samples, bits)
    yield block
  }
}
