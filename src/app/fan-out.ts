/** Events that one slow reader may have waiting before it misses the oldest that may be missed. */
const WAITING_MAX = 1024

interface Reader<T> {
  readonly waiting: T[]
  wake: () => void
}

/** Hands each event to every reader there is. A slow reader misses what `mayMiss` allows, then the oldest. */
export class FanOut<T> {
  readonly #readers = new Set<Reader<T>>()
  readonly #mayMiss: (event: T) => boolean
  #ended = false

  constructor(mayMiss: (event: T) => boolean) {
    this.#mayMiss = mayMiss
  }

  publish(event: T): void {
    for (const reader of this.#readers) {
      if (reader.waiting.length >= WAITING_MAX) drop(reader.waiting, this.#mayMiss)
      reader.waiting.push(event)
      reader.wake()
    }
  }

  /** No event follows: readers end once they have read what waits. */
  end(): void {
    this.#ended = true
    for (const reader of this.#readers) reader.wake()
  }

  /**
   * Events from the call on, after those in `first`; the subscription starts at the call, not at the first read. Ends
   * on {@link FanOut.end} and when the signal aborts.
   */
  subscribe(first: readonly T[], { signal }: { signal: AbortSignal }): AsyncIterableIterator<T> {
    const reader: Reader<T> = { waiting: [...first], wake: () => undefined }
    if (!this.#ended) this.#readers.add(reader)
    return this.#read(reader, signal)
  }

  async *#read(reader: Reader<T>, signal: AbortSignal): AsyncIterableIterator<T> {
    const onAbort = () => reader.wake()
    signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        const event = reader.waiting.shift()
        if (event !== undefined) yield event
        else if (this.#ended || signal.aborted) return
        else {
          const { promise, resolve } = Promise.withResolvers<void>()
          reader.wake = resolve
          await promise
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#readers.delete(reader)
    }
  }
}

function drop<T>(waiting: T[], mayMiss: (event: T) => boolean): void {
  const index = waiting.findIndex(mayMiss)
  waiting.splice(index === -1 ? 0 : index, 1)
}
