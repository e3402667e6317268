import type { SinkCheckpoint } from '../domain/journal.ts'

/** Cipher key (32 bytes) and IV (16 bytes) of a sealed job. */
export interface Sealing {
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/** Where a former incarnation of a job's submitter got to. */
export interface SinkResume {
  readonly checkpoint: SinkCheckpoint
  /** Merged chunks in chunk order, for hashing what was placed out of order (unsealed jobs). */
  readonly chunks: readonly {
    readonly chunkIndex: number
    readonly outputOffset: number
    readonly byteLength: number
    readonly outputHash?: Uint8Array
  }[]
}

/** A batch of chunks that became durable. */
export interface DurableBatch {
  readonly chunkIndexes: readonly number[]
  readonly checkpoint: SinkCheckpoint
  /** SHA-256 of each chunk's result, in the order of `chunkIndexes`; placed (unsealed) jobs only. */
  readonly outputHashes?: readonly Uint8Array[]
}
