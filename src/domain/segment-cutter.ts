import { SwarmError } from '../errors.ts'
import type { SegmentGrid } from '../tasks/wav/segments/segment-grid.ts'
import type { Cutter, CutWish } from './chunk-cutter.ts'
import type { Chunk } from './job.ts'

/**
 * Cuts a job into runs of segments, in order, pass by pass: a pass is cut once the one before has given what it needs.
 *
 * Owns how far the output was cut and which passes are open; driven by the lease table.
 */
export class SegmentCutter implements Cutter {
  /** Results go to their places as they come. */
  readonly inOrder = false
  readonly #grid: SegmentGrid
  readonly #inputBytes: (chunk: Chunk) => number
  #openPasses = 1
  #chunkCount = 0
  #cutBytes = 0

  /**
   * @param inputBytes about how many bytes a chunk reads
   * @param cut chunks of a former incarnation, by chunkIndex from 0 without gaps; cutting goes on behind them
   * @throws SwarmError JOURNAL_CORRUPT when `cut` does not lie on the grid
   */
  constructor(grid: SegmentGrid, inputBytes: (chunk: Chunk) => number, cut: readonly Chunk[] = []) {
    this.#grid = grid
    this.#inputBytes = inputBytes
    for (const chunk of cut) this.#readmit(chunk)
  }

  get cutBytes(): number {
    return this.#cutBytes
  }

  get remainingBytes(): number {
    return this.#grid.byteLength - this.#cutBytes
  }

  /** Passes that may be cut. */
  get openPasses(): number {
    return this.#openPasses
  }

  /** The passes so far are done: the next one may be cut. */
  openNext(): void {
    this.#openPasses += 1
  }

  next({ byteLength, roomBytes = Number.POSITIVE_INFINITY }: CutWish): Chunk | undefined {
    if (this.#cutBytes >= this.#openBytes) return undefined
    let chunk = this.#chunkAt(this.#grid.runBytes(this.#cutBytes, byteLength))
    while (this.footprint(chunk) > roomBytes) {
      const shorter = this.#grid.runBytes(this.#cutBytes, chunk.outputBytes / 2)
      if (shorter === chunk.outputBytes) break
      chunk = this.#chunkAt(shorter)
    }
    return chunk
  }

  take(chunk: Chunk): void {
    this.#chunkCount++
    this.#cutBytes += chunk.outputBytes
  }

  /**
   * What it reads and what it gives. NaN while the chunk's pass is not open, which fits no room, not even the endless one of
   * the submitter's own worker: a former incarnation may have cut such chunks, but what they read is not there yet, and whoever
   * waited for that could not do what it waits for.
   */
  footprint(chunk: Chunk): number {
    if (chunk.outputOffset >= this.#openBytes) return Number.NaN
    return this.#inputBytes(chunk) + chunk.outputBytes
  }

  /** Bytes of the passes that are open. */
  get #openBytes(): number {
    return this.#grid.passOffset(Math.min(this.#openPasses, this.#grid.passCount))
  }

  #chunkAt(byteLength: number): Chunk {
    const offset = this.#cutBytes
    const output = { outputOffset: offset, outputBytes: byteLength }
    return { chunkIndex: this.#chunkCount, inputOffset: offset, inputBytes: byteLength, ...output }
  }

  #readmit(chunk: Chunk): void {
    const expected = this.#chunkAt(chunk.outputBytes)
    const isSame = (Object.keys(expected) as (keyof Chunk)[]).every((field) => expected[field] === chunk[field])
    if (!isSame || !this.#isRun(chunk)) {
      const message = `chunk ${chunk.chunkIndex} of the journal is no run of the job's segments; start the job anew`
      throw new SwarmError('JOURNAL_CORRUPT', message)
    }
    this.take(chunk)
  }

  #isRun({ outputOffset, outputBytes }: Chunk): boolean {
    try {
      return this.#grid.runOf(outputOffset, outputBytes).count > 0
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }
}
