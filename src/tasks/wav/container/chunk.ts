import type { ByteRange } from './range-reader.ts'
import { wavMalformed } from './wav-error.ts'
import type { WavScan } from './wav-scan.ts'

/** Chunks that are walked at most, in a whole file. */
export const CHUNKS_MAX = 10_000
/** Bytes of a chunk's name and length. */
export const CHUNK_HEADER_BYTES = 8
/** Length that says: look into ds64, or nobody knows. */
export const LENGTH_UNKNOWN = 0xffff_ffff

/** Lengths that do not fit in 32 bits, of an RF64 or BW64 file. */
export interface LongLengths {
  /** Of everything behind the file's first eight bytes. */
  readonly riffBytes: number
  readonly dataBytes: number
  /** Of the audio; 0 where nobody says. */
  readonly frames: number
  /** Of other chunks, by name. */
  readonly others: ReadonlyMap<string, number>
}

/** A chunk as its header has it. */
export interface Chunk {
  readonly id: string
  /** Of its header. */
  readonly offset: number
  /** Of what it holds. */
  readonly bodyOffset: number
  /** Of what it holds, without padding, as it says; for all that is known, the file is shorter. */
  readonly byteLength: number
  /** Whether the length comes of ds64. */
  readonly isLong: boolean
}

const KNOWN_IDS = new Set(
  'fmt fact data LIST bext cue iXML JUNK junk PAD FLLR smpl inst acid axml chna cart levl peak PEAK id3 ID3 _PMX plst labl note DISP umid minf elm1 regn ovwf link aXML SAUR afsp'
    .split(' ')
    .map((id) => id.padEnd(4))
)

/** @returns whether this chunk name is one that WAV files are known to hold */
export function isKnownId(id: string): boolean {
  return KNOWN_IDS.has(id)
}

/** @param offset of a header that the file has whole */
export function readChunk(scan: WavScan, offset: number, long: LongLengths | undefined): Chunk {
  const id = scan.id(offset)
  const shortLength = scan.uint32(offset + 4)
  const longLength = id === 'data' ? long?.dataBytes : long?.others.get(id)
  const isLong = shortLength === LENGTH_UNKNOWN && longLength !== undefined
  const byteLength = isLong ? longLength : shortLength
  return { id, offset, bodyOffset: offset + CHUNK_HEADER_BYTES, byteLength, isLong }
}

/** @returns whether a chunk's name can be one: four printable characters of ASCII, the first no space */
export function isChunkId(id: string): boolean {
  return /^[!-~][ -~]{3}$/.test(id)
}

/** @returns whether a chunk may begin here: a proper name, and a length within the file */
export function isChunkAt(scan: WavScan, offset: number, long: LongLengths | undefined): boolean {
  if (!scan.has(offset, CHUNK_HEADER_BYTES)) return false
  const chunk = readChunk(scan, offset, long)
  return isChunkId(chunk.id) && (chunk.id === 'data' || scan.has(chunk.bodyOffset, chunk.byteLength))
}

/**
 * Finds where the next chunk begins. A chunk of odd length has a byte of padding behind it, but some writers forget it.
 * @returns offset of the next header, or of the file's end
 */
export function offsetBehind(scan: WavScan, chunk: Chunk, long: LongLengths | undefined): number {
  const end = chunk.bodyOffset + chunk.byteLength
  const padded = end + (chunk.byteLength % 2)
  if (padded === end || !scan.has(end, 1)) return end
  if (!scan.has(end, CHUNK_HEADER_BYTES)) return padded
  const isHere = isChunkAt(scan, end, long)
  if (!isHere) return padded
  const isThere = isChunkAt(scan, padded, long)
  if (isThere && (isKnownId(scan.id(padded)) || !isKnownId(scan.id(end)))) return padded
  scan.notice(`at byte ${end}, expected a byte of padding behind chunk ${show(chunk.id)}, but found the next chunk`)
  return end
}

/** @returns a chunk's name for messages, whatever bytes it is of */
export function show(id: string): string {
  if (isChunkId(id)) return `"${id}"`
  return `bytes ${Array.from(id, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')}`
}

/** @throws SwarmError WAV_MALFORMED for more than {@link CHUNKS_MAX} chunks */
export function checkChunkCount(scan: WavScan, count: number, offset: number): void {
  if (count <= CHUNKS_MAX) return
  throw wavMalformed(scan.file.path, offset, `expected at most ${CHUNKS_MAX} chunks before it, but found more`)
}

/** @returns where a chunk lies, with header and what padding it has */
export function rangeOf(chunk: Chunk, next: number): ByteRange {
  return { offset: chunk.offset, byteLength: next - chunk.offset }
}
