import type { Connection, PeerId } from '@libp2p/interface'
import type { RefusalCode } from '../wire/wire-error.ts'

/** First message of a worker on its lease stream. */
export interface WorkerHello {
  /** Human name, at most 63 bytes of UTF-8. */
  readonly name: string
  /** Kernel threads that the worker runs. */
  readonly threads: number
  /** Kernels that the worker has, by kernelId; at most 64. */
  readonly kernelIds: readonly string[]
  /** Bytes of chunk buffers that the worker may hold at once. */
  readonly memoryBytes: number
  /** Results that the worker still holds for this submitter, so that a restarted submitter need not redo them. */
  readonly held: readonly HeldResult[]
}

/** A finished result that was not receipted yet. */
export interface HeldResult {
  readonly jobId: string
  readonly chunkIndex: number
  readonly epoch: number
  readonly resultBytes: number
}

/** One block that a lease's kernel reads; jobs whose chunks share their inputs only. */
export interface GrantOperand {
  /** Of the job's operands, whose number and shapes its parameters fix. uint32. */
  readonly index: number
  /** BLAKE3 of the block, 32 bytes: its name on the operand protocol. */
  readonly hash: Uint8Array
  readonly byteLength: number
  /**
   * Peers that hold the block or are fetching it, the one to ask first; at most {@link OPERAND_HOLDERS_MAX}. The submitter
   * has every block and is asked when none of them gives it.
   */
  readonly holders: readonly string[]
}

/** Which blocks of a job a worker holds since it last said so. */
export interface OperandChanges {
  readonly jobId: string
  /** Operand indexes; each at most once in both lists together. */
  readonly added: readonly number[]
  readonly dropped: readonly number[]
}

/** What a lease names: one chunk of one job for one worker, for a limited time. */
export interface Grant {
  /** Names the lease on the bulk protocols; unique within one incarnation of the submitter. uint32, above 0. */
  readonly leaseNumber: number
  readonly jobId: string
  readonly chunkIndex: number
  readonly inputBytes: number
  readonly resultBytes: number
  /** Rises per chunk with each grant. */
  readonly epoch: number
  /** Rises with each start of the submitter. */
  readonly incarnation: number
  /** Time to live from receipt of the last acknowledged heartbeat, in ms. */
  readonly ttlMs: number
  /** BLAKE3 of the input, 32 bytes. */
  readonly inputHash: Uint8Array
  /** True when the worker already holds the result (see {@link WorkerHello.held}) and need only offer it. */
  readonly adopted: boolean
  /**
   * Empty for jobs whose chunks have inputs of their own; else `inputHash` is over the hashes of these, in order. At most
   * {@link OPERANDS_PER_GRANT_MAX}, each index once.
   */
  readonly operands: readonly GrantOperand[]
}

/** Answer to a claim: grants, or why there are none and when to ask again. */
export interface ClaimReply {
  /**
   * At most {@link CLAIM_COUNT_MAX}, with at most {@link OPERANDS_PER_ANSWER_MAX} operands and
   * {@link OPERAND_PEERS_PER_ANSWER_MAX} different holders in all: an answer above that ends the session.
   */
  readonly grants: readonly Grant[]
  /** Present when `grants` is empty. */
  readonly refusal?: RefusalCode
  /** Ask again after this many ms (0: when an advert or a wake message says so). */
  readonly retryAfterMs: number
}

/** Progress of one lease: rises as the compute thread works, never otherwise. */
export interface LeaseProgress {
  readonly leaseNumber: number
  /** Bytes received plus bytes computed plus bytes returned. */
  readonly progress: number
}

/** Why a worker gives a lease back. */
export type ReleaseReason =
  | 'shutdown'
  | 'kernel-failed'
  | 'input-unavailable'
  | 'input-mismatch'
  | 'out-of-memory'
  | 'expired'

/** The submitter's view of one worker's lease stream. */
export interface LeaseSession {
  readonly peerId: PeerId
  readonly connection: Connection
  readonly hello: WorkerHello
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /** Tells the worker that leases are over; it stops fetch, kernel and upload. */
  revoke(leaseNumbers: readonly number[], reason: RefusalCode): void
  /** Tells the worker that there may be work again for this job: it may claim at once. */
  wake(jobId: string): void
  /** Ends the stream. */
  close(): void
}

/** What the submitter does with what workers say. Called in order of arrival; an error thrown ends the stream. */
export interface LeaseHandler {
  /** A worker opened its stream. @returns what to do with each later message. */
  onSession(session: LeaseSession): LeaseSessionHandler
}

/** One per session. */
export interface LeaseSessionHandler {
  /** A worker asks for up to `count` chunks of a job. May wait (for the input to be read). */
  onClaim(claim: { jobId: string; count: number }, options: { signal: AbortSignal }): Promise<ClaimReply>
  /** @returns the lease numbers among these that are not live any more. */
  onHeartbeat(progress: readonly LeaseProgress[]): readonly number[]
  onRelease(leaseNumbers: readonly number[], reason: ReleaseReason): void
  /** A claim like all that workers say: the indexes may not even be ones of the job, which may not be known here. */
  onOperands(changes: OperandChanges): void
  /** The stream ended; all leases of this session are over. */
  onClose(): void
}

/** What a worker does with what the submitter says. */
export interface LeaseClientHandler {
  onRevoked(leaseNumbers: readonly number[], reason: RefusalCode): void
  onWake(jobId: string): void
}

/** The worker's end of a lease stream. */
export interface LeaseClient {
  readonly peerId: PeerId
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /** @throws WireError STREAM_ENDED, TIMED_OUT */
  claim(claim: { jobId: string; count: number }, options: { signal: AbortSignal }): Promise<ClaimReply>
  /**
   * Sends one heartbeat and waits for its acknowledgement.
   * @returns the leases that are not live any more, as the submitter says.
   */
  heartbeat(progress: readonly LeaseProgress[], options: { signal: AbortSignal }): Promise<readonly number[]>
  release(leaseNumbers: readonly number[], reason: ReleaseReason): void
  /**
   * Tells which blocks this worker can give to others from now on, at most {@link OPERAND_CHANGES_MAX} in one call. To be
   * gathered: above {@link OPERAND_MESSAGES_PER_SECOND_MAX} calls in the long run the submitter ends the stream.
   * @throws WireError MESSAGE_MALFORMED when there are too many, or an index is named twice
   */
  tellOperands(changes: OperandChanges): void
  /** Half-closes after what was sent is flushed. */
  close(): Promise<void>
}

/** The protocol as a libp2p service. */
export interface LeaseService {
  /** Submitter: who answers lease streams; undefined refuses them with `unknownJob`. */
  setHandler(handler: LeaseHandler | undefined): void
  /** Worker: opens the one lease stream on this connection. @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT */
  open(
    connection: Connection,
    hello: WorkerHello,
    handler: LeaseClientHandler,
    options: { signal: AbortSignal }
  ): Promise<LeaseClient>
}
