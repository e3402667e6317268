/** What a file of sound may be, by its first bytes. A video file is named by its container. */
export type AudioFormat =
  | 'wav'
  | 'flac'
  | 'mp3'
  | 'ogg'
  | 'oggflac'
  | 'opus'
  | 'speex'
  | 'm4a'
  | 'mp4'
  | 'mov'
  | 'webm'
  | 'mkv'
  | 'aac'
  | 'aiff'
  | 'caf'
  | 'ac3'
  | 'amr'
  | 'au'
  | 'avi'
  | 'dts'
  | 'flv'
  | 'mp2'
  | 'mpeg'
  | 'w64'
  | 'wavpack'
  | 'wma'

/** Bytes that are enough to tell a format, behind an ID3 tag if there is one. */
export const SNIFF_BYTES = 4096

const ID3_HEADER_BYTES = 10
/** Kilobits per second of MPEG layer III by the header's index: MPEG 1, then MPEG 2 and 2.5. */
const MP3_KILOBITS = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
] as const
const MPEG1_RATES = [44_100, 48_000, 32_000] as const
const EBML = '\x1aE\xdf\xa3'
/** First bytes of formats that need no closer look. */
const MAGIC: readonly (readonly [string, AudioFormat])[] = [
  ['RF64', 'wav'],
  ['BW64', 'wav'],
  ['fLaC', 'flac'],
  ['caff', 'caf'],
  ['#!AMR', 'amr'],
  ['.snd', 'au'],
  ['FLV\x01', 'flv'],
  ['riff\x2e\x91\xcf\x11', 'w64'],
  ['wvpk', 'wavpack'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11', 'wma'],
  ['\x00\x00\x01\xba', 'mpeg'],
  ['\x0b\x77', 'ac3'],
  ['\x7f\xfe\x80\x01', 'dts']
]
const OGG_CODECS: readonly (readonly [string, AudioFormat])[] = [
  ['\x01vorbis', 'ogg'],
  ['OpusHead', 'opus'],
  ['\x7fFLAC', 'oggflac'],
  ['Speex   ', 'speex']
]
const MP4_BOXES = ['moov', 'mdat', 'wide', 'free', 'skip', 'pnot']

/** One frame header of MPEG layer III. */
export interface Mp3Header {
  readonly sampleRate: number
  readonly channels: 1 | 2
  /** Of the frame, header included; 0 when its rate is free. */
  readonly byteLength: number
  readonly samples: 576 | 1152
  /** Bytes between the header and an Xing or Info tag. */
  readonly sideBytes: number
}

/**
 * Tells what a file of sound is by its first bytes.
 * @param head the first {@link SNIFF_BYTES} of the file, or fewer if it is shorter; without an ID3 tag
 * @returns undefined when it is none that we know
 */
export function sniffAudio(head: Uint8Array): AudioFormat | undefined {
  const text = latin1(head, 0, 16)
  const known = MAGIC.find(([magic]) => text.startsWith(magic))
  if (known !== undefined) return known[1]
  if (text.startsWith('RIFF')) return { WAVE: 'wav', 'AVI ': 'avi' }[text.slice(8, 12)] as AudioFormat | undefined
  if (text.startsWith('FORM')) return ['AIFF', 'AIFC'].includes(text.slice(8, 12)) ? 'aiff' : undefined
  if (text.startsWith('OggS')) {
    const packet = latin1(head, 27 + (head[26] ?? 0), 8)
    return OGG_CODECS.find(([magic]) => packet.startsWith(magic))?.[1]
  }
  if (text.startsWith(EBML)) return latin1(head, 0, 64).includes('webm') ? 'webm' : 'mkv'
  if (text.slice(4, 8) === 'ftyp') return brandFormat(text.slice(8, 12))
  if (MP4_BOXES.includes(text.slice(4, 8))) return 'mov'
  return sniffMpeg(head)
}

/** Bytes of the ID3v2 tag at the beginning; 0 when there is none. @see https://id3.org/id3v2.4.0-structure */
export function id3ByteLength(head: Uint8Array): number {
  if (latin1(head, 0, 3) !== 'ID3' || head.byteLength < ID3_HEADER_BYTES) return 0
  const [a, b, c, d] = head.subarray(6, 10) as unknown as [number, number, number, number]
  const footer = ((head[5] as number) & 0x10) === 0 ? 0 : ID3_HEADER_BYTES
  return ID3_HEADER_BYTES + footer + (((a & 127) << 21) | ((b & 127) << 14) | ((c & 127) << 7) | (d & 127))
}

/**
 * Reads a frame header of MPEG 1, 2 or 2.5, layer III.
 * @returns undefined when there is none at `offset`
 * @see ISO/IEC 11172-3, 2.4.1.3
 */
export function readMp3Header(bytes: Uint8Array, offset: number): Mp3Header | undefined {
  if (offset + 4 > bytes.byteLength) return undefined
  const [sync, kind, rates, mode] = bytes.subarray(offset, offset + 4) as unknown as [number, number, number, number]
  const version = (kind >> 3) & 3
  if (sync !== 0xff || kind >> 5 !== 7 || version === 1 || ((kind >> 1) & 3) !== 1) return undefined
  const mpeg1 = version === 3
  const kilobits = MP3_KILOBITS[mpeg1 ? 0 : 1][rates >> 4]
  const baseRate = MPEG1_RATES[(rates >> 2) & 3]
  if (kilobits === undefined || baseRate === undefined) return undefined
  const sampleRate = baseRate / (mpeg1 ? 1 : version === 2 ? 2 : 4)
  const samples = mpeg1 ? 1152 : 576
  const padding = (rates >> 1) & 1
  const byteLength = kilobits === 0 ? 0 : Math.floor((samples * 125 * kilobits) / sampleRate) + padding
  const channels = mode >> 6 === 3 ? 1 : 2
  const sideBytes = mpeg1 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17
  return { sampleRate, channels, byteLength, samples, sideBytes }
}

/** Bytes as text, one character each. */
export function latin1(bytes: Uint8Array, start: number, count: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + count))
}

function brandFormat(brand: string): AudioFormat {
  if (brand === 'M4A ' || brand === 'M4B ') return 'm4a'
  return brand === 'qt  ' ? 'mov' : 'mp4'
}

/** A sync word alone is no proof, so that the next frame has to have one too, when it is within the head. */
function sniffMpeg(head: Uint8Array): AudioFormat | undefined {
  const header = readMp3Header(head, 0)
  if (header !== undefined) {
    const next = header.byteLength
    return next === 0 || next + 4 > head.byteLength || readMp3Header(head, next) !== undefined ? 'mp3' : undefined
  }
  const [sync = 0, kind = 0] = head
  if (sync !== 0xff) return undefined
  if ((kind & 0xf6) === 0xf0) return 'aac'
  return kind >= 0xf0 && ((kind >> 1) & 3) >= 2 ? 'mp2' : undefined
}
