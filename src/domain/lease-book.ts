import { ChunkCutter } from './chunk-cutter.ts'
import type { PeerName } from './ids.ts'
import { LeaseBackups } from './lease-backups.ts'
import { bareChunk, type ChunkEntry, LeaseChunks } from './lease-chunks.ts'
import { freshLease, type Lease, LiveLeases } from './lease-live.ts'
import { LeasePeers } from './lease-peers.ts'
import type {
  LeaseCounters,
  LeaseGrant,
  LeaseTableOptions,
  Release,
  ReleaseCause,
  RevokedLease
} from './lease-types.ts'

/** Releases that tell nothing about the chunk. */
const NO_ATTEMPT: readonly ReleaseCause[] = ['shutdown', 'out-of-memory', 'input-unavailable', 'barred']

/** To whom a lease goes. */
export interface Grantee {
  /** `undefined` for the submitter's own worker. */
  readonly peer: PeerName | undefined
  readonly nowMs: number
  /** How long the grantee needs for this many bytes, what it already holds included, in ms. */
  readonly estimateMs: (inputBytes: number) => number
}

/**
 * Keeps the parts of a lease table in step: chunks, live leases, peers and backup copies. Each lease begins and ends
 * here and nowhere else. Driven by `LeaseClaims` (which begins them) and `LeaseTable` (which ends them).
 */
export class LeaseBook {
  readonly options: LeaseTableOptions
  readonly chunks: LeaseChunks
  readonly live = new LiveLeases()
  readonly peers = new LeasePeers()
  readonly backups: LeaseBackups
  /** True once the job failed or was cancelled. */
  closed = false
  duplicates = 0
  #releases = 0
  #peerSeenAtMs: number

  constructor(options: LeaseTableOptions) {
    this.options = options
    const restored = options.restored ?? []
    const cutter = options.cutter ?? new ChunkCutter(options.grid, restored.map(bareChunk))
    this.chunks = new LeaseChunks(cutter, options.windowBytes, options.local, restored)
    this.backups = new LeaseBackups(options.grid.inputBytes)
    this.#peerSeenAtMs = options.nowMs
  }

  /** Some peer is there. */
  seePeer(nowMs: number): void {
    this.#peerSeenAtMs = Math.max(this.#peerSeenAtMs, nowMs)
  }

  /** How long no peer was there, in ms. */
  peerlessMs(nowMs: number): number {
    return nowMs - this.#peerSeenAtMs
  }

  /** Begins a lease: epoch + 1. */
  grant(entry: ChunkEntry, to: Grantee): LeaseGrant {
    const { chunk, attempts, requeuedAtMs } = entry
    const backup = entry.leases.length > 0
    const lease = freshLease({
      leaseNumber: this.options.numbers.next(),
      chunk,
      peer: to.peer,
      epoch: entry.epoch + 1,
      grantedAtMs: to.nowMs,
      estimateMs: to.estimateMs(this.peers.leasedBytes(to.peer) + chunk.inputBytes)
    })
    this.open(entry, lease)
    const { leaseNumber, epoch, ttlMs, estimateMs } = lease
    const requeued = requeuedAtMs !== undefined && { requeuedAtMs }
    return { leaseNumber, chunk, epoch, attempts, ttlMs, estimateMs, backup, ...requeued }
  }

  /** Makes a lease live, a fresh one or one that was over. */
  open(entry: ChunkEntry, lease: Lease): void {
    this.live.open(lease)
    this.peers.add(lease.peer, lease.leaseNumber, lease.chunk.inputBytes)
    this.chunks.lease(entry, lease)
    this.backups.update(entry)
  }

  /** Ends a lease whose chunk needs it no more. */
  end(lease: Lease): void {
    this.live.end(lease)
    this.peers.remove(lease.peer, lease.leaseNumber, lease.chunk.inputBytes)
    this.backups.drop(lease)
  }

  /** Ends a peer's lease without a result, so that its chunk is free for others. */
  release(lease: Lease, reason: ReleaseCause, sinceMs: number, nowMs: number): Release {
    const { leaseNumber, peer } = lease
    if (peer === undefined) throw new TypeError(`lease ${leaseNumber} is local and cannot be released`)
    this.end(lease)
    const entry = this.chunks.of(lease)
    const requeued = this.chunks.release(entry, lease, nowMs, NO_ATTEMPT.includes(reason) ? undefined : peer)
    if (requeued) this.#releases++
    else this.backups.refund(entry)
    this.backups.update(entry)
    return { leaseNumber, chunkIndex: entry.chunk.chunkIndex, peer, reason, sinceMs, requeued }
  }

  /** Ends all leases for good. */
  close(nowMs: number): readonly RevokedLease[] {
    this.closed = true
    const live = this.live.all()
    for (const lease of live) {
      this.end(lease)
      this.chunks.release(this.chunks.of(lease), lease, nowMs)
    }
    return live.map(revokedLease)
  }

  leasesOf(peer: PeerName): readonly Lease[] {
    return this.peers.leases(peer).flatMap((leaseNumber) => this.live.get(leaseNumber) ?? [])
  }

  counters(): LeaseCounters {
    const { chunks, live } = this
    return {
      chunks: chunks.count,
      pendingChunks: chunks.chunksIn('pending'),
      leasedChunks: chunks.chunksIn('leased') + chunks.chunksIn('verifying'),
      placedChunks: chunks.chunksIn('placed'),
      mergedChunks: chunks.chunksIn('merged'),
      placedBytes: chunks.bytesIn('placed') + chunks.bytesIn('merged'),
      mergedBytes: chunks.bytesIn('merged'),
      liveLeases: live.count,
      leasedBytes: live.leasedBytes,
      consumedBytes: chunks.frontierBytes,
      openBytes: chunks.bytesIn('pending') + chunks.uncutBytes,
      releases: this.#releases,
      duplicates: this.duplicates,
      backups: this.backups.granted
    }
  }
}

/** @returns what others may know of a lease. */
export function revokedLease({ leaseNumber, chunk, peer }: Lease): RevokedLease {
  return { leaseNumber, chunkIndex: chunk.chunkIndex, ...(peer !== undefined && { peer }) }
}
