import type { Cutter, Grid } from './chunk-cutter.ts'
import type { LeaseNumber, PeerName } from './ids.ts'
import type { Chunk, LocalPolicy } from './job.ts'
import type { JournalChunk } from './journal.ts'
import type { LeaseNumberSource } from './lease-numbers.ts'

/**
 * `leased`: one or two live leases. `verifying`: a result was received whole and is checked. `placed`: verified, waits
 * to be durable. The last three are final.
 */
export type ChunkState = 'pending' | 'leased' | 'verifying' | 'placed' | 'merged' | 'failed' | 'cancelled'

/** What a lease table is made of. */
export interface LeaseTableOptions {
  readonly grid: Grid
  readonly local: LocalPolicy
  /** Output bytes that may be granted ahead of the first byte that the sink has not consumed (or, without an order, be under way): bounds memory. */
  readonly windowBytes: () => number
  /** Input bytes that may be under live leases at once. */
  readonly leasedBytesMax: () => number
  /** Shared by all jobs of one incarnation of the submitter. */
  readonly numbers: LeaseNumberSource
  readonly nowMs: number
  /** What cuts; a run of the grid after the other when absent. Has cut the `restored` chunks already. */
  readonly cutter?: Cutter
  /** Chunks of a former incarnation, by chunkIndex without gaps. */
  readonly restored?: readonly JournalChunk[]
}

/** A lease as it is granted. `peer` is absent everywhere for the submitter's own worker. */
export interface LeaseGrant {
  readonly leaseNumber: LeaseNumber
  readonly chunk: Chunk
  /** Rises per chunk with each grant; to be journalled before the grant leaves. */
  readonly epoch: number
  /** Failed attempts before this grant. */
  readonly attempts: number
  readonly ttlMs: number
  readonly estimateMs: number
  /** True when another lease of the chunk is live. */
  readonly backup: boolean
  /** When the chunk last came back to the queue; absent for a fresh cut. */
  readonly requeuedAtMs?: number
}

/** Why a claim got nothing. */
export type ClaimRefusal = 'nothingLeft' | 'barred' | 'busy' | 'localOnly' | 'jobClosed'

/** Answer to a claim; `refusal` is present when `grants` is empty. */
export interface ClaimResult {
  readonly grants: readonly LeaseGrant[]
  readonly refusal?: ClaimRefusal
  /** Ask again after this many ms; 0: when told to. */
  readonly retryAfterMs: number
}

/** A claim by the submitter's own worker. */
export interface LocalClaim {
  readonly count: number
  readonly nowMs: number
  /** Wanted length of a fresh cut, in bytes. */
  readonly chunkBytes: number
  /** How long the claimant needs for this many bytes (what it already holds included), in ms. */
  readonly estimateMs?: (inputBytes: number) => number
  /** Take only what no peer takes: chunks given up on by peers, or all once there was no peer for 5 s. */
  readonly fallbackOnly?: boolean
}

/** A claim by a peer. */
export interface PeerClaim extends Omit<LocalClaim, 'fallbackOnly'> {
  readonly peer: PeerName
  /** Bytes of chunk buffers that the peer may hold at once. */
  readonly memoryBytes: number
}

/** A result that a worker holds from a grant of a former incarnation. */
export interface HeldClaim {
  readonly peer: PeerName
  readonly chunkIndex: number
  /** Of the former grant. */
  readonly epoch: number
  readonly nowMs: number
}

/** Progress of one lease, as a heartbeat tells it. */
export interface ProgressReport {
  readonly leaseNumber: number
  /** Bytes received plus bytes computed plus bytes returned; rises only as work is done. */
  readonly progress: number
}

/** Why a peer gives a lease back. The first three tell nothing about the chunk and count as no attempt. */
export type GiveBackReason =
  | 'shutdown'
  | 'out-of-memory'
  | 'input-unavailable'
  | 'kernel-failed'
  | 'input-mismatch'
  | 'expired'

/** Why a lease ended without a merged result. */
export type ReleaseCause = GiveBackReason | 'disconnected' | 'ttl' | 'no-progress' | 'refused' | 'barred'

/** A lease that ended without a merged result. */
export interface Release {
  readonly leaseNumber: LeaseNumber
  readonly chunkIndex: number
  readonly peer: PeerName
  readonly reason: ReleaseCause
  /** First sign of loss, on the caller's clock: the last sign of life for `ttl`, the last progress for `no-progress`. */
  readonly sinceMs: number
  /** False when another lease of the chunk is still live. */
  readonly requeued: boolean
}

/** A live lease that is over because its chunk or job is. */
export interface RevokedLease {
  readonly leaseNumber: LeaseNumber
  readonly chunkIndex: number
  /** Absent for the submitter's own worker. */
  readonly peer?: PeerName
}

/** What to do with an offered result. */
export type OfferOutcome =
  /** Pull it and check it. `late`: its lease is over, and another may hold the chunk. */
  | { readonly outcome: 'verify'; readonly chunk: Chunk; readonly epoch: number; readonly late: boolean }
  /** Its chunk was placed by another lease, or by this one. */
  | { readonly outcome: 'duplicate'; readonly chunkIndex: number }
  | { readonly outcome: 'unknown' | 'barred' | 'closed' }

/** What became of a result that passed its check. */
export type PassedOutcome =
  | {
      readonly outcome: 'placed'
      readonly chunk: Chunk
      readonly epoch: number
      /** Absent for the submitter's own worker. */
      readonly peer?: PeerName
      /** From the grant until now, in ms. */
      readonly leaseMs: number
      readonly revoked: readonly RevokedLease[]
    }
  /** Right but second: no credit, no blame. */
  | { readonly outcome: 'duplicate'; readonly chunkIndex: number }
  /** The lease means nothing any more: forgotten, its peer barred, or the job closed. */
  | { readonly outcome: 'void' }

/** Counters of a job since the table was made. */
export interface LeaseCounters {
  /** Chunks cut so far. */
  readonly chunks: number
  readonly pendingChunks: number
  readonly leasedChunks: number
  readonly placedChunks: number
  readonly mergedChunks: number
  readonly placedBytes: number
  readonly mergedBytes: number
  /** Output bytes, from the first on, that the sink has let go of. */
  readonly consumedBytes: number
  readonly liveLeases: number
  readonly leasedBytes: number
  /** Bytes that no live lease and no result covers: pending or not cut. */
  readonly openBytes: number
  /** Leases that ended without a result and sent their chunk back to the queue. */
  readonly releases: number
  readonly duplicates: number
  /** Backup copies granted. */
  readonly backups: number
}

/** One chunk as the table sees it. */
export interface ChunkView {
  readonly chunk: Chunk
  readonly state: ChunkState
  readonly epoch: number
  readonly attempts: number
  readonly leases: readonly RevokedLease[]
}
