/** Samples at or beyond full scale in a run of frames, and the runs of them, so that neighbours can be joined. */
export interface ClippedRuns {
  readonly frames: number
  readonly count: number
  readonly longest: number
  /** Length of the run that begins with the first frame; of the one that ends with the last. */
  readonly leading: number
  readonly trailing: number
}

/** What a run of no frames has. */
export const NO_CLIPPED_RUNS: ClippedRuns = { frames: 0, count: 0, longest: 0, leading: 0, trailing: 0 }

/** Counts clipped samples of one channel, as they come. */
export class ClippedCounter {
  #frames = 0
  #count = 0
  #longest = 0
  #leading = 0
  #run = 0

  /**
   * @param peak greatest magnitude among the frames: where it is below 1, they are not looked at
   */
  add(samples: Float64Array, from: number, until: number, peak: number): void {
    if (peak < 1) {
      this.#frames += until - from
      this.#run = 0
      return
    }
    for (let i = from; i < until; i++) {
      if (Math.abs(samples[i] as number) >= 1) {
        this.#count++
        this.#run++
        if (this.#run > this.#longest) this.#longest = this.#run
        if (this.#leading === this.#frames) this.#leading++
      } else {
        this.#run = 0
      }
      this.#frames++
    }
  }

  runs(): ClippedRuns {
    return {
      frames: this.#frames,
      count: this.#count,
      longest: this.#longest,
      leading: this.#leading,
      trailing: this.#run
    }
  }
}

/** Joins what neighbours have: `left` ends where `right` begins. */
export function joinClippedRuns(left: ClippedRuns, right: ClippedRuns): ClippedRuns {
  return {
    frames: left.frames + right.frames,
    count: left.count + right.count,
    longest: Math.max(left.longest, right.longest, left.trailing + right.leading),
    leading: left.leading === left.frames ? left.frames + right.leading : left.leading,
    trailing: right.trailing === right.frames ? right.frames + left.trailing : right.trailing
  }
}
