import { type Chunk, rangeOf, show } from './chunk.ts'
import type { ByteRange } from './range-reader.ts'
import { wavUnsupported } from './wav-error.ts'
import type { WavScan } from './wav-scan.ts'

/** Bytes of chunks, before and after the audio together, that are taken over to another file at most. */
export const KEPT_BYTES_MAX = 64 * 1024 * 1024

/** What every file has anew, and filling. */
const NOT_KEPT = new Set(['ds64', 'fmt ', 'fact', 'data', 'JUNK', 'junk', 'PAD ', 'FLLR', 'filr'])

/** Gathers the chunks that are not audio, neighbours as one range. */
export class KeptChunks {
  readonly before: ByteRange[] = []
  readonly after: ByteRange[] = []
  #byteLength = 0

  /**
   * Takes a chunk, unless it is one that is written anew.
   * @param next where the chunk behind it begins
   * @throws SwarmError WAV_UNSUPPORTED for more than {@link KEPT_BYTES_MAX} in all, unless salvaging
   */
  add(scan: WavScan, side: 'before' | 'after', chunk: Chunk, next: number): void {
    if (NOT_KEPT.has(chunk.id)) return
    const range = rangeOf(chunk, next)
    const isTooMuch = this.#byteLength + range.byteLength > KEPT_BYTES_MAX
    if (isTooMuch && !scan.salvage) {
      const problem = `expected at most ${KEPT_BYTES_MAX} bytes of chunks beside the audio, but ${show(chunk.id)} goes beyond`
      throw wavUnsupported(scan.file.path, chunk.offset, `${problem}; with --salvage, it is left out`)
    }
    if (isTooMuch || chunk.isLong) {
      scan.notice(`at byte ${chunk.offset}, chunk ${show(chunk.id)} of ${chunk.byteLength} bytes is left out`)
      return
    }
    this.#byteLength += range.byteLength
    const ranges = this[side]
    const last = ranges.at(-1)
    // A range of odd length lacks its padding, which has to be put behind it.
    if (last !== undefined && last.offset + last.byteLength === range.offset && last.byteLength % 2 === 0) {
      ranges[ranges.length - 1] = { offset: last.offset, byteLength: last.byteLength + range.byteLength }
    } else ranges.push(range)
  }
}
