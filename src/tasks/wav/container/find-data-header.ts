import { CHUNK_HEADER_BYTES } from './chunk.ts'
import { type WavScan, WINDOW_BYTES } from './wav-scan.ts'

/** Bytes that are searched at most; what lies before audio is seldom longer. */
export const DATA_SEARCH_BYTES = 1024 * 1024

/** @returns where the next "data" begins, at or behind `start`, with room for a length; undefined when there is none near */
export function findDataHeader(scan: WavScan, start: number): number | undefined {
  const end = Math.min(start + DATA_SEARCH_BYTES, scan.file.byteLength)
  for (let offset = start; end - offset >= CHUNK_HEADER_BYTES; offset += WINDOW_BYTES - CHUNK_HEADER_BYTES + 1) {
    const bytes = scan.bytes(offset, Math.min(WINDOW_BYTES, end - offset))
    for (let index = 0; index + CHUNK_HEADER_BYTES <= bytes.byteLength; index++) {
      const isData =
        bytes[index] === 0x64 && bytes[index + 1] === 0x61 && bytes[index + 2] === 0x74 && bytes[index + 3] === 0x61
      if (isData) return offset + index
    }
  }
  return undefined
}
