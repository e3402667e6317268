import type { Clock } from '../../src/domain/clock.ts'

const WALL_START_MS = 1_700_000_000_000

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** Lets everything run that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** A clock that stands still until a test advances it. */
export class VirtualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>()
  #nowMs = 0

  /** Sleeps under way. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs
  }

  async sleep(delayMs: number, { signal }: { signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { dueMs: this.#nowMs + delayMs, wake: resolve }
    const abort = () => reject(signal.reason)
    this.#sleepers.add(sleeper)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      this.#sleepers.delete(sleeper)
      signal.removeEventListener('abort', abort)
    }
  }

  /** Moves on, waking sleepers in the order in which they are due, with all that follows from each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await settle()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      this.#sleepers.delete(next)
      next.wake()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= untilMs && (next === undefined || sleeper.dueMs < next.dueMs)) next = sleeper
    }
    return next
  }
}
