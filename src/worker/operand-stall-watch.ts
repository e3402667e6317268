import { WireError } from '../../protocols/wire/wire-error.ts'
import type { Clock } from '../domain/clock.ts'

/** A source that gives no byte for so long is left for another. */
export const OPERAND_STALL_MS = 5_000

/** Aborts its signal, with WireError TIMED_OUT, when nothing has come for {@link OPERAND_STALL_MS}; until it is stopped. */
export class StallWatch {
  readonly #clock: Clock
  readonly #stalled = new AbortController()
  readonly #stopped = new AbortController()
  #signMs: number

  constructor(clock: Clock, peerId: string) {
    this.#clock = clock
    this.#signMs = clock.nowMs()
    this.#run(peerId).catch((error) => {
      if (!this.#stopped.signal.aborted) this.#stalled.abort(error)
    })
  }

  get signal(): AbortSignal {
    return this.#stalled.signal
  }

  /** Something came. */
  onSign(): void {
    this.#signMs = this.#clock.nowMs()
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #run(peerId: string): Promise<never> {
    for (;;) {
      const leftMs = this.#signMs + OPERAND_STALL_MS - this.#clock.nowMs()
      if (leftMs <= 0) throw new WireError('TIMED_OUT', `no byte came from ${peerId} for ${OPERAND_STALL_MS} ms`)
      await this.#clock.sleep(leftMs, { signal: this.#stopped.signal })
    }
  }
}
