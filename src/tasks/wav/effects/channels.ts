import { effectUnsuitable } from '../chain/chain-error.ts'
import { textSetting } from '../chain/settings.ts'
import { planarBlock } from './carried-stream.ts'
import { type ChannelMatrix, layoutMatrix, MATRIX_SYNTAX, parseMatrix, swapMatrix } from './channels-matrix.ts'
import type { EffectKind, FrameStream, Settings } from './effect.ts'

const LAYOUTS = ['mono', 'stereo', 'swap', 'mix']

/** Makes channels from channels. */
export const channels: EffectKind = {
  name: 'channels',
  summary: 'Mixes to mono or stereo, swaps left and right, or mixes by weights.',
  parameters: [
    { name: 'layout', summary: 'what to make', kind: 'choice', choices: LAYOUTS },
    { name: 'weights', summary: 'for mix: weights such as 0.5:0.5/1:0', kind: 'choice', optional: true }
  ],
  plan(settings, input) {
    const matrix = matrixOf(settings, input.channels)
    return {
      output: { ...input, channels: matrix.length },
      inputRange: (range) => range,
      open: (_range, source) => new MixedStream(source, matrix)
    }
  }
}

function matrixOf(settings: Settings, inputs: number): ChannelMatrix {
  const layout = textSetting(settings, 'layout')
  if ((layout === 'mix') !== (settings.weights !== undefined)) {
    const problem = layout === 'mix' ? 'expected weights after mix' : `expected no weights after ${layout}`
    throw effectUnsuitable('channels', `${problem}, but got ${settings.weights ?? 'none'}; ${MATRIX_SYNTAX}`)
  }
  switch (layout) {
    case 'mono':
      return layoutMatrix(inputs, 1)
    case 'stereo':
      return layoutMatrix(inputs, 2)
    case 'swap':
      return swapMatrix(inputs)
    case 'mix':
      return parseMatrix(textSetting(settings, 'weights'), inputs)
    default:
      throw effectUnsuitable('channels', `expected one of ${LAYOUTS.join(', ')}, but got ${layout}`)
  }
}

/** Owns a block of the input's frames. */
class MixedStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  readonly #matrix: ChannelMatrix
  readonly #block: readonly Float64Array[]

  constructor(input: FrameStream, matrix: ChannelMatrix) {
    this.channels = matrix.length
    this.#input = input
    this.#matrix = matrix
    this.#block = planarBlock(input.channels)
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#input.read(this.#block, count)
    for (const [output, weights] of this.#matrix.entries()) {
      const mixed = out[output] as Float64Array
      mixed.fill(0, 0, count)
      for (const [input, weight] of weights.entries()) {
        if (weight !== 0) addWeighted(mixed, this.#block[input] as Float64Array, count, weight)
      }
    }
  }
}

function addWeighted(sum: Float64Array, samples: Float64Array, count: number, weight: number): void {
  for (let index = 0; index < count; index++) {
    sum[index] = (sum[index] as number) + weight * (samples[index] as number)
  }
}
