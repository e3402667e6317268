import type { Cutter } from './chunk-cutter.ts'
import type { PeerName } from './ids.ts'
import type { Chunk, LocalPolicy } from './job.ts'
import type { JournalChunk } from './journal.ts'
import { LOCAL_ATTEMPTS_MAX, LOCAL_ATTEMPTS_MIN, LOCAL_PEERS_MIN, QUEUE_LOOK_MAX } from './lease-limits.ts'
import type { Lease } from './lease-live.ts'
import { LeaseQueue } from './lease-queue.ts'
import type { ChunkState } from './lease-types.ts'

/** A cut chunk with its state. `leases` are the live ones. */
export interface ChunkEntry {
  readonly chunk: Chunk
  state: ChunkState
  epoch: number
  attempts: number
  readonly leases: Lease[]
  /** Distinct peers that failed it, up to {@link LOCAL_PEERS_MIN}. */
  readonly failedPeers: PeerName[]
  requeuedAtMs: number | undefined
  /** Whether the sink let go of its bytes, so that they take no memory. */
  consumed: boolean
}

/** What a claimant can take. */
export interface ChunkWish {
  /** `peer` skips chunks that peers gave up on; `local` takes any; `given-up` only those. */
  readonly by: 'peer' | 'local' | 'given-up'
  readonly chunkBytes: number
  /** Absent for the submitter's own worker. */
  readonly peer?: PeerName | undefined
  /** What the claimant's memory has room for now, in bytes. */
  readonly roomBytes: number
  /** Bytes that may still be leased, in bytes. */
  readonly leasableBytes: number
}

/**
 * Owns the chunks of one job and the state of each, the queue of pending ones, and the window that bounds
 * what may be under way: behind the first byte that the sink has not consumed, or any bytes of a job whose output has no
 * order. Driven by the lease table; each method names its edge.
 */
export class LeaseChunks {
  readonly #entries: ChunkEntry[] = []
  readonly #cutter: Cutter
  readonly #queue = new LeaseQueue()
  readonly #givenUp = new LeaseQueue()
  readonly #windowBytes: () => number
  readonly #local: LocalPolicy
  readonly #counts = tally()
  readonly #bytes = tally()
  /** Index of the first chunk that is not consumed. */
  #head = 0
  /** Bytes of placed chunks that the sink let go of. */
  #consumedBytes = 0

  /** @param cutter that has cut the `restored` chunks already */
  constructor(cutter: Cutter, windowBytes: () => number, local: LocalPolicy, restored: readonly JournalChunk[]) {
    this.#cutter = cutter
    this.#windowBytes = windowBytes
    this.#local = local
    for (const { epoch, attempts, merged, ...chunk } of restored) {
      const entry = this.#add(bareChunk(chunk), merged === undefined ? 'pending' : 'merged', epoch, attempts)
      if (merged === undefined) this.#queue.push(chunk.chunkIndex, chunk.chunkIndex)
      else entry.consumed = true
    }
    this.#advanceHead()
  }

  get count(): number {
    return this.#entries.length
  }

  /** Whether a peer could be given a queued chunk or a fresh cut, the window aside. */
  get hasWork(): boolean {
    return this.#queue.size > 0 || this.#cutter.remainingBytes > 0
  }

  /** Whether a peer could be given something now. */
  get hasGrantable(): boolean {
    const first = this.#entries[this.#queue.peek()?.item ?? -1]
    if (first !== undefined && this.isNear(first.chunk, 1)) return true
    const next = this.#cutter.next({ byteLength: 1 })
    return next !== undefined && this.isNear(next, 1)
  }

  get head(): ChunkEntry | undefined {
    return this.#entries[this.#head]
  }

  get uncutBytes(): number {
    return this.#cutter.remainingBytes
  }

  get(chunkIndex: number): ChunkEntry | undefined {
    return this.#entries[chunkIndex]
  }

  /** The entry of a chunk that a lease names. */
  of(lease: Lease): ChunkEntry {
    const entry = this.#entries[lease.chunk.chunkIndex]
    if (entry === undefined) throw new RangeError(`lease ${lease.leaseNumber} names a chunk that was never cut`)
    return entry
  }

  chunksIn(state: ChunkState): number {
    return this.#counts[state]
  }

