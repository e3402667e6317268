import type { LeaseNumber, PeerName } from './ids.ts'
import type { Chunk } from './job.ts'
import {
  ENDED_LEASES_MAX,
  LEASE_TTL_FIRST_MS,
  LEASE_TTL_MS,
  PROGRESS_LIMIT_ESTIMATES,
  PROGRESS_LIMIT_MS
} from './lease-limits.ts'
import { LeaseQueue } from './lease-queue.ts'

/** One lease of one chunk. */
export interface Lease {
  readonly leaseNumber: LeaseNumber
  readonly chunk: Chunk
  /** `undefined` for the submitter's own worker, whose leases have no deadline. */
  readonly peer: PeerName | undefined
  readonly epoch: number
  readonly grantedAtMs: number
  readonly estimateMs: number
  /** `offered`: the result is on its way. `received`: it is here, so the holder's silence does not matter any more. */
  phase: 'working' | 'offered' | 'received'
  ttlMs: number
  heardAtMs: number
  progress: number
  progressAtMs: number
  /** What became of its result, once that is known. */
  verdict: 'none' | 'passed' | 'duplicate' | 'refused'
}

/** A lease whose time is over, and since when. */
export interface ExpiredLease {
  readonly lease: Lease
  readonly reason: 'ttl' | 'no-progress'
  readonly sinceMs: number
}

/**
 * Owns the live leases of one job with their deadlines, and a bounded memory of the ended ones. Driven by the lease
 * table.
 *
 * Deadlines only ever move back, so the queue holds each lease once, with a deadline that may be too early: it is
 * corrected when it comes up, and a heartbeat costs nothing here.
 */
export class LiveLeases {
  readonly #live = new Map<number, Lease>()
  readonly #ended = new Map<number, Lease>()
  readonly #deadlines = new LeaseQueue()
  #leasedBytes = 0

  get count(): number {
    return this.#live.size
  }

  /** Input bytes under live leases. */
  get leasedBytes(): number {
    return this.#leasedBytes
  }

  get(leaseNumber: number): Lease | undefined {
    return this.#live.get(leaseNumber)
  }

  /** An ended lease, as long as it is remembered. */
  ended(leaseNumber: number): Lease | undefined {
    return this.#ended.get(leaseNumber)
  }

  all(): readonly Lease[] {
    return [...this.#live.values()]
  }

  /** A fresh lease, or one that was over and begins anew. */
  open(lease: Lease): void {
    this.#ended.delete(lease.leaseNumber)
    this.#live.set(lease.leaseNumber, lease)
    this.#leasedBytes += lease.chunk.inputBytes
    if (lease.peer !== undefined) this.#deadlines.push(lease.leaseNumber, deadlineMs(lease))
  }

  end(lease: Lease): void {
    if (!this.#live.delete(lease.leaseNumber)) return
    this.#leasedBytes -= lease.chunk.inputBytes
    this.#deadlines.remove(lease.leaseNumber)
    this.#ended.set(lease.leaseNumber, lease)
    if (this.#ended.size <= ENDED_LEASES_MAX) return
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest)
      return
    }
  }

  /** A sign of life; the first one raises the time to live. */
  hear(lease: Lease, nowMs: number): void {
    lease.ttlMs = LEASE_TTL_MS
    lease.heardAtMs = Math.max(lease.heardAtMs, nowMs)
  }

  /** A sign of work. */
  advance(lease: Lease, nowMs: number, progress = lease.progress): void {
    lease.progress = Math.max(lease.progress, progress)
    lease.progressAtMs = Math.max(lease.progressAtMs, nowMs)
  }

  /** The result is here whole: no deadline any more. */
  receive(lease: Lease): void {
    lease.phase = 'received'
    this.#deadlines.remove(lease.leaseNumber)
  }

  /** No lease is over before this time; it may be a little early. `undefined`: nothing to wait for. */
  nextDeadlineMs(): number | undefined {
    return this.#deadlines.peek()?.order
  }

  /** Leases that are over at `nowMs`; the caller ends them. */
  expired(nowMs: number): readonly ExpiredLease[] {
    const expired: ExpiredLease[] = []
    for (let first = this.#deadlines.peek(); first && first.order <= nowMs; first = this.#deadlines.peek()) {
      this.#deadlines.pop()
      const lease = this.#live.get(first.item)
      if (lease === undefined) continue
      const dueMs = deadlineMs(lease)
      if (dueMs > nowMs) this.#deadlines.push(first.item, dueMs)
      else if (lease.heardAtMs + lease.ttlMs <= nowMs) expired.push({ lease, reason: 'ttl', sinceMs: lease.heardAtMs })
      else expired.push({ lease, reason: 'no-progress', sinceMs: lease.progressAtMs })
    }
    return expired
  }
}

/** A fresh lease, as it is granted. */
export function freshLease(
  of: Pick<Lease, 'leaseNumber' | 'chunk' | 'peer' | 'epoch' | 'grantedAtMs' | 'estimateMs'>
): Lease {
  return {
    ...of,
    phase: 'working',
    ttlMs: LEASE_TTL_FIRST_MS,
    heardAtMs: of.grantedAtMs,
    progress: 0,
    progressAtMs: of.grantedAtMs,
    verdict: 'none'
  }
}

function deadlineMs(lease: Lease): number {
  const progressLimitMs = Math.max(PROGRESS_LIMIT_MS, PROGRESS_LIMIT_ESTIMATES * lease.estimateMs)
  return Math.min(lease.heardAtMs + lease.ttlMs, lease.progressAtMs + progressLimitMs)
}
