import { LeaseQueue } from '../../src/domain/lease-queue.ts'

/** Keeps what is due at the same time in the order in which it was planned. */
const TIE_MS = 1e-7

/** A clock that jumps from one planned action to the next. */
export class VirtualTime {
  readonly #due = new LeaseQueue()
  readonly #actions = new Map<number, () => void>()
  #planned = 0
  #ran = 0
  #nowMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  get actionsRun(): number {
    return this.#ran
  }

  /** Plans an action `delayMs` from now. */
  after(delayMs: number, action: () => void): void {
    const id = ++this.#planned
    this.#actions.set(id, action)
    this.#due.push(id, this.#nowMs + Math.max(0, delayMs) + id * TIE_MS)
  }

  /** Runs the next action. @returns false when nothing is planned */
  step(): boolean {
    const next = this.#due.peek()
    if (next === undefined) return false
    this.#due.pop()
    this.#nowMs = Math.max(this.#nowMs, next.order)
    const action = this.#actions.get(next.item)
    this.#actions.delete(next.item)
    this.#ran++
    action?.()
    return true
  }
}
