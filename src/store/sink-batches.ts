import type { SinkCheckpoint } from '../domain/journal.ts'
import type { DurableBatch } from '../domain/result-sink.ts'

/** A batch is synced when it holds this much, or is this old. */
const BATCH_BYTES = 32 * 1024 * 1024
const BATCH_MS = 250

/** A chunk that was written, not yet synced. */
export interface WrittenChunk {
  readonly chunkIndex: number
  readonly plainBytes: number
  /** Placed jobs only. */
  readonly outputHash?: Uint8Array
}

/**
 * Decides when written chunks are synced, and reports them once they are. At most one sync runs at a time; what is written
 * meanwhile goes into the next batch. Driven by the sink thread.
 */
export class SinkBatches {
  readonly #sync: () => Promise<void>
  readonly #checkpoint: () => SinkCheckpoint
  readonly #onDurable: (batch: DurableBatch) => void
  readonly #onError: (error: unknown) => void
  #written: WrittenChunk[] = []
  #writtenBytes = 0
  #oldestMs = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(options: {
    sync: () => Promise<void>
    /** Covers all that was added so far. */
    checkpoint: () => SinkCheckpoint
    onDurable: (batch: DurableBatch) => void
    onError: (error: unknown) => void
  }) {
    this.#sync = options.sync
    this.#checkpoint = options.checkpoint
    this.#onDurable = options.onDurable
    this.#onError = options.onError
  }

  add(chunk: WrittenChunk): void {
    if (this.#written.length === 0) this.#oldestMs = performance.now()
    this.#written.push(chunk)
    this.#writtenBytes += chunk.plainBytes
    this.#syncWhenDue()
  }

  /** Syncs what is left, and waits for it. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    clearTimeout(this.#timer)
    await this.#syncNow()
  }

  #syncWhenDue(): void {
    clearTimeout(this.#timer)
    if (this.#written.length === 0 || this.#running !== undefined) return
    const leftMs = this.#oldestMs + BATCH_MS - performance.now()
    if (leftMs > 0 && this.#writtenBytes < BATCH_BYTES) {
      this.#timer = setTimeout(() => this.#syncWhenDue(), leftMs)
      return
    }
    this.#running = this.#syncNow()
      .catch((error: unknown) => this.#onError(error))
      .finally(() => {
        this.#running = undefined
        this.#syncWhenDue()
      })
  }

  async #syncNow(): Promise<void> {
    const written = this.#written
    const checkpoint = this.#checkpoint()
    this.#written = []
    this.#writtenBytes = 0
    await this.#sync()
    if (written.length === 0) return
    const outputHashes = written.flatMap(({ outputHash }) => (outputHash === undefined ? [] : [outputHash]))
    this.#onDurable({
      chunkIndexes: written.map(({ chunkIndex }) => chunkIndex),
      checkpoint,
      ...(outputHashes.length > 0 && { outputHashes })
    })
  }
}
