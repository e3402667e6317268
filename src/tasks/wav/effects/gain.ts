import { numberSetting } from '../chain/settings.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import type { EffectKind, FrameStream } from './effect.ts'

/** Multiplies every sample. */
export const gain: EffectKind = {
  name: 'gain',
  summary: 'Makes everything louder or softer.',
  parameters: [{ name: 'gain', summary: 'gain', kind: 'gain', min: -240, max: 240 }],
  plan(settings, input) {
    const factor = decibelsToGain(numberSetting(settings, 'gain'))
    return {
      output: input,
      inputRange: (range) => range,
      open: (_range, source) => new ScaledStream(source, factor)
    }
  }
}

/** A stream's samples times a factor. */
export class ScaledStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  readonly #factor: number

  constructor(input: FrameStream, factor: number) {
    this.channels = input.channels
    this.#input = input
    this.#factor = factor
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#input.read(out, count)
    for (const samples of out) scale(samples, count, this.#factor)
  }
}

function scale(samples: Float64Array, count: number, factor: number): void {
  for (let index = 0; index < count; index++) samples[index] = (samples[index] as number) * factor
}
