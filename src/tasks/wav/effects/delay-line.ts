/** Keeps samples for a fixed time. Starts with silence. */
export class DelayLine {
  readonly #line: Float64Array
  #at = 0

  /** @param frames of delay, from 0 */
  constructor(frames: number) {
    this.#line = new Float64Array(frames)
  }

  /**
   * Takes samples and gives those that came `frames` before.
   *
   * @param input read from index 0
   * @param output another array, written from index `at`
   */
  exchange(input: Float64Array, output: Float64Array, at: number, count: number): void {
    const line = this.#line
    const frames = line.length
    if (frames === 0) {
      for (let i = 0; i < count; i++) output[at + i] = input[i] as number
      return
    }
    let place = this.#at
    for (let i = 0; i < count; i++) {
      output[at + i] = line[place] as number
      line[place] = input[i] as number
      if (++place === frames) place = 0
    }
    this.#at = place
  }
}
