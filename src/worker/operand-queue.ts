interface Waiter<Result> {
  readonly attempt: () => Result | undefined
  readonly resolve: (result: Result) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Those who wait for room, in the order in which they came. Only the first one tries: a large one is not passed by small
 * ones for ever.
 */
export class OperandQueue<Result> {
  readonly #waiting = new Set<Waiter<Result>>()
  #isPlanned = false
  #closedBy: Error | undefined

  get length(): number {
    return this.#waiting.size
  }

  /**
   * Waits until it is the first and `attempt` gives something.
   * @param attempt returns undefined when there is no room now; what it throws ends the wait
   * @throws what `attempt` throws, the reason of {@link OperandQueue.close}, or the signal's reason
   */
  async wait(attempt: () => Result | undefined, { signal }: { signal: AbortSignal }): Promise<Result> {
    signal.throwIfAborted()
    if (this.#closedBy !== undefined) throw this.#closedBy
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const waiter: Waiter<Result> = { attempt, resolve, reject }
    const abort = (): void => {
      if (!this.#waiting.delete(waiter)) return
      reject(signal.reason)
      this.#pump()
    }
    this.#waiting.add(waiter)
    signal.addEventListener('abort', abort, { once: true })
    this.#pump()
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** There may be room now: the first one tries, once per turn however often this is called. */
  retry(): void {
    if (this.#isPlanned || this.#waiting.size === 0) return
    this.#isPlanned = true
    queueMicrotask(() => {
      this.#isPlanned = false
      this.#pump()
    })
  }

  /** Refuses all who wait and all who come. */
  close(reason: Error): void {
    this.#closedBy = reason
    for (const waiter of this.#waiting) waiter.reject(reason)
    this.#waiting.clear()
  }

  #pump(): void {
    for (const waiter of this.#waiting) {
      try {
        const result = waiter.attempt()
        if (result === undefined) return
        waiter.resolve(result)
      } catch (error) {
        waiter.reject(error)
      }
      this.#waiting.delete(waiter)
    }
  }
}
