import type { KWeighting } from './k-weighting.ts'

/** States below are set to 0 at hop borders, since denormal numbers are slow. */
const STATE_LEAST = 1e-30

/** Sums, extremes and filter state of one channel, over runs of frames that its owner cuts at the borders of hops and bins. */
export class ChannelSums {
  /** Since {@link ChannelSums.startHop}. */
  sum = 0
  squares = 0
  weightedSquares = 0
  /** Of the latest {@link ChannelSums.add}. */
  least = 0
  greatest = 0

  readonly #filter: KWeighting
  #shelf1 = 0
  #shelf2 = 0
  #pass1 = 0
  #pass2 = 0

  constructor(filter: KWeighting) {
    this.#filter = filter
  }

  /** Clears the sums, and filter state that has decayed. */
  startHop(): void {
    this.sum = 0
    this.squares = 0
    this.weightedSquares = 0
    if (Math.abs(this.#shelf1) + Math.abs(this.#shelf2) < STATE_LEAST) this.#shelf1 = this.#shelf2 = 0
    if (Math.abs(this.#pass1) + Math.abs(this.#pass2) < STATE_LEAST) this.#pass1 = this.#pass2 = 0
  }

  /** Takes frames `from` up to `until` of `samples` (at least one) into filter, sums and extremes. */
  add(samples: Float64Array, from: number, until: number): void {
    const { b0, b1, b2, a1, a2, highPassA1, highPassA2 } = this.#filter
    let shelf1 = this.#shelf1
    let shelf2 = this.#shelf2
    let pass1 = this.#pass1
    let pass2 = this.#pass2
    let sum = this.sum
    let squares = this.squares
    let weightedSquares = this.weightedSquares
    let least = samples[from] as number
    let greatest = least
    for (let i = from; i < until; i++) {
      const x = samples[i] as number
      const y = b0 * x + shelf1
      shelf1 = b1 * x - a1 * y + shelf2
      shelf2 = b2 * x - a2 * y
      const w = y + pass1
      pass1 = pass2 - 2 * y - highPassA1 * w
      pass2 = y - highPassA2 * w
      sum += x
      squares += x * x
      weightedSquares += w * w
      if (x < least) least = x
      if (x > greatest) greatest = x
    }
    this.#shelf1 = shelf1
    this.#shelf2 = shelf2
    this.#pass1 = pass1
    this.#pass2 = pass2
    this.sum = sum
    this.squares = squares
    this.weightedSquares = weightedSquares
    this.least = least
    this.greatest = greatest
  }
}
