import type { SharedBuffers } from '../domain/shared-buffers.ts'
import type { TileGrid } from '../tasks/matrix/tile-grid.ts'

/** Bytes of operand blocks kept for serving, checks and this machine's own tiles. */
export const OPERAND_BLOCKS_BYTES_MAX = 28 * 1024 * 1024

/** A block in memory, for as long as it is used. */
export interface OperandBlock {
  readonly buffer: SharedArrayBuffer
  readonly byteLength: number
}

interface Kept extends OperandBlock {
  readonly index: number
  users: number
  readonly here: Promise<void>
}

/** Reads operands, each into its buffer. */
export type LoadOperands = (operands: readonly { index: number; buffer: SharedArrayBuffer }[]) => Promise<void>

/**
 * Owns one job's operand blocks in memory: the same bytes serve peers, checks and this machine's own kernels. What nobody
 * uses goes least recently used first. Only what is in use at once may exceed the limit.
 */
export class OperandBlocks {
  readonly #grid: TileGrid
  readonly #load: LoadOperands
  readonly #buffers: SharedBuffers
  readonly #bytesMax: number
  /** Oldest use first. */
  readonly #kept = new Map<number, Kept>()
  #bytes = 0
  #isClosed = false

  constructor(grid: TileGrid, load: LoadOperands, buffers: SharedBuffers, bytesMax: number = OPERAND_BLOCKS_BYTES_MAX) {
    this.#grid = grid
    this.#load = load
    this.#buffers = buffers
    this.#bytesMax = bytesMax
  }

  /** Bytes of all blocks that are here. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether the operand is here or being read. */
  has(index: number): boolean {
    return this.#kept.has(index)
  }

  /** The job has ended: blocks go as soon as nobody uses them. */
  close(): void {
    this.#isClosed = true
    this.#evict(0)
  }

  /** Brings blocks here and keeps them until `use` has settled. @throws what loading throws */
  async with<Value>(
    indexes: readonly number[],
    use: (blocks: readonly OperandBlock[]) => Promise<Value> | Value
  ): Promise<Value> {
    const blocks = this.#take(indexes)
    const byIndex = new Map(blocks.map((block) => [block.index, block]))
    try {
      await Promise.all(blocks.map(({ here }) => here))
      return await use(indexes.map((index) => byIndex.get(index) ?? absent(index)))
    } finally {
      for (const block of blocks) block.users--
      this.#evict(this.#isClosed ? 0 : this.#bytesMax)
    }
  }

  #take(indexes: readonly number[]): readonly Kept[] {
    const wanted = [...new Set(indexes)]
    const missing = wanted.filter((index) => !this.#kept.has(index))
    // In use before room is made for the others.
    for (const index of wanted) this.#use(index)
    const loading = missing.map((index) => ({ index, buffer: this.#takeBuffer(this.#grid.operand(index).byteLength) }))
    const here = loading.length === 0 ? Promise.resolve() : this.#load(loading)
    // Each user of a block that cannot be loaded is told; it is read anew for the next.
    here.catch(() => {
      for (const { index, buffer } of loading) {
        this.#kept.delete(index)
        // What failed may still be writing to it.
        this.#bytes -= buffer.byteLength
      }
    })
    for (const { index, buffer } of loading) {
      const { byteLength } = this.#grid.operand(index)
      this.#kept.set(index, { index, buffer, byteLength, users: 1, here })
    }
    return wanted.map((index) => this.#kept.get(index) ?? absent(index))
  }

  #use(index: number): void {
    const block = this.#kept.get(index)
    if (block === undefined) return
    this.#kept.delete(index)
    this.#kept.set(index, block)
    block.users++
  }

  #takeBuffer(byteLength: number): SharedArrayBuffer {
    this.#evict(this.#bytesMax - byteLength)
    const buffer = this.#buffers.take(byteLength)
    this.#bytes += buffer.byteLength
    return buffer
  }

  /** Lets go of what is unused until the rest takes no more than this. */
  #evict(bytesMax: number): void {
    for (const [index, { buffer, users }] of this.#kept) {
      if (this.#bytes <= bytesMax) return
      if (users > 0) continue
      this.#kept.delete(index)
      this.#bytes -= buffer.byteLength
      this.#buffers.give(buffer)
    }
  }
}

function absent(index: number): never {
  throw new Error(`operand ${index} is not kept`)
}
