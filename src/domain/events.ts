import type { JobFindings } from './findings.ts'
import type { JobId, PeerName } from './ids.ts'
import type { JobState } from './job.ts'

/** What one peer did for a job so far. Times in ms, sizes in bytes. */
export interface PeerShare {
  readonly peerId: PeerName
  readonly name: string
  readonly chunks: number
  readonly units: number
  readonly computeMs: number
  /** Sent to the peer. */
  readonly bytesIn: number
  /** Received from the peer. */
  readonly bytesOut: number
}

/** Paths of a finished job's files; absent when the job has no such file. */
export interface JobOutputs {
  readonly result: string
  readonly key?: string
  readonly iv?: string
  readonly hmac?: string
  readonly manifest: string
  readonly ledger: string
  /** What else the job found: pictures, labels. */
  readonly files?: readonly string[]
}

/** How a product goes. */
export interface ProductFigures {
  /** Floating-point operations of the merged tiles. */
  readonly flops: number
  /** …per second of the job's time so far. */
  readonly flopsPerSecond: number
  /** Bytes of operands that chunks read at peers, by where they came from. Of this run of the job. */
  readonly operands: OperandFigures
}

/** Bytes of operands by source. */
export interface OperandFigures {
  /** Sent by this machine. */
  readonly submitterBytes: number
  /** Sent from peer to peer. */
  readonly peerBytes: number
  /** Read from a peer's cache. */
  readonly cacheBytes: number
}

/** Times from a claim's arrival until its grants left, in ms; zeros before the first. */
export interface GrantTimes {
  /** Claims that were answered with grants. */
  readonly claims: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
}

/** Counters of a job, cumulative over resumes where the journal holds them. */
export interface JobCounters {
  readonly inputBytes: number
  readonly outputBytes: number
  /** Merged chunks, local ones included. */
  readonly chunks: number
  readonly localChunks: number
  /** Leases that ended without a merged result and went back to pending. */
  readonly releases: number
  /** Late or backup results that were right but second. */
  readonly duplicates: number
  readonly totalMs: number
  /** Sum of the CPU times of kernels, as claimed by peers and measured locally. */
  readonly computeMs: number
  /** Time that the kernel threads of all who took part were there and did not compute: waiting for bytes, or moving them. */
  readonly transferMs: number
  /** Thread time that checking peers' results took this machine, where a check is more than a comparison. */
  readonly checkMs: number
  /** computeMs / (computeMs + transferMs) × 100. */
  readonly efficiency: number
  /** From peers' claims to the grants that answered them, as this peer measured it: how busy a submitter is. */
  readonly grants: GrantTimes
  /** Products only. */
  readonly product?: ProductFigures
  readonly peers: readonly PeerShare[]
}

/** What a running job reports, in order; `done`, `failed`, `stopped` and `cancelled` are last. */
export type JobEvent =
  | { readonly event: 'accepted'; readonly jobId: JobId; readonly task: string; readonly inputBytes: number }
  | { readonly event: 'waiting'; readonly jobId: JobId; readonly reason: string }
  | { readonly event: 'notice'; readonly jobId: JobId; readonly message: string }
  | {
      readonly event: 'progress'
      readonly jobId: JobId
      readonly mergedBytes: number
      readonly inputBytes: number
      readonly bytesPerSecond: number
      /** Estimated, in ms; undefined until something was merged. */
      readonly remainingMs?: number
      readonly leasedChunks: number
      readonly counters: JobCounters
    }
  | {
      readonly event: 'released'
      readonly jobId: JobId
      readonly chunkIndex: number
      readonly peerId: PeerName
      readonly reason: string
      /** From the first sign of loss to the chunk's return to the queue, in ms. */
      readonly afterMs: number
    }
  | {
      readonly event: 'regranted'
      readonly jobId: JobId
      readonly chunkIndex: number
      /** The new holder; absent for the submitter's own worker. */
      readonly peerId?: PeerName
      /** From the release to the new grant, in ms. */
      readonly afterMs: number
    }
  | {
      readonly event: 'barred'
      readonly jobId: JobId
      readonly chunkIndex: number
      readonly peerId: PeerName
      readonly reason: string
      /** Path of the kept evidence. */
      readonly evidence: string
    }
  | ({
      readonly event: 'done'
      readonly jobId: JobId
      readonly task: string
      /** One sentence: what was kept, what was shipped, and why. */
      readonly summary: string
      readonly outputs: JobOutputs
      readonly findings?: JobFindings
    } & JobCounters)
  | { readonly event: 'failed'; readonly jobId: JobId; readonly code: string; readonly message: string }
  | { readonly event: 'stopped' | 'cancelled'; readonly jobId: JobId; readonly message: string }

/** States that no event follows. */
export function isFinalState(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}
