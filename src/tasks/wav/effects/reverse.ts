import type { FrameRange } from '../audio-format.ts'
import { BLOCK_FRAMES, type EffectKind, type FrameStream } from './effect.ts'

/** Plays backwards: frame n of the output is the n-th of the input counted from its end. */
export const reverse: EffectKind = {
  name: 'reverse',
  summary: 'Plays everything backwards.',
  parameters: [],
  plan(_settings, input) {
    const inputRange = ({ start, end }: FrameRange): FrameRange => ({
      start: input.frames - end,
      end: input.frames - start
    })
    return {
      output: input,
      inputRange,
      open: ({ start, end }, source) => new ReversedStream(source, end - start)
    }
  }
}

/** Owns the whole range once the first frame is read, since that is the range's last: 8 bytes a sample. */
class ReversedStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  /** Frames not given yet; they are the first of the range. */
  #left: number
  #held: readonly Float64Array[] | undefined

  constructor(input: FrameStream, frames: number) {
    this.channels = input.channels
    this.#input = input
    this.#left = frames
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#held ??= holdAll(this.#input, this.#left)
    for (const [channel, held] of this.#held.entries()) {
      copyBackwards(held, this.#left, out[channel] as Float64Array, count)
    }
    this.#left -= count
    if (this.#left === 0) this.#held = []
  }
}

function holdAll(input: FrameStream, frames: number): readonly Float64Array[] {
  const held = Array.from({ length: input.channels }, () => new Float64Array(frames))
  for (let start = 0; start < frames; start += BLOCK_FRAMES) {
    const count = Math.min(BLOCK_FRAMES, frames - start)
    const block = held.map((samples) => samples.subarray(start, start + count))
    input.read(block, count)
  }
  return held
}

function copyBackwards(held: Float64Array, end: number, out: Float64Array, count: number): void {
  for (let index = 0; index < count; index++) out[index] = held[end - 1 - index] as number
}
