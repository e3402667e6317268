import type { MatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import type { SinkCheckpoint } from './journal.ts'

/** Cipher key (32 bytes) and IV (16 bytes) of a sealed job. */
export interface Sealing {
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/** Where a former incarnation of a job's submitter got to. */
export interface SinkResume {
  readonly checkpoint: SinkCheckpoint
  /** Merged chunks in chunk order, for hashing what was placed out of order. */
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
  /** BLAKE3 of each chunk's result as it came, in the order of `chunkIndexes`; placed jobs only. */
  readonly outputHashes?: readonly Uint8Array[]
}

/** Where a job's result goes: sealed in order, or placed, and then perhaps sealed. One per job; runs on a thread of its own. */
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
  readonly durable: AsyncIterable<DurableBatch>
  /** Absolute path of the file that holds what was placed, until {@link ResultSink.finish}. */
  readonly placedPath: string
  /**
   * Flushes, pads, syncs. Files are still partial: call {@link ResultSink.publish} next.
   * @param options content: what the result is instead of what was placed
   * @returns bytes of all chunks together, and the tag of a sealed output
   */
  finish(options: {
    signal: AbortSignal
    content?: Uint8Array | undefined
  }): Promise<{ outputBytes: number; hmac?: Uint8Array }>
  /** Writes key, iv, tag beside the result and renames all to their final names. @returns absolute paths */
  publish(): Promise<{ result: string; key?: string; iv?: string; hmac?: string }>
  /** Stops; keeps the partial file for a resume, or removes it when `discard`. */
  abort(options: { discard: boolean }): Promise<void>
}

/** The file of a job whose chunks are runs of segments. */
export interface SegmentFile {
  /** Task kind and its parameters, which say where segments lie. */
  readonly kind: string
  readonly params: Uint8Array
  /** What stands before the audio and behind it. */
  readonly head: Uint8Array
  readonly tail: Uint8Array
}

/** What a sink is opened with. */
export interface SinkOptions {
  readonly outDir: string
  /** Partial files live here under names that start with a dot, and are renamed at the end. */
  readonly fileName: string
  /** Bytes of all chunks together; a matrix file has a header of 128 bytes before them. */
  readonly outputBytes: number
  /** Seals chunks in order, as they come. */
  readonly sealing?: Sealing
  /**
   * A matrix job: chunks are runs of tiles of C, and the file is a C-order float32 .npy file of `rows` × `columns`. Never
   * together with `sealing`: the rows of a tile lie apart in the file, so nothing can be sealed before all is placed.
   */
  readonly tiles?: MatrixPlan
  /** A job of segments: the audio of its last pass is the file. Never together with `sealing`, as for tiles. */
  readonly segments?: SegmentFile
  /**
   * Seals what was placed once it is whole, in {@link ResultSink.finish}; never together with `sealing`. Other than there, the
   * plain result does touch the disk: as a hidden partial file of mode 0600, which is removed by publish, or by abort when
   * discarded. Removed is not wiped: what the disk keeps of removed files it keeps of this one.
   */
  readonly sealAfter?: Sealing
  /** Goes into the partial file's name, so that jobs with one output folder do not collide. */
  readonly partialTag?: string
  /** Where a former incarnation got to. What the file holds is hashed again and must match. */
  readonly resume?: SinkResume
  /** Called when the disk is full (true) and when there is room again (false). */
  readonly onStall: (full: boolean, path: string) => void
}

/**
 * Opens a sink. @returns it with the chunk indexes that still stand after the re-check, in a resume
 * @throws SwarmError SEALING_UNSUPPORTED, OUTPUT_EXISTS, OUTPUT_WRITE_FAILED
 */
export type OpenSink = (
  options: SinkOptions,
  waiting: { signal: AbortSignal }
) => Promise<{ sink: ResultSink; standing: readonly number[] }>
