import type { PeerName } from './ids.ts'
import type { ChunkEntry } from './lease-chunks.ts'
import {
  BACKUP_AGE_MS_MIN,
  BACKUP_GAIN_MIN,
  BACKUP_LOOK_MAX,
  BACKUP_SHARE_MAX,
  OFFER_STUCK_MS
} from './lease-limits.ts'
import type { Lease } from './lease-live.ts'

/** An idle claimant, as a candidate for a backup copy. */
export interface BackupWish {
  readonly peer: PeerName | undefined
  readonly nowMs: number
  /** Longest chunk that fits into the claimant's memory now, in bytes. */
  readonly roomBytes: number
  /** How long the claimant would need for a chunk of this length, in ms. */
  readonly estimateMs: (inputBytes: number) => number
}

/**
 * Owns which chunks have one live lease only, and how much duplicate work was spent on backup copies. Driven by the
 * lease table.
 */
export class LeaseBackups {
  /** Leases that are their chunk's only one and still at work, oldest first. */
  readonly #lone = new Set<Lease>()
  /** Chunks whose copy is counted and still live. */
  readonly #copied = new Set<number>()
  readonly #budgetBytes: number
  #spentBytes = 0
  #granted = 0

  /** @param inputBytes of the whole job */
  constructor(inputBytes: number) {
    this.#budgetBytes = inputBytes * BACKUP_SHARE_MAX
  }

  /** Copies granted so far. */
  get granted(): number {
    return this.#granted
  }

  /** A lease of this chunk began, ended or changed. */
  update(entry: ChunkEntry): void {
    for (const lease of entry.leases) {
      if (entry.leases.length === 1 && lease.phase !== 'received') this.#lone.add(lease)
      else this.#lone.delete(lease)
    }
  }

  /** The lease ended. */
  drop(lease: Lease): void {
    this.#lone.delete(lease)
  }

  /**
   * @param head when given, only this chunk deserves a copy: all others wait for it
   * @returns the lease that deserves a copy by this claimant, if any does
   */
  choose(wish: BackupWish, head?: ChunkEntry): Lease | undefined {
    if (head !== undefined) return head.leases.find((lease) => this.#lone.has(lease) && this.#deserves(lease, wish))
    let looked = 0
    for (const lease of this.#lone) {
      if (++looked > BACKUP_LOOK_MAX) return undefined
      if (this.#deserves(lease, wish)) return lease
    }
    return undefined
  }

  /** A copy of this chunk was granted. */
  spend(entry: ChunkEntry): void {
    this.#copied.add(entry.chunk.chunkIndex)
    this.#spentBytes += entry.chunk.inputBytes
    this.#granted++
  }

  /** One of two leases ended without a result, so the other one is no duplicate work. */
  refund(entry: ChunkEntry): void {
    if (this.#copied.delete(entry.chunk.chunkIndex)) this.#spentBytes -= entry.chunk.inputBytes
  }

  /** The chunk is done: what was spent on it stays spent. */
  settle(entry: ChunkEntry): void {
    this.#copied.delete(entry.chunk.chunkIndex)
  }

  #deserves(lease: Lease, wish: BackupWish): boolean {
    const { inputBytes } = lease.chunk
    if (lease.peer === wish.peer || inputBytes > wish.roomBytes) return false
    if (wish.nowMs - lease.grantedAtMs < BACKUP_AGE_MS_MIN) return false
    if (this.#spentBytes > 0 && this.#spentBytes + inputBytes > this.#budgetBytes) return false
    return remainingMs(lease, wish.nowMs) >= BACKUP_GAIN_MIN * wish.estimateMs(inputBytes)
  }
}

/**
 * How long the holder will still need, in ms: what its estimate leaves, and once that is over what its progress says;
 * without any progress it counts as half done. A result on its way is as good as here unless it got stuck.
 */
function remainingMs(lease: Lease, nowMs: number): number {
  const elapsedMs = nowMs - lease.grantedAtMs
  if (lease.phase === 'offered') return nowMs - lease.progressAtMs < OFFER_STUCK_MS ? 0 : elapsedMs
  if (elapsedMs < lease.estimateMs) return lease.estimateMs - elapsedMs
  const totalBytes = 2 * lease.chunk.inputBytes + lease.chunk.outputBytes
  const doneShare = lease.progress > 0 ? Math.min(1, lease.progress / totalBytes) : 0.5
  return (elapsedMs * (1 - doneShare)) / doneShare
}
