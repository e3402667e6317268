import { SwarmError } from '../errors.ts'
import type { PeerName } from './ids.ts'
import type { Chunk, JobSpec } from './job.ts'

/** The fixed grid that chunks are cut from: blocks of `blockBytes` from the file's start, the last of which may be short. */
export type Grid = Pick<JobSpec, 'inputBytes' | 'blockBytes' | 'reverse'>

/** Who the next cut is for. */
export interface CutWish {
  /** Wanted length, in bytes. */
  readonly byteLength: number
  /** Absent: for whoever comes, or for the submitter's own worker. */
  readonly peer?: PeerName | undefined
  /** What the claimant's memory has room for, in bytes; a cut whose footprint is more is of no use to it. */
  readonly roomBytes?: number | undefined
}

/** Cuts a job into chunks, each once and for good. Owned and driven by the lease table. */
export interface Cutter {
  /**
   * Whether the sink may have to keep results until those before them are here (as it seals in order), so that a window behind the
   * first byte that it has not consumed bounds memory. Else the bytes that are under way do, and a slow peer holds up nobody.
   */
  readonly inOrder: boolean
  /** Output bytes that were cut. */
  readonly cutBytes: number
  /** Bytes not cut yet. */
  readonly remainingBytes: number
  /** @returns what may be cut next, or undefined when all is cut. Cuts nothing. */
  next(wish: CutWish): Chunk | undefined
  /** Cuts a chunk that {@link Cutter.next} gave, with no other cut in between. */
  take(chunk: Chunk): void
  /** Bytes of memory that a worker needs for a chunk. */
  footprint(chunk: Chunk): number
}

/**
 * Cuts a job into chunks, in the order of its output: chunk 0 gives the first bytes of the result, which is the end of
 * the file when the job reverses. A cut is a run of blocks, follows the cut before without a gap, and is never cut again.
 *
 * Owns how far the output was cut; driven by the lease table.
 */
export class ChunkCutter implements Cutter {
  readonly inOrder = true
  readonly #grid: Grid
  #chunkCount = 0
  #cutBytes = 0

  /**
   * @param cut chunks of a former incarnation, by chunkIndex from 0 without gaps; cutting goes on behind them
   * @throws SwarmError JOURNAL_CORRUPT when `cut` does not lie on the grid
   */
  constructor(grid: Grid, cut: readonly Chunk[] = []) {
    if (!Number.isSafeInteger(grid.inputBytes) || grid.inputBytes < 1)
      throw new RangeError('inputBytes must be above 0')
    if (!Number.isSafeInteger(grid.blockBytes) || grid.blockBytes < 1)
      throw new RangeError('blockBytes must be above 0')
    this.#grid = grid
    for (const chunk of cut) this.#readmit(chunk)
  }

  /** Chunks cut so far; the next one has this chunkIndex. */
  get chunkCount(): number {
    return this.#chunkCount
  }

  /** Output bytes cut so far, which is the output offset of the next cut. */
  get cutBytes(): number {
    return this.#cutBytes
  }

  /** Bytes not cut yet. */
  get remainingBytes(): number {
    return this.#grid.inputBytes - this.#cutBytes
  }

  /** @returns the length that {@link ChunkCutter.cut} would give: whole blocks within `byteLength`, but at least one; 0 at the end. */
  measure(byteLength: number): number {
    return this.#runAfter(this.#cutBytes, byteLength)
  }

  next({ byteLength }: CutWish): Chunk | undefined {
    const chunkBytes = this.measure(byteLength)
    return chunkBytes === 0 ? undefined : this.#chunkAt(chunkBytes)
  }

  take(chunk: Chunk): void {
    this.#advance(chunk)
  }

  footprint({ inputBytes }: Chunk): number {
    return inputBytes
  }

  /** Cuts the next chunk of about `byteLength` bytes. @returns undefined when all is cut. */
  cut(byteLength: number): Chunk | undefined {
    const chunk = this.next({ byteLength })
    if (chunk !== undefined) this.take(chunk)
    return chunk
  }

  #chunkAt(chunkBytes: number): Chunk {
    const { inputBytes, reverse } = this.#grid
    return {
      chunkIndex: this.#chunkCount,
      inputOffset: reverse ? inputBytes - this.#cutBytes - chunkBytes : this.#cutBytes,
      inputBytes: chunkBytes,
      outputOffset: this.#cutBytes,
      outputBytes: chunkBytes
    }
  }

  /** Bytes of the run of blocks behind `outputOffset`; in reverse the run that holds the file's last block may be short. */
  #runAfter(outputOffset: number, byteLength: number): number {
    const { inputBytes, blockBytes, reverse } = this.#grid
    const remaining = inputBytes - outputOffset
    if (remaining <= 0) return 0
    const blocks = Math.max(1, Math.floor(byteLength / blockBytes))
    const firstBlockBytes = reverse ? ((remaining - 1) % blockBytes) + 1 : blockBytes
    return Math.min(remaining, firstBlockBytes + (blocks - 1) * blockBytes)
  }

  #readmit(chunk: Chunk): void {
    const expected = this.#chunkAt(chunk.inputBytes)
    const onGrid =
      chunk.inputBytes > 0 && this.#runAfter(this.#cutBytes, roundUp(chunk, this.#grid)) === chunk.inputBytes
    const same = (Object.keys(expected) as (keyof Chunk)[]).every((field) => expected[field] === chunk[field])
    if (!onGrid || !same) {
      throw new SwarmError(
        'JOURNAL_CORRUPT',
        `chunk ${chunk.chunkIndex} of the journal does not follow the chunk before it; start the job anew`
      )
    }
    this.#advance(chunk)
  }

  #advance(chunk: Chunk): void {
    this.#chunkCount++
    this.#cutBytes += chunk.outputBytes
  }
}

function roundUp(chunk: Chunk, grid: Grid): number {
  return Math.ceil(chunk.inputBytes / grid.blockBytes) * grid.blockBytes
}
