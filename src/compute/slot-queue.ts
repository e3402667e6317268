import { SwarmError } from '../errors.ts'

interface Waiter {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
  readonly signal: AbortSignal
  readonly aborted: () => void
}

/**
 * Hands out a fixed number of slots: first to those who are urgent, among equals in order of arrival. Owns the bounded
 * lists of those who wait.
 */
export class SlotQueue {
  #free: number
  readonly #waitingMax: number
  readonly #urgent = new Set<Waiter>()
  readonly #waiting = new Set<Waiter>()
  #closedBy: Error | undefined

  constructor(slots: number, waitingMax: number) {
    this.#free = slots
    this.#waitingMax = waitingMax
  }

  /** Resolves once a slot is the caller's. @throws SwarmError COMPUTE_QUEUE_FULL, COMPUTE_CLOSED; the signal's reason */
  async acquire(signal: AbortSignal, options: { urgent?: boolean } = {}): Promise<void> {
    signal.throwIfAborted()
    if (this.#closedBy !== undefined) throw this.#closedBy
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    if (this.#urgent.size + this.#waiting.size >= this.#waitingMax) {
      throw new SwarmError('COMPUTE_QUEUE_FULL', `${this.#waitingMax} operations wait for a compute thread already`)
    }
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => {
        this.#leave(waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = { resolve, reject, signal, aborted }
      signal.addEventListener('abort', aborted, { once: true })
      if (options.urgent === true) this.#urgent.add(waiter)
      else this.#waiting.add(waiter)
    })
  }

  /** Gives a slot back: to the one who waits longest, if any. */
  release(): void {
    const [next = this.#waiting.values().next().value] = this.#urgent
    if (next === undefined) {
      this.#free += 1
      return
    }
    this.#leave(next)
    next.resolve()
  }

  /** Refuses all who wait and all who come. */
  close(reason: Error): void {
    this.#closedBy = reason
    for (const waiter of [...this.#urgent, ...this.#waiting]) {
      this.#leave(waiter)
      waiter.reject(reason)
    }
  }

  #leave(waiter: Waiter): void {
    this.#urgent.delete(waiter)
    this.#waiting.delete(waiter)
    waiter.signal.removeEventListener('abort', waiter.aborted)
  }
}
