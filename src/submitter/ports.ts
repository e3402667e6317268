import type { PeerId } from '@libp2p/interface'
import type { AdvertService } from '../../protocols/advert/types.ts'
import type { Claim, FeedBody, Receipt } from '../../protocols/wire/receipt-types.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { JobId, PeerName } from '../domain/ids.ts'
import type { Journal, JournalJob } from '../domain/journal.ts'
import type { OpenSink, SegmentFile } from '../domain/result-sink.ts'
import type { SharedBuffers } from '../domain/shared-buffers.ts'

/** A claim as opened and checked: the signature is right for `worker`. */
export interface OpenedClaim {
  readonly claim: Claim
  readonly worker: string
}

/** What a submitter needs of the rest. */
export interface SubmitterPorts {
  readonly peerId: PeerId
  /** The same, as text. */
  readonly submitter: PeerName
  /** Human name of this peer. */
  readonly name: string
  readonly advert: AdvertService
  readonly compute: ComputePool
  readonly buffers: BufferPool
  /** Memory for operands that threads share. */
  readonly shared: SharedBuffers
  readonly journal: Journal
  readonly clock: Clock
  readonly openSink: OpenSink
  readonly random: () => number
  /** Asks for a garbage collection, where the process can. */
  readonly collectGarbage: (() => unknown) | undefined
  /** CPU time of the main thread so far, in ms; what shipping costs shows here. */
  mainThreadCpuMs(): number
  /** @throws WireError when the envelope is malformed or its signature wrong */
  openClaim(envelope: Uint8Array): Promise<OpenedClaim>
  /** Signs an acceptance. @returns the receipt envelope */
  signReceipt(receipt: Receipt): Promise<Uint8Array>
  /** Takes receipts into this peer's ledger. */
  keepReceipts(receipts: readonly Uint8Array[]): Promise<void>
  /** Ends a job in this peer's feed, durably. `receipts` are all of the job, by chunk index. */
  closeJob(
    close: Omit<Extract<FeedBody, { type: 'job-close' }>, 'type' | 'receiptsRoot' | 'receipts'>,
    receipts: readonly Uint8Array[]
  ): Promise<void>
  /** Writes one job's receipts and close entry as a self-contained ledger file. */
  writeJobLedger(jobId: JobId, path: string): Promise<void>
  /** Keeps what proves a result false. @returns the evidence file's path */
  keepEvidence(evidence: Evidence): Promise<string>
  /** What stands before and behind the audio of a job of segments. @throws SwarmError INPUT_UNREADABLE and others */
  segmentFile(job: JournalJob): Promise<SegmentFile>
  /** Writes a file whole or not at all. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>
  /** A bug of ours that no job can report. */
  onInternalError(error: unknown): void
  /** Cores of this machine. */
  readonly cores: number
  /** Whether a connected peer runs on this machine. */
  isHere(peer: PeerName): boolean
  /** Connected members of the swarm. */
  connectedPeers(): number
}

/** What is kept of a refused result. */
export interface Evidence {
  readonly jobId: JobId
  readonly chunkIndex: number
  readonly peerId: string
  readonly reason: string
  /** The worker's signed claim, as it came. */
  readonly claim: Uint8Array
  readonly result: Uint8Array
}
