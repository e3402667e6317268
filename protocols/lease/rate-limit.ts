/**
 * Token bucket: lets `burst` through at once and `perSecond` in the long run. One per session and kind of message; owned
 * by the session, driven by what arrives.
 */
export class RateLimit {
  readonly #burst: number
  readonly #perMs: number
  #tokens: number
  #lastMs: number

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst
    this.#perMs = perSecond / 1_000
    this.#tokens = burst
    this.#lastMs = nowMs
  }

  /** Counts one. @returns false when it is one too many. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#lastMs) * this.#perMs)
    this.#lastMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
