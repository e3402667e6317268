import type { Random } from './random.ts'
import type { WorkerPlan } from './scenario.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The connection of one worker to the submitter: late, lossy, repeating, cut or closed. */
export class VirtualLink {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #plan: WorkerPlan
  #generation = 0
  #open = false
  #cutUntilMs = 0

  constructor(time: VirtualTime, random: Random, plan: WorkerPlan) {
    this.#time = time
    this.#random = random
    this.#plan = plan
  }

  get isOpen(): boolean {
    return this.#open
  }

  get isCut(): boolean {
    return this.#time.nowMs < this.#cutUntilMs
  }

  open(): void {
    this.#open = true
    this.#generation++
  }

  /** What is under way is lost. */
  close(): void {
    this.#open = false
    this.#generation++
  }

  /** Nothing comes through for a while, and nobody is told. */
  cut(durationMs: number): void {
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#time.nowMs + durationMs)
  }

  /** Sends a message of `byteLength` bytes; it may be lost, or come twice. */
  send(byteLength: number, deliver: () => void): void {
    const { latencyMs, bytesPerMs, lossShare, duplicateShare } = this.#plan
    const generation = this.#generation
    const arrive = () => {
      if (generation === this.#generation && !this.isCut) deliver()
    }
    if (!this.#open || this.#random.chance(lossShare)) return
    const delayMs = latencyMs + byteLength / bytesPerMs
    this.#time.after(delayMs, arrive)
    if (this.#random.chance(duplicateShare)) this.#time.after(delayMs + this.#random.between(0, 3_000), arrive)
  }
}
