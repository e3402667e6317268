import type { PeerId } from '@libp2p/interface'
import type { AdvertService } from '../../protocols/advert/types.ts'
import type { Claim, FeedBody, Receipt } from '../../protocols/wire/receipt-types.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { JobId, PeerName } from '../domain/ids.ts'
import type { Journal, SinkCheckpoint } from '../domain/journal.ts'

/** Where a job's result goes: sealed in order, or placed. One per job; runs on a thread of its own. */
export interface ResultSink {
  /**
   * Hands over the result of a chunk. Chunks may come in any order within the window; what is out of order waits.
   * @returns the buffer, for reuse, once its bytes were consumed
   */
  put(
    chunk: { chunkIndex: number; outputOffset: number; byteLength: number },
    buffer: ArrayBuffer,
    options: { signal: AbortSignal }
  ): Promise<ArrayBuffer>
  /**
   * Durable progress, in batches: the chunks that became durable since the last one, and the checkpoint that covers
   * them. Ends when the sink is finished or aborted. @throws SwarmError DISK_FULL (retried by the sink until there is
   * room, and reported through `onStall`), OUTPUT_WRITE_FAILED
   */
  readonly durable: AsyncIterable<{ readonly chunkIndexes: readonly number[]; readonly checkpoint: SinkCheckpoint }>
  /** Flushes, pads, syncs. Files are still partial: call {@link ResultSink.publish} next. @returns sizes and tag */
  finish(options: { signal: AbortSignal }): Promise<{ outputBytes: number; hmac?: Uint8Array }>
  /** Writes key, iv, tag beside the result and renames all to their final names. @returns absolute paths */
  publish(): Promise<{ result: string; key?: string; iv?: string; hmac?: string }>
  /** Stops; keeps the partial file for a resume, or removes it when `discard`. */
  abort(options: { discard: boolean }): Promise<void>
}

/** What a sink is opened with. */
export interface SinkOptions {
  readonly outDir: string
  /** Partial files live here under names that start with a dot, and are renamed at the end. */
  readonly fileName: string
  readonly outputBytes: number
  readonly sealing?: { readonly key: Uint8Array; readonly iv: Uint8Array }
  /** Where a former incarnation got to. What the file holds is hashed again and must match. */
  readonly resume?: {
    readonly checkpoint: SinkCheckpoint
    /** Merged chunks in chunk order, for hashing what was placed out of order (unsealed jobs). */
    readonly chunks: readonly {
      readonly chunkIndex: number
      readonly outputOffset: number
      readonly byteLength: number
      readonly outputHash?: Uint8Array
    }[]
  }
  /** Called when the disk is full (true) and when there is room again (false). */
  readonly onStall: (full: boolean, path: string) => void
}

/** Opens a sink. @returns it with the chunk indexes that still stand after the re-check, in a resume. */
export type OpenSink = (
  options: SinkOptions,
  waiting: { signal: AbortSignal }
) => Promise<{ sink: ResultSink; standing: readonly number[] }>

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
  readonly journal: Journal
  readonly clock: Clock
  readonly openSink: OpenSink
  readonly random: () => number
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
  /** Writes a file whole or not at all. */
  writeFile(path: string, text: string): Promise<void>
  /** A bug of ours that no job can report. */
  onInternalError(error: unknown): void
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