  bytesIn(state: ChunkState): number {
    return this.#bytes[state]
  }

  /** @returns a pending chunk for the claimant, still pending: the queue's lowest, else a fresh cut. */
  next(wish: ChunkWish): ChunkEntry | undefined {
    if (wish.by === 'peer') return this.#nextQueued(wish) ?? this.#nextCut(wish)
    const givenUp = this.#givenUp.peek()?.item
    const queued = wish.by === 'local' ? this.#queue.peek()?.item : undefined
    const lowest = Math.min(givenUp ?? Number.POSITIVE_INFINITY, queued ?? Number.POSITIVE_INFINITY)
    const entry = this.#entries[lowest]
    if (entry !== undefined) return this.#suits(entry.chunk, wish) ? entry : undefined
    return wish.by === 'local' ? this.#nextCut(wish) : undefined
  }

  /** `pending → leased`, and `leased → leased` twice for a backup copy. @param epoch of this grant */
  lease(entry: ChunkEntry, lease: Lease): void {
    entry.leases.push(lease)
    entry.epoch = Math.max(entry.epoch, lease.epoch)
    this.#unqueue(entry)
    if (entry.state === 'pending') this.#move(entry, 'leased')
  }

  /** `leased → verifying`: a result is here whole. */
  receive(entry: ChunkEntry): void {
    if (entry.state === 'leased') this.#move(entry, 'verifying')
  }

  /**
   * `leased → pending`, `verifying → pending`: a live lease ended without a result; with another one live the chunk stays
   * leased.
   * @param failedBy the peer whose failed attempt this was
   * @returns whether the chunk went back to the queue
   */
  release(entry: ChunkEntry, lease: Lease, nowMs: number, failedBy?: PeerName): boolean {
    entry.leases.splice(entry.leases.indexOf(lease), 1)
    if (failedBy !== undefined) noteAttempt(entry, failedBy)
    if (entry.leases.length > 0) {
      this.#move(entry, entry.leases.some((other) => other.phase === 'received') ? 'verifying' : 'leased')
      return false
    }
    this.#move(entry, 'pending')
    entry.requeuedAtMs = nowMs
    const queue = this.#local === 'auto' && isGivenUp(entry) ? this.#givenUp : this.#queue
    queue.push(entry.chunk.chunkIndex, entry.chunk.chunkIndex)
    return true
  }

  /** `verifying → placed`, and from `leased` or `pending` for a late result. Its leases are over. */
  place(entry: ChunkEntry): void {
    entry.leases.length = 0
    this.#unqueue(entry)
    this.#move(entry, 'placed')
  }

  /** `placed → placed`: its bytes take no memory any more, so the window moves. */
  consume(entry: ChunkEntry): void {
    if (entry.consumed) return
    entry.consumed = true
    this.#consumedBytes += entry.chunk.outputBytes
    this.#advanceHead()
  }

  /** `placed → merged`: durable. */
  merge(entry: ChunkEntry): void {
    if (entry.state !== 'placed') return
    this.consume(entry)
    this.#consumedBytes -= entry.chunk.outputBytes
    this.#move(entry, 'merged')
  }

  /** `local → failed`: the submitter's own kernel fails on it. */
  fail(entry: ChunkEntry): void {
    this.#unqueue(entry)
    this.#move(entry, 'failed')
  }

  /** `any → cancelled`, merged ones aside. */
  cancel(): void {
    for (const entry of this.#entries) {
      if (entry.state === 'merged') continue
      this.#unqueue(entry)
      entry.leases.length = 0
      this.#move(entry, 'cancelled')
    }
  }

