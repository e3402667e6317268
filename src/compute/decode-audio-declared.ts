import { type AudioFormat, latin1, readMp3Header } from './decode-audio-sniff.ts'

/** What the beginning and the end of a file say of its sound, as far as they do. */
export interface DeclaredAudio {
  readonly channels?: number
  /** Frames that the whole file decodes to. */
  readonly frames?: number
  /** By how many frames fewer may come of a file that is whole. */
  readonly toleranceFrames?: number
  /** Bits of one sample, of lossless formats. */
  readonly bits?: number
  /** Why the built-in decoder must not see it. */
  readonly unsuitable?: string
  /** Why the file cannot be whole. */
  readonly damage?: string
}

/** Decoders may drop a frame that the tag is in, and their own delay where the file does not say how long it is. */
const MP3_TOLERANCE_FRAMES = { delaysKnown: 1152, delaysUnknown: 3 * 1152 } as const
const STREAMINFO_OFFSET = 8
const OGG_HEADER_BYTES = 27
const OGG_LAST_PAGE = 4

/**
 * Reads what a file declares of its sound.
 *
 * @param head first bytes, behind an ID3 tag
 * @param tail last bytes, of which Ogg's last page tells the length
 */
export function readDeclared(format: AudioFormat, head: Uint8Array, tail: Uint8Array): DeclaredAudio {
  switch (format) {
    case 'flac':
      return readStreamInfo(head, STREAMINFO_OFFSET)
    case 'mp3':
      return readXing(head)
    case 'aac':
      return { channels: ((head[2] ?? 0) & 1) * 4 + ((head[3] ?? 0) >> 6) }
    case 'ogg':
    case 'opus':
    case 'oggflac':
      return readOgg(format, head, tail)
    default:
      return {}
  }
}

/** @see RFC 9639, 8.2 */
function readStreamInfo(bytes: Uint8Array, offset: number): DeclaredAudio {
  if (offset + 18 > bytes.byteLength) return { damage: 'it ends within its STREAMINFO block' }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset)
  const shape = view.getUint32(10)
  const frames = (shape & 15) * 2 ** 32 + view.getUint32(14)
  const known = { channels: ((shape >> 9) & 7) + 1, bits: ((shape >> 4) & 31) + 1 }
  return frames === 0 ? known : { ...known, frames }
}

/** Frames that an Xing or Info tag declares, less the delay and the padding that LAME's part of it names. */
function readXing(head: Uint8Array): DeclaredAudio {
  const header = readMp3Header(head, 0)
  if (header === undefined) return {}
  const { channels, samples, sideBytes } = header
  const tag = 4 + sideBytes
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (!['Xing', 'Info'].includes(latin1(head, tag, 4)) || tag + 160 > head.byteLength) return { channels }
  const flags = view.getUint32(tag + 4)
  if ((flags & 1) === 0) return { channels }
  const lame = tag + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0)
  const delays = lame + 24 <= head.byteLength ? view.getUint32(lame + 20) & 0xffffff : 0
  const frames = view.getUint32(tag + 8) * samples - (delays >> 12) - (delays & 0xfff)
  const toleranceFrames = MP3_TOLERANCE_FRAMES[delays === 0 ? 'delaysUnknown' : 'delaysKnown']
  return { channels, frames: Math.max(0, frames), toleranceFrames }
}

/** @see RFC 3533, 6; RFC 7845, 5.1; Vorbis I specification, 4.2.2 */
function readOgg(format: 'ogg' | 'opus' | 'oggflac', head: Uint8Array, tail: Uint8Array): DeclaredAudio {
  const packet = OGG_HEADER_BYTES + (head[26] ?? 0)
  const last = findLastPage(tail, latin1(head, 14, 4))
  const ended = last !== undefined && (last.flags & OGG_LAST_PAGE) !== 0
  const missing = ended ? {} : { damage: 'its last page, which marks the end, is missing' }
  if (format === 'oggflac') return { ...readStreamInfo(head, packet + 17), ...missing }
  if (packet + 12 > head.byteLength) return missing
  if (format === 'ogg') return { channels: head[packet + 11] as number, ...missing }
  return { channels: head[packet + 9] as number, ...missing }
}

function findLastPage(tail: Uint8Array, serial: string): { flags: number } | undefined {
  for (let offset = tail.byteLength - OGG_HEADER_BYTES; offset >= 0; offset -= 1) {
    if (tail[offset] !== 0x4f || latin1(tail, offset, 4) !== 'OggS') continue
    if (latin1(tail, offset + 14, 4) === serial) return { flags: tail[offset + 5] as number }
  }
  return undefined
}
