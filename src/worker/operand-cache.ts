import type { OperandChanges } from '../../protocols/lease/types.ts'
import { sizeClass } from '../domain/size-class.ts'
import { SwarmError } from '../errors.ts'
import { OperandChangeLog, type TellLater } from './operand-changes.ts'
import { OperandMemory, type OperandMemoryOptions } from './operand-memory.ts'
import { OperandQueue } from './operand-queue.ts'

/** Places (job and operand index) that one block remembers; of further ones nobody is told that the block is here. */
export const PLACES_PER_BLOCK_MAX = 1024

/** A block as a lease asks for it. */
export interface WantedBlock {
  /** Its hash, in hex. */
  readonly key: string
  readonly byteLength: number
  /** Operand indexes of the job at which this content stands. */
  readonly indexes: readonly number[]
}

/** A block in memory. `loading → here → gone`, or `loading → gone` when nobody waits for it any more or it failed. */
export interface CachedBlock {
  readonly key: string
  readonly byteLength: number
  /** At least `byteLength` long. */
  readonly buffer: SharedArrayBuffer
  readonly state: 'loading' | 'here' | 'gone'
}

/** What a lease was given: every block it asked for, in that order, each borrowed until {@link OperandCache.giveBack}. */
export interface Admission {
  readonly blocks: readonly CachedBlock[]
  /** Those among them that the caller must load now. */
  readonly missing: readonly CachedBlock[]
}

/** What {@link OperandCache} needs. */
export interface OperandCacheOptions extends Omit<OperandMemoryOptions, 'onRoom'> {
  /** Which blocks came and went since the last call. */
  readonly onChanges: (changes: OperandChanges) => void
  readonly tellLater?: TellLater
}

interface Block extends CachedBlock {
  state: 'loading' | 'here' | 'gone'
  borrowers: number
  placeCount: number
  readonly places: Map<string, Set<number>>
}

/**
 * Owns the operand blocks of this peer, within a limit of bytes. A lease gets room for all of its blocks at once or waits,
 * and those who wait are served in the order in which they came: two leases can never hold half of what each needs, and a
 * large one is not passed by small ones for ever. What nobody borrows goes when room is needed, least recently used first.
 */
export class OperandCache {
  readonly #bytesMax: number
  readonly #memory: OperandMemory
  readonly #changes: OperandChangeLog
  readonly #blocks = new Map<string, Block>()
  /** Blocks that are here and that nobody borrows, least recently used first. */
  readonly #idle = new Set<Block>()
  #idleBytes = 0
  readonly #queue = new OperandQueue<Admission>()
  #isClosed = false

  constructor(options: OperandCacheOptions) {
    this.#bytesMax = options.bytesMax
    this.#memory = new OperandMemory({ ...options, onRoom: () => this.#queue.retry() })
    this.#changes = new OperandChangeLog(options.onChanges, options.tellLater)
  }

  /** Bytes of all buffers; never above the limit. */
  get bytes(): number {
    return this.#memory.bytes
  }

  /** Leases that wait for room. */
  get waitingCount(): number {
    return this.#queue.length
  }

  /**
   * Borrows blocks for a lease, with room for those that are not here. Each key may be named once.
   * @throws SwarmError GRANT_TOO_LARGE when they can never fit; INPUT_MISMATCH when a block's length is not the one it has
   *   here; the reason of {@link OperandCache.close}; or the signal's reason
   */
  async admit(
    { jobId, blocks }: { jobId: string; blocks: readonly WantedBlock[] },
    { signal }: { signal: AbortSignal }
  ): Promise<Admission> {
    this.#checkSize(blocks)
    return this.#queue.wait(() => this.#tryAdmit(jobId, blocks), { signal })
  }

