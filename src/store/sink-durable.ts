import type { SinkCheckpoint } from '../domain/journal.ts'
import type { DurableBatch } from '../domain/result-sink.ts'

/**
 * Durable batches on their way to one reader. A reader that lags gets one joined batch, so that nothing piles up but chunk
 * indexes.
 */
export class DurableFeed implements AsyncIterable<DurableBatch> {
  #chunkIndexes: number[] = []
  #outputHashes: Uint8Array[] = []
  #checkpoint: SinkCheckpoint | undefined
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  push(batch: DurableBatch): void {
    this.#chunkIndexes.push(...batch.chunkIndexes)
    this.#outputHashes.push(...(batch.outputHashes ?? []))
    this.#checkpoint = batch.checkpoint
    this.#wake?.()
  }

  /** Ends the feed after what was pushed; with an error, the reader gets that last. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DurableBatch> {
    for (;;) {
      const batch = this.#take()
      if (batch !== undefined) {
        yield batch
        continue
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #take(): DurableBatch | undefined {
    if (this.#checkpoint === undefined) return undefined
    const batch = {
      chunkIndexes: this.#chunkIndexes,
      checkpoint: this.#checkpoint,
      ...(this.#outputHashes.length > 0 && { outputHashes: this.#outputHashes })
    }
    this.#chunkIndexes = []
    this.#outputHashes = []
    this.#checkpoint = undefined
    return batch
  }
}
