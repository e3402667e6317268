import type { Clock } from '../domain/clock.ts'

/** How long a peer that failed is asked after all others. */
export const OPERAND_BEHIND_MS = 10_000
/** Jobs whose liars are remembered; the oldest is forgotten first. */
const JOBS_REMEMBERED_MAX = 256

/** Owns what this worker thinks of the peers that it fetches blocks from, and how many it fetches from each now. */
export class OperandPeers {
  readonly #clock: Clock
  readonly #liars = new Map<string, Set<string>>()
  readonly #behindUntilMs = new Map<string, number>()
  readonly #fetching = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The peer gave false bytes: it is not asked for this job's blocks again. */
  refuse(jobId: string, peerId: string): void {
    const liars = this.#liars.get(jobId) ?? new Set()
    this.#liars.set(jobId, liars.add(peerId))
    const [oldest] = this.#liars.keys()
    if (this.#liars.size > JOBS_REMEMBERED_MAX && oldest !== undefined) this.#liars.delete(oldest)
  }

  isRefused(jobId: string, peerId: string): boolean {
    return this.#liars.get(jobId)?.has(peerId) === true
  }

  /** The peer failed, which may pass: for {@link OPERAND_BEHIND_MS} it is asked when no other is left. */
  putBehind(peerId: string): void {
    const nowMs = this.#clock.nowMs()
    for (const [other, untilMs] of this.#behindUntilMs) if (untilMs <= nowMs) this.#behindUntilMs.delete(other)
    this.#behindUntilMs.set(peerId, nowMs + OPERAND_BEHIND_MS)
  }

  isBehind(peerId: string): boolean {
    return (this.#behindUntilMs.get(peerId) ?? 0) > this.#clock.nowMs()
  }

  /** Blocks that are being fetched from this peer. */
  fetchingFrom(peerId: string): number {
    return this.#fetching.get(peerId) ?? 0
  }

  begin(peerId: string): void {
    this.#fetching.set(peerId, this.fetchingFrom(peerId) + 1)
  }

  end(peerId: string): void {
    const left = this.fetchingFrom(peerId) - 1
    if (left > 0) this.#fetching.set(peerId, left)
    else this.#fetching.delete(peerId)
  }

  forgetJob(jobId: string): void {
    this.#liars.delete(jobId)
  }
}