  /** @returns the block with this hash if it is here or being loaded; one that is here counts as used */
  find(key: string): CachedBlock | undefined {
    const block = this.#blocks.get(key)
    if (block !== undefined && this.#idle.delete(block)) this.#idle.add(block)
    return block
  }

  /** `loading → here`: its bytes are in the buffer and have the hash. */
  loaded(cached: CachedBlock): void {
    const block = this.#known(cached)
    if (block === undefined || block.state !== 'loading') return
    block.state = 'here'
    this.#notePlaces(block, true)
    this.#settle(block)
    this.#queue.retry()
  }

  /** `loading → gone`: a lease that asks for this block from now on loads it anew. The buffer stays taken. */
  abandon(cached: CachedBlock): void {
    const block = this.#known(cached)
    if (block?.state !== 'loading') return
    block.state = 'gone'
    this.#blocks.delete(block.key)
  }

  /** Takes the buffer of an abandoned block back, once nothing writes to it any more. */
  reclaim({ buffer }: CachedBlock): void {
    this.#memory.give(buffer)
    this.#queue.retry()
  }

  /** Borrows a block that is here for as long as it is sent to another peer. @returns false when it has gone */
  lend(cached: CachedBlock): boolean {
    const block = this.#known(cached)
    if (block?.state !== 'here') return false
    this.#borrow(block)
    return true
  }

  /** A lease no longer needs this block. @returns how many borrowers are left */
  giveBack(cached: CachedBlock): number {
    const block = this.#known(cached)
    if (block === undefined) return 0
    this.#unborrow(block)
    this.#queue.retry()
    return block.borrowers
  }

  /** Nobody asks for this job's blocks any more: those of no other job go, now or when they are given back. */
  forgetJob(jobId: string): void {
    this.#changes.forgetJob(jobId)
    for (const block of this.#blocks.values()) {
      block.placeCount -= block.places.get(jobId)?.size ?? 0
      if (block.places.delete(jobId)) this.#settle(block)
    }
    this.#queue.retry()
  }

  /** Leaves the buffers that no block uses to the garbage collector. */
  trim(): void {
    this.#memory.trim()
  }

  /** Refuses all who wait and all who come. */
  close(reason: Error): void {
    this.#isClosed = true
    this.#queue.close(reason)
    for (const block of [...this.#idle]) this.#drop(block)
    this.#memory.trim()
  }

  #checkSize(wanted: readonly WantedBlock[]): void {
    const neededBytes = wanted.reduce((sum, { byteLength }) => sum + sizeClass(byteLength), 0)
    if (neededBytes <= this.#bytesMax) return
    throw new SwarmError(
      'GRANT_TOO_LARGE',
      `the grant needs ${neededBytes} bytes of operand blocks at once, and this peer may hold ${this.#bytesMax}: ` +
        'allow more with join --max-memory'
    )
  }

  /** All or nothing. @returns undefined when there is no room now */
  #tryAdmit(jobId: string, wanted: readonly WantedBlock[]): Admission | undefined {
    const absent = wanted.filter(({ key }) => !this.#blocks.has(key))
    const present = wanted.flatMap(({ key, byteLength }) => {
      const block = this.#blocks.get(key)
      if (block === undefined || block.byteLength === byteLength) return block ?? []
      const message = `a block of ${byteLength} bytes was granted that has ${block.byteLength} bytes here`
      throw new SwarmError('INPUT_MISMATCH', message)
    })
    for (const block of present) this.#borrow(block)
    const buffers = this.#takeBuffers(absent.map(({ byteLength }) => byteLength))
    if (buffers === undefined) {
      for (const block of present) this.#unborrow(block)
      return undefined
    }
    const missing = absent.map(({ key, byteLength }, index) => this.#add(key, byteLength, buffers[index]))
    const blocks = wanted.map(({ key, indexes }) => this.#place(key, jobId, indexes))
    return { blocks, missing }
  }

  #takeBuffers(byteLengths: readonly number[]): readonly SharedArrayBuffer[] | undefined {
    const neededBytes = byteLengths.reduce((sum, byteLength) => sum + sizeClass(byteLength), 0)
    // Nothing is evicted in vain.
    if (neededBytes > this.#bytesMax - this.#memory.takenBytes + this.#idleBytes) return undefined
    return this.#memory.takeAll(byteLengths, () => {
      const [oldest] = this.#idle
      if (oldest !== undefined) this.#drop(oldest)
      return oldest !== undefined
    })
  }

  #add(key: string, byteLength: number, buffer: SharedArrayBuffer | undefined): Block {
    if (buffer === undefined) throw new RangeError('a block has no buffer')
    const block: Block = { key, byteLength, buffer, state: 'loading', borrowers: 1, placeCount: 0, places: new Map() }
    this.#blocks.set(key, block)
    return block
  }

  #place(key: string, jobId: string, indexes: readonly number[]): Block {
    const block = this.#blocks.get(key)
    if (block === undefined) throw new RangeError(`the block ${key} was not admitted`)
    const places = block.places.get(jobId) ?? new Set()
    block.places.set(jobId, places)
    for (const index of indexes) {
      if (places.has(index) || block.placeCount >= PLACES_PER_BLOCK_MAX) continue
      places.add(index)
      block.placeCount += 1
      if (block.state === 'here') this.#changes.note(jobId, index, true)
    }
    return block
  }

  #borrow(block: Block): void {
    block.borrowers += 1
    if (this.#idle.delete(block)) this.#idleBytes -= block.buffer.byteLength
  }

  #unborrow(block: Block): void {
    block.borrowers -= 1
    this.#settle(block)
  }

  /** After a change: a block that is here and that nobody borrows is idle, or goes if it belongs to no job. */
  #settle(block: Block): void {
    if (block.state !== 'here' || block.borrowers > 0) return
    if (!this.#idle.has(block)) {
      this.#idle.add(block)
      this.#idleBytes += block.buffer.byteLength
    }
    if (block.places.size === 0 || this.#isClosed) this.#drop(block)
  }

  /** `here → gone` */
  #drop(block: Block): void {
    if (this.#idle.delete(block)) this.#idleBytes -= block.buffer.byteLength
    block.state = 'gone'
    this.#blocks.delete(block.key)
    this.#notePlaces(block, false)
    this.#memory.give(block.buffer)
  }

  #notePlaces(block: Block, isHere: boolean): void {
    for (const [jobId, indexes] of block.places) for (const index of indexes) this.#changes.note(jobId, index, isHere)
  }

  /** An abandoned block's hash may be in use by a newer block. */
  #known(cached: CachedBlock): Block | undefined {
    const block = this.#blocks.get(cached.key)
    return block === cached ? block : undefined
  }
}
