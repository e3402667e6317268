import type { FrameStream } from './effect.ts'

/** A stream with a constant of its own added to each channel. */
export class ShiftedStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  /** [channels] */
  readonly #shifts: readonly number[]

  constructor(input: FrameStream, shifts: readonly number[]) {
    this.channels = input.channels
    this.#input = input
    this.#shifts = shifts
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#input.read(out, count)
    for (const [channel, shift] of this.#shifts.entries()) addConstant(out[channel] as Float64Array, shift, count)
  }
}

function addConstant(samples: Float64Array, constant: number, count: number): void {
  for (let i = 0; i < count; i++) samples[i] = (samples[i] as number) + constant
}
