import { CHUNK_HEADER_BYTES, type LongLengths, readChunk, show } from './chunk.ts'
import { wavMalformed } from './wav-error.ts'
import type { WavScan } from './wav-scan.ts'

/** Table entries of ds64 that are read; files have none or a few. */
export const LONG_CHUNKS_MAX = 1_000

/** Of riffSize, dataSize and sampleCount, which some writers end with. */
const FIXED_BYTES = 24
const ENTRY_BYTES = 12

/**
 * Reads the ds64 chunk, which is an RF64 or BW64 file's first one.
 * @param offset of its header
 * @returns its lengths; undefined when there is none and the file is salvaged
 * @throws SwarmError WAV_MALFORMED when there is none, or it is cut or too short
 * @see EBU Tech 3306, ITU-R BS.2088
 */
export function readLongLengths(scan: WavScan, offset: number): LongLengths | undefined {
  const chunk = scan.has(offset, CHUNK_HEADER_BYTES) ? readChunk(scan, offset, undefined) : undefined
  if (chunk?.id !== 'ds64') {
    const found = chunk === undefined ? 'the file ends' : `found ${show(chunk.id)}`
    scan.fault(offset, `expected chunk "ds64" with the long lengths, but ${found}`, 'it is read without')
    return undefined
  }
  const { bodyOffset, byteLength } = chunk
  if (byteLength < FIXED_BYTES || !scan.has(bodyOffset, byteLength)) {
    const problem = `expected chunk "ds64" to have at least ${FIXED_BYTES} bytes and end within the file`
    throw wavMalformed(scan.file.path, offset, `${problem}, but it says that it has ${byteLength}`)
  }
  const others = new Map<string, number>()
  const countOffset = bodyOffset + FIXED_BYTES
  const room = Math.floor((byteLength - FIXED_BYTES - 4) / ENTRY_BYTES)
  const count = room < 1 ? 0 : Math.min(room, scan.uint32(countOffset), LONG_CHUNKS_MAX)
  for (let index = 0; index < count; index++) {
    const entry = countOffset + 4 + index * ENTRY_BYTES
    others.set(scan.id(entry), scan.uint64(entry + 4))
  }
  return {
    riffBytes: scan.uint64(bodyOffset),
    dataBytes: scan.uint64(bodyOffset + 8),
    frames: scan.uint64(bodyOffset + 16),
    others
  }
}
