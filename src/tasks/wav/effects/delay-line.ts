import { copyFrames } from '../samples/loops/sample-loops.ts'

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
   * @param output written from index `at`; may be the input itself where that is 0
   */
  exchange(input: Float64Array, output: Float64Array, at: number, count: number): void {
    const line = this.#line
    const frames = line.length
    if (frames === 0) {
      if (output !== input) copyFrames(input, 0, count, output, at)
      return
    }
    let place = this.#at
    for (let done = 0; done < count; ) {
      const run = Math.min(count - done, frames - place)
      swap(line, place, input, done, output, at + done, run)
      done += run
      place = place + run === frames ? 0 : place + run
    }
    this.#at = place
  }
}

function swap(
  line: Float64Array,
  place: number,
  input: Float64Array,
  from: number,
  output: Float64Array,
  at: number,
  count: number
): void {
  for (let i = 0; i < count; i++) {
    const taken = input[from + i] as number
    output[at + i] = line[place + i] as number
    line[place + i] = taken
  }
}
