import type { AudioShape, FrameRange } from '../audio-format.ts'
import type { BiquadCoefficients } from './biquad-coefficients.ts'
import { BIQUAD_STATE_LENGTH, filterOne, filterTwo, flushState } from './biquad-kernel.ts'
import { biquadPreRoll } from './biquad-pre-roll.ts'
import { BLOCK_FRAMES, type FrameStream, type PlannedEffect } from './effect.ts'

/**
 * Plans a second-order filter, whose ranges begin {@link biquadPreRoll} frames early with state zero.
 *
 * @throws SwarmError EFFECT_UNSUITABLE when it rings too long
 */
export function planBiquad(effect: string, coefficients: BiquadCoefficients, input: AudioShape): PlannedEffect {
  const preRoll = biquadPreRoll(effect, coefficients, input.sampleRate)
  const inputRange = ({ start, end }: FrameRange): FrameRange =>
    start === end ? { start, end } : { start: Math.max(0, start - preRoll), end }
  return {
    output: input,
    inputRange,
    open: (range, source) => new BiquadStream(coefficients, source, range.start - inputRange(range).start)
  }
}

/** Owns the state of one filter over one range; driven by its reader. */
class BiquadStream implements FrameStream {
  readonly channels: number
  readonly #coefficients: BiquadCoefficients
  readonly #input: FrameStream
  readonly #state: Float64Array
  #preRoll: number
  /** Frames until state is flushed next, counted from the first frame of the pre-roll. */
  #untilFlush = BLOCK_FRAMES

  constructor(coefficients: BiquadCoefficients, input: FrameStream, preRoll: number) {
    this.channels = input.channels
    this.#coefficients = coefficients
    this.#input = input
    this.#state = new Float64Array(input.channels * BIQUAD_STATE_LENGTH)
    this.#preRoll = preRoll
  }

  read(out: readonly Float64Array[], count: number): void {
    if (this.#preRoll > 0) this.#runPreRoll()
    this.#filter(out, count)
  }

  #runPreRoll(): void {
    const frames = Math.min(this.#preRoll, BLOCK_FRAMES)
    const dropped = Array.from({ length: this.channels }, () => new Float64Array(frames))
    while (this.#preRoll > 0) {
      const count = Math.min(this.#preRoll, frames)
      this.#filter(dropped, count)
      this.#preRoll -= count
    }
  }

  #filter(out: readonly Float64Array[], count: number): void {
    this.#input.read(out, count)
    let done = 0
    while (done < count) {
      const end = Math.min(count, done + this.#untilFlush)
      this.#filterRun(out, done, end)
      this.#untilFlush -= end - done
      done = end
      if (this.#untilFlush > 0) continue
      flushState(this.#state)
      this.#untilFlush = BLOCK_FRAMES
    }
  }

  #filterRun(out: readonly Float64Array[], from: number, to: number): void {
    let channel = 0
    for (; channel + 1 < this.channels; channel += 2) {
      const left = out[channel] as Float64Array
      const right = out[channel + 1] as Float64Array
      filterTwo(left, right, from, to, this.#coefficients, this.#state, channel * BIQUAD_STATE_LENGTH)
    }
    if (channel === this.channels) return
    const last = out[channel] as Float64Array
    filterOne(last, from, to, this.#coefficients, this.#state, channel * BIQUAD_STATE_LENGTH)
  }
}
