import type { JobId, PeerName } from './ids.ts'
import type { Chunk, FileStamp, JobOptions, JobSpec, JobState } from './job.ts'

/** A cut chunk as the journal knows it. */
export interface JournalChunk extends Chunk {
  /** Highest epoch that ever left this machine; 0 when only cut. */
  readonly epoch: number
  readonly attempts: number
  /** Set once the chunk is durable. */
  readonly merged?: MergedChunk
}

/** A chunk that is sealed or placed, and synced. */
export interface MergedChunk {
  readonly chunkIndex: number
  /** Absent when the submitter computed it itself. */
  readonly peerId?: PeerName
  readonly peerName?: string
  readonly computeMs: number
  /**
   * Time of the peer's kernel threads since its result before this one (or since the grant) less compute time, in ms: below
   * 0 when threads returned results together. For local chunks likewise, of this machine's threads.
   */
  readonly transferMs: number
  /** BLAKE3 of the plain result; known for peers' chunks and for placed (unsealed) ones. */
  readonly outputHash?: Uint8Array
  /** Receipt envelope, for peers' chunks. */
  readonly receipt?: Uint8Array
}

/** How far the output file is durable; a resumed sink starts here. */
export interface SinkCheckpoint {
  /** Durable chunks: when sealed in order, these are [0, chunkCount). */
  readonly chunkCount: number
  /** Bytes of the result so far, before encryption. */
  readonly plainBytes: number
  /** Bytes in the partial file. */
  readonly fileBytes: number
  /**
   * Sealed jobs: the inner SHA-256 of the tag's HMAC so far, over the padded key, the IV and the partial file's first
   * `fileBytes` bytes, so that one pass serves tag and checkpoint. Empty for placed jobs, whose chunks have hashes.
   */
  readonly digest: Uint8Array
  /** Plain bytes not yet in the file, because a cipher block was not full; at most 15. */
  readonly tail: Uint8Array
}

/** A job as journalled. */
export interface JournalJob {
  readonly spec: JobSpec
  readonly options: JobOptions
  readonly state: JobState
  readonly incarnation: number
  readonly openedAtMs: number
  readonly closedAtMs?: number
  /** Size and modification time of the input when the job was opened, so that a changed file is noticed. */
  readonly inputModifiedMs: number
  /** Cipher key and IV of a sealed job, kept until the job ends. */
  readonly sealing?: { readonly key: Uint8Array; readonly iv: Uint8Array }
  readonly checkpoint?: SinkCheckpoint
  readonly releases: number
  readonly duplicates: number
  /** Time spent running over all incarnations so far. */
  readonly ranMs: number
  /** Why a failed job failed. */
  readonly failure?: { readonly code: string; readonly message: string }
  /** The last line of a finished job: what was kept, what was shipped, and why. */
  readonly summary?: string
}

/** The file of samples that a job had decoded of its input, where it had. */
export function decodedSamples({ audio }: JobOptions): string | undefined {
  return audio === undefined || audio.samples.path === audio.input.path ? undefined : audio.samples.path
}

/** The files that a job reads, as they were when it was opened. */
export function inputStamps({ spec, options, inputModifiedMs }: JournalJob): readonly FileStamp[] {
  const { audio, inputPath, operands } = options
  if (audio !== undefined) return [audio.input, ...audio.impulses.map(({ stamp }) => stamp)]
  if (operands !== undefined) return [operands.a, operands.b]
  return [{ path: inputPath, byteLength: spec.inputBytes, modifiedMs: inputModifiedMs }]
}

/** The durable record of a home's jobs. Every method is one short transaction; what it wrote survives a killed process. */
export interface Journal {
  create(job: JournalJob): void
  get(jobId: JobId): JournalJob | undefined
  list(): readonly JournalJob[]
  /** Raises the incarnation, sets the state to `open`. @returns the new incarnation */
  reopen(jobId: JobId): number
  chunks(jobId: JobId): readonly JournalChunk[]
  /** Writes cuts and epochs; called before the grants leave. */
  grant(jobId: JobId, chunks: readonly (Chunk & { readonly epoch: number; readonly attempts: number })[]): void
  /** Writes a batch of durable chunks with the checkpoint that covers them. */
  merge(jobId: JobId, merged: readonly MergedChunk[], checkpoint: SinkCheckpoint | undefined): void
  /** Takes back chunks that a re-check found missing from the output, so that they are computed again. */
  unmerge(jobId: JobId, chunkIndexes: readonly number[], checkpoint: SinkCheckpoint | undefined): void
  /** Adds to the counters. */
  count(jobId: JobId, added: { releases?: number; duplicates?: number; ranMs?: number }): void
  /** Ends or stops a job; a final state drops the sealing key. */
  close(jobId: JobId, state: JobState, details: { failure?: { code: string; message: string }; summary?: string }): void
  /** Receipts of a job in chunk order. */
  receipts(jobId: JobId): readonly Uint8Array[]
  /** Bytes moved per peer, added up over incarnations. */
  addTraffic(jobId: JobId, peerId: PeerName, name: string, bytesIn: number, bytesOut: number): void
  traffic(jobId: JobId): readonly { peerId: PeerName; name: string; bytesIn: number; bytesOut: number }[]
}
