/** Format tags of what is read, and of where to look for the tag. */
export const FORMAT_PCM = 0x0001
export const FORMAT_FLOAT = 0x0003
export const FORMAT_EXTENSIBLE = 0xfffe

/** GUID of PCM and float sub-formats, without the two bytes of the format tag in front. */
export const SUB_FORMAT_TAIL: readonly number[] = [
  0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71
]
/** The same of Ambisonic B-format files. */
const AMBISONIC_TAIL: readonly number[] = [
  0x00, 0x00, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00
]

const CODECS: ReadonlyMap<number, string> = new Map([
  [0x0002, 'Microsoft ADPCM'],
  [0x0006, 'A-law'],
  [0x0007, 'mu-law'],
  [0x0010, 'OKI ADPCM'],
  [0x0011, 'IMA ADPCM'],
  [0x0016, 'G.723 ADPCM'],
  [0x0031, 'GSM 6.10'],
  [0x0040, 'G.721 ADPCM'],
  [0x0045, 'G.726 ADPCM'],
  [0x0050, 'MPEG layer 1 or 2'],
  [0x0055, 'MP3'],
  [0x0092, 'AC-3 over S/PDIF'],
  [0x00ff, 'AAC'],
  [0x0161, 'Windows Media Audio'],
  [0x0162, 'Windows Media Audio Professional'],
  [0x0163, 'Windows Media Audio lossless'],
  [0x2000, 'AC-3'],
  [0x2001, 'DTS'],
  [0x566f, 'Vorbis'],
  [0x674f, 'Vorbis'],
  [0xf1ac, 'FLAC']
])

/** @param guid 16 bytes. @returns its format tag, and whether it is Ambisonic; undefined for any other GUID */
export function subFormat(guid: Uint8Array): { readonly tag: number; readonly isAmbisonic: boolean } | undefined {
  const tag = (guid[0] as number) + (guid[1] as number) * 256
  if (SUB_FORMAT_TAIL.every((byte, index) => byte === guid[index + 2])) return { tag, isAmbisonic: false }
  if (AMBISONIC_TAIL.every((byte, index) => byte === guid[index + 2])) return { tag, isAmbisonic: true }
  return undefined
}

/** @returns a codec's name for messages, with its tag */
export function codecName(tag: number): string {
  const hex = `format 0x${tag.toString(16).padStart(4, '0')}`
  const name = CODECS.get(tag)
  return name === undefined ? hex : `${name} (${hex})`
}
