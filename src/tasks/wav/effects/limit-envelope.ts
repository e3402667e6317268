import { STATE_FLOOR } from './carried-stream.ts'

/**
 * How far a limiter turns each frame down. From the reductions r that frames need:
 *
 * - held: h[n] = greatest r of frames n to n + held − 1
 * - released: u[n] = h[n] where h[n] ≥ u[n−1], else h[n] + release · (u[n−1] − h[n])
 * - smoothed: the mean of u over frames n − smoothed + 1 to n
 *
 * With held ≥ smoothed, each term of the mean is at least r[n], so the mean is too. All is given `held − 1` frames late.
 * State: the last frames' r and u, and u itself; two runs of the same input come closer by `release` at each frame.
 */
export class LimitEnvelope {
  readonly #held: number
  readonly #release: number
  /** Ring of candidates for the greatest of the last `held` frames, falling, with the frames they came at. */
  readonly #candidates: Float64Array
  readonly #cameAt: Float64Array
  #first = 0
  #candidateCount = 0
  /** Ring of the last u. */
  readonly #recent: Float64Array
  #recentAt = 0
  #sum = 0
  #last = 0
  #frame = 0

  /**
   * @param held frames, from `smoothed`
   * @param smoothed frames, from 1
   * @param release factor of a frame, 0 up to 1
   */
  constructor(held: number, smoothed: number, release: number) {
    this.#held = held
    this.#release = release
    this.#candidates = new Float64Array(held)
    this.#cameAt = new Float64Array(held)
    this.#recent = new Float64Array(smoothed)
  }

  /**
   * @param needed [≥ count] the reduction that frames need, 0 to 1
   * @param given [≥ count] written: the one that the frames `held − 1` before get
   */
  follow(needed: Float64Array, given: Float64Array, count: number): void {
    const recent = this.#recent
    const scale = 1 / recent.length
    const release = this.#release
    let at = this.#recentAt
    let sum = this.#sum
    let last = this.#last
    for (let i = 0; i < count; i++) {
      const held = this.#hold(needed[i] as number)
      last = held >= last ? held : held + release * (last - held)
      sum += last - (recent[at] as number)
      recent[at] = last
      if (++at === recent.length) at = 0
      given[i] = sum * scale
    }
    this.#recentAt = at
    this.#sum = sum
    this.#last = last
  }

  /** Flushes what has decayed, and adds the sum anew, so that its rounding does not pile up. */
  settle(): void {
    const recent = this.#recent
    if (this.#last < STATE_FLOOR) this.#last = 0
    let sum = 0
    for (let i = 0; i < recent.length; i++) {
      const value = recent[i] as number
      if (value < STATE_FLOOR) recent[i] = 0
      else sum += value
    }
    this.#sum = sum
  }

  /** Greatest of the last `held` values, this one included: candidates that it outdoes can be the greatest no more. */
  #hold(value: number): number {
    const candidates = this.#candidates
    const cameAt = this.#cameAt
    const held = this.#held
    const frame = this.#frame++
    let first = this.#first
    let count = this.#candidateCount
    if (count > 0 && (cameAt[first] as number) <= frame - held) {
      if (++first === held) first = 0
      count--
    }
    while (count > 0) {
      const end = first + count - 1
      if ((candidates[end < held ? end : end - held] as number) > value) break
      count--
    }
    const end = first + count
    const place = end < held ? end : end - held
    candidates[place] = value
    cameAt[place] = frame
    this.#first = first
    this.#candidateCount = count + 1
    return candidates[first] as number
  }
}
