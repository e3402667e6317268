/** A reduction below this turns no sample down: it is less than half of a double's last bit. */
const REDUCTION_FLOOR = 1e-17

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
  readonly #releaseFactor: number
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
  /** Whether all that is kept is 0. */
  #isAtRest = true

  /**
   * @param held frames, from `smoothed`
   * @param smoothed frames, from 1
   * @param release factor of a frame, 0 up to 1
   */
  constructor(held: number, smoothed: number, release: number) {
    this.#held = held
    this.#releaseFactor = release
    this.#candidates = new Float64Array(held)
    this.#cameAt = new Float64Array(held)
    this.#recent = new Float64Array(smoothed)
  }

  /**
   * @param reductions [≥ count] those that frames need, 0 to 1, become those that the frames `held − 1` before get
   * @param areNeeded false where all are 0
   * @returns whether any may be above 0 then
   */
  follow(reductions: Float64Array, areNeeded: boolean, count: number): boolean {
    if (!areNeeded && this.#isAtRest) {
      this.#frame += count
      // The order in which `settle` adds must not depend on how much is followed at once.
      this.#recentAt = (this.#recentAt + count) % this.#recent.length
      return false
    }
    this.#isAtRest = false
    if (areNeeded || this.#isHolding()) {
      this.#hold(reductions, count)
    } else {
      this.#candidateCount = 0
      this.#frame += count
    }
    this.#release(reductions, count)
    return true
  }

  /** Flushes what has decayed, and adds the sum anew, so that its rounding does not pile up. */
  settle(): void {
    if (this.#isAtRest) return
    const recent = this.#recent
    if (this.#last < REDUCTION_FLOOR) this.#last = 0
    let sum = 0
    for (let i = 0; i < recent.length; i++) {
      const value = recent[i] as number
      if (value < REDUCTION_FLOOR) recent[i] = 0
      else sum += value
    }
    this.#sum = sum
    this.#isAtRest = sum === 0 && this.#last === 0 && !this.#isHolding()
  }

  /** The first candidate is the greatest. */
  #isHolding(): boolean {
    return this.#candidateCount > 0 && (this.#candidates[this.#first] as number) > 0
  }

  /** Releases and smooths, in place, what was held. */
  #release(values: Float64Array, count: number): void {
    const recent = this.#recent
    const length = recent.length
    const scale = 1 / length
    const release = this.#releaseFactor
    let at = this.#recentAt
    let sum = this.#sum
    let last = this.#last
    for (let i = 0; i < count; i++) {
      const held = values[i] as number
      last = held >= last ? held : held + release * (last - held)
      sum += last - (recent[at] as number)
      recent[at] = last
      if (++at === length) at = 0
      values[i] = sum * scale
    }
    this.#recentAt = at
    this.#sum = sum
    this.#last = last
  }

  /** Makes of each value the greatest of the last `held`, itself included: candidates that it outdoes can be that no more. */
  #hold(values: Float64Array, count: number): void {
    const candidates = this.#candidates
    const cameAt = this.#cameAt
    const held = this.#held
    let frame = this.#frame
    let first = this.#first
    let kept = this.#candidateCount
    for (let i = 0; i < count; i++, frame++) {
      const value = values[i] as number
      if (kept > 0 && (cameAt[first] as number) <= frame - held) {
        if (++first === held) first = 0
        kept--
      }
      let place = first + kept
      if (place >= held) place -= held
      while (kept > 0) {
        const before = place === 0 ? held - 1 : place - 1
        if ((candidates[before] as number) > value) break
        place = before
        kept--
      }
      candidates[place] = value
      cameAt[place] = frame
      kept++
      values[i] = candidates[first] as number
    }
    this.#first = first
    this.#candidateCount = kept
    this.#frame = frame
  }
}
