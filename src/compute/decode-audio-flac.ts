import { readUpTo } from './file-range.ts'

/** Longest header of a frame. @see RFC 9639, 9.1 */
const HEADER_BYTES_MAX = 16

/** The mark and the block that says what sound follows. */
const STREAMINFO_END = 42
const LAST_BLOCK = 0x80
/** More blocks of metadata than any program writes. */
const BLOCKS_MAX = 10_000

/**
 * Finds the first frame behind the metadata, whose pictures a decoder would gather in pieces.
 *
 * @param start of the mark `fLaC` in the file
 * @returns mark and STREAMINFO alone, and where frames start; undefined when the metadata is odd
 * @throws SwarmError INPUT_UNREADABLE
 */
export function skipFlacMetadata(
  path: string,
  descriptor: number,
  start: number
): { readonly before: Uint8Array; readonly start: number } | undefined {
  const before = new Uint8Array(STREAMINFO_END)
  if (readUpTo(descriptor, before, start, path) < STREAMINFO_END || ((before[4] as number) & 127) !== 0)
    return undefined
  const header = new Uint8Array(4)
  let offset = start + 4
  for (let count = 0; count < BLOCKS_MAX; count += 1) {
    if (readUpTo(descriptor, header, offset, path) < 4) return undefined
    const [kind, high, middle, low] = header as unknown as [number, number, number, number]
    offset += 4 + ((high << 16) | (middle << 8) | low)
    if ((kind & LAST_BLOCK) === 0) continue
    before[4] = LAST_BLOCK
    return { before, start: offset }
  }
  return undefined
}

/**
 * Cuts native FLAC anew, so that no piece ends within the header of a frame: audio-decode 3.12.0 overlooks such a header, and
 * with it the whole frame.
 */
export async function* cutOutsideHeaders(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array = new Uint8Array(0)
  for await (const piece of source) {
    const bytes = join(kept, piece)
    const cut = findCut(bytes)
    if (cut > 0) yield bytes.subarray(0, cut)
    kept = bytes.subarray(cut)
  }
  if (kept.byteLength > 0) yield kept
}

/** Undoes the scaling of audio-decode, 1 / (2^(bits − 1) − 1), in favour of that of WAV, 1 / 2^(bits − 1): exact up to 24 bits. */
export function rescaleSamples(samples: Float32Array, bits: number): void {
  const fullScale = 2 ** (bits - 1)
  const given = fullScale - 1
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = Math.round((samples[index] as number) * given) / fullScale
  }
}

/** Before the first sync code that is so close to the end that its header may be cut. */
function findCut(bytes: Uint8Array): number {
  const end = bytes.byteLength
  for (let index = Math.max(0, end - HEADER_BYTES_MAX); index < end; index += 1) {
    if (bytes[index] !== 0xff) continue
    if (index + 1 === end || ((bytes[index + 1] as number) & 0xfe) === 0xf8) return index
  }
  return end
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.byteLength === 0) return other
  const bytes = new Uint8Array(one.byteLength + other.byteLength)
  bytes.set(one)
  bytes.set(other, one.byteLength)
  return bytes
}
