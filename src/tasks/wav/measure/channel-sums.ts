import { PAIR_STATE_LENGTH, sampleLoops } from '../samples/loops/sample-loops.ts'
import type { KWeighting } from './k-weighting.ts'

/** States below are set to 0 at hop borders, since denormal numbers are slow. */
const STATE_LEAST = 1e-30
/** Where the filter is among the loops' parameters. */
const FILTER = 48
/** Where things are in the state of a pair, each of two channels. @see samples/loops/assembly/weigh.ts */
const SHELF = 4
const SUM = 12
const SQUARES = 14
const WEIGHTED = 16
const LEAST = 18
const GREATEST = 20

/**
 * Sums, extremes and K-weighting's state of all channels, two by two, over runs of frames that its owner cuts at the borders of
 * hops and bins. The frames lie in the blocks of {@link sampleLoops}, and so does the state between `begin` and `end`.
 */
export class ChannelSums {
  readonly #filter: Float64Array
  readonly #channels: number
  readonly #kept: Float64Array
  /** The kept state's place in the loops' memory. */
  readonly #state: Float64Array

  constructor(channels: number, filter: KWeighting) {
    const { b0, b1, b2, a1, a2, highPassA1, highPassA2 } = filter
    this.#filter = Float64Array.of(b0, b1, b2, a1, a2, highPassA1, highPassA2)
    this.#channels = channels
    this.#kept = new Float64Array(Math.ceil(channels / 2) * PAIR_STATE_LENGTH)
    this.#state = sampleLoops().states.subarray(0, this.#kept.length)
  }

  /** Puts the state where the loops find it. */
  begin(): void {
    sampleLoops().parameters.set(this.#filter, FILTER)
    this.#state.set(this.#kept)
  }

  /** Takes the state back. */
  end(): void {
    this.#kept.set(this.#state)
  }

  /** Takes frames `from` up to `until` of all blocks (at least one) into filters, sums and extremes. */
  add(from: number, until: number): void {
    const loops = sampleLoops()
    const filter = loops.parametersAt + FILTER * Float64Array.BYTES_PER_ELEMENT
    for (let channel = 0; channel < this.#channels; channel += 2) {
      const at = (channel >> 1) * PAIR_STATE_LENGTH
      this.#state.fill(Number.POSITIVE_INFINITY, at + LEAST, at + LEAST + 2)
      this.#state.fill(Number.NEGATIVE_INFINITY, at + GREATEST, at + GREATEST + 2)
      const left = loops.blockAt(channel)
      const right = channel + 1 < this.#channels ? loops.blockAt(channel + 1) : left
      loops.run.weighPair(left, right, from, until, filter, loops.stateAt(channel >> 1))
    }
  }

  /** Least sample of the latest {@link ChannelSums.add}. */
  least(channel: number): number {
    return this.#number(channel, LEAST)
  }

  /** Greatest sample of the latest {@link ChannelSums.add}. */
  greatest(channel: number): number {
    return this.#number(channel, GREATEST)
  }

  /** Since {@link ChannelSums.startHop}. */
  sum(channel: number): number {
    return this.#number(channel, SUM)
  }

  squares(channel: number): number {
    return this.#number(channel, SQUARES)
  }

  weightedSquares(channel: number): number {
    return this.#number(channel, WEIGHTED)
  }

  /** Clears the sums, and filter state that has decayed. */
  startHop(): void {
    for (let at = 0; at < this.#state.length; at += PAIR_STATE_LENGTH) {
      this.#state.fill(0, at + SUM, at + LEAST)
      for (let i = at + SHELF; i < at + SUM; i++) {
        if (Math.abs(this.#state[i] as number) < STATE_LEAST) this.#state[i] = 0
      }
    }
  }

  #number(channel: number, name: number): number {
    return this.#state[(channel >> 1) * PAIR_STATE_LENGTH + name + (channel & 1)] as number
  }
}