  /** Whether a chunk may be granted that far ahead; the one that all wait for always may. */
  isNear({ outputOffset, outputBytes }: Chunk, windows: number): boolean {
    const roomBytes = windows * this.#windowBytes()
    if (!this.#cutter.inOrder) return this.#isIdle || this.#underWayBytes + outputBytes <= roomBytes
    return outputOffset === this.frontierBytes || outputOffset + outputBytes <= this.frontierBytes + roomBytes
  }

  /** The queue's lowest that suits; those that do not are put back. Beyond the window none does. */
  #nextQueued(wish: ChunkWish): ChunkEntry | undefined {
    const passedOver: number[] = []
    let found: ChunkEntry | undefined
    while (passedOver.length < QUEUE_LOOK_MAX && found === undefined) {
      const entry = this.#entries[this.#queue.peek()?.item ?? -1]
      if (entry === undefined || !this.isNear(entry.chunk, 1)) break
      if (this.#suits(entry.chunk, wish)) found = entry
      else passedOver.push(entry.chunk.chunkIndex)
      this.#queue.pop()
    }
    for (const chunkIndex of passedOver) this.#queue.push(chunkIndex, chunkIndex)
    if (found !== undefined) this.#queue.push(found.chunk.chunkIndex, found.chunk.chunkIndex)
    return found
  }

  #nextCut(wish: ChunkWish): ChunkEntry | undefined {
    const byteLength = Math.min(wish.chunkBytes, wish.roomBytes, this.#windowBytes())
    const chunk = this.#cutter.next({ byteLength, peer: wish.peer, roomBytes: wish.roomBytes })
    if (chunk === undefined || !this.#suits(chunk, wish)) return undefined
    this.#cutter.take(chunk)
    return this.#add(chunk, 'pending', 0, 0)
  }

  #suits(chunk: Chunk, wish: ChunkWish): boolean {
    const fits = this.#cutter.footprint(chunk) <= wish.roomBytes && this.isNear(chunk, 1)
    return fits && (chunk.inputBytes <= wish.leasableBytes || this.#isAwaited(chunk))
  }

  /** Whether nothing can move before this chunk is done, so that no limit may hold it up. */
  #isAwaited({ outputOffset }: Chunk): boolean {
    return this.#cutter.inOrder ? outputOffset === this.frontierBytes : this.#isIdle
  }

  get #isIdle(): boolean {
    return this.#underWayBytes === 0
  }

  get #underWayBytes(): number {
    const { leased, verifying, placed } = this.#bytes
    return leased + verifying + placed - this.#consumedBytes
  }

  /** Output bytes before the first chunk that the sink has not let go of, where the output has an order. */
  get frontierBytes(): number {
    return this.#entries[this.#head]?.chunk.outputOffset ?? this.#cutter.cutBytes
  }

  #advanceHead(): void {
    while (this.#entries[this.#head]?.consumed) this.#head++
  }

  #unqueue(entry: ChunkEntry): void {
    this.#queue.remove(entry.chunk.chunkIndex)
    this.#givenUp.remove(entry.chunk.chunkIndex)
  }

  #add(chunk: Chunk, state: ChunkState, epoch: number, attempts: number): ChunkEntry {
    const fixed = { chunk, leases: [], failedPeers: [] }
    const entry: ChunkEntry = { ...fixed, state, epoch, attempts, requeuedAtMs: undefined, consumed: false }
    this.#entries.push(entry)
    this.#counts[state]++
    this.#bytes[state] += chunk.inputBytes
    return entry
  }

  #move(entry: ChunkEntry, state: ChunkState): void {
    this.#counts[entry.state]--
    this.#bytes[entry.state] -= entry.chunk.inputBytes
    entry.state = state
    this.#counts[state]++
    this.#bytes[state] += entry.chunk.inputBytes
  }
}

function noteAttempt(entry: ChunkEntry, failedBy: PeerName): void {
  entry.attempts++
  if (entry.failedPeers.length < LOCAL_PEERS_MIN && !entry.failedPeers.includes(failedBy)) {
    entry.failedPeers.push(failedBy)
  }
}

function isGivenUp(entry: ChunkEntry): boolean {
  const byMany = entry.attempts >= LOCAL_ATTEMPTS_MIN && entry.failedPeers.length >= LOCAL_PEERS_MIN
  return byMany || entry.attempts >= LOCAL_ATTEMPTS_MAX
}

function tally(): Record<ChunkState, number> {
  return { pending: 0, leased: 0, verifying: 0, placed: 0, merged: 0, failed: 0, cancelled: 0 }
}

/** A chunk without what the journal adds to it. */
export function bareChunk({ chunkIndex, inputOffset, inputBytes, outputOffset, outputBytes }: Chunk): Chunk {
  return { chunkIndex, inputOffset, inputBytes, outputOffset, outputBytes }
}
