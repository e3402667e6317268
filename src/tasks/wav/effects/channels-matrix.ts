import { CHANNELS_MAX } from '../audio-format.ts'
import { effectUnsuitable, quoted } from '../chain/chain-error.ts'
import { scaledNumber, splitNumber } from '../chain/number-word.ts'

/** Weight of each input channel in each output channel: [outputs][inputs]. */
export type ChannelMatrix = readonly (readonly number[])[]

/** Greatest weight, either sign. */
const WEIGHT_MAX = 1000

/** The matrix that sends each output channel to one input channel. */
export function selectionMatrix(inputs: number, selected: readonly number[]): ChannelMatrix {
  return selected.map((source) => Array.from({ length: inputs }, (_, input) => (input === source ? 1 : 0)))
}

/**
 * The matrix for another number of channels, as SoX's `channels` has it: input channels are dealt out over the output's in
 * turn and each output is the mean of its own; with more outputs than inputs, inputs are repeated in turn.
 */
export function layoutMatrix(inputs: number, outputs: number): ChannelMatrix {
  if (outputs >= inputs) {
    return selectionMatrix(
      inputs,
      Array.from({ length: outputs }, (_, output) => output % inputs)
    )
  }
  return Array.from({ length: outputs }, (_, output) => {
    const count = Math.ceil((inputs - output) / outputs)
    return Array.from({ length: inputs }, (_unused, input) => (input % outputs === output ? 1 / count : 0))
  })
}

/** Swaps the channels of each pair; an odd last one stays. */
export function swapMatrix(inputs: number): ChannelMatrix {
  const even = inputs - (inputs % 2)
  return selectionMatrix(
    inputs,
    Array.from({ length: inputs }, (_, output) => (output < even ? output ^ 1 : output))
  )
}

/**
 * Reads weights such as `0.5:0.5/1:0`: output channels between `/`, and of each the weights of all input channels between
 * `:`.
 *
 * @throws SwarmError EFFECT_UNSUITABLE when it is none, or not for this number of input channels
 */
export function parseMatrix(word: string, inputs: number): ChannelMatrix {
  const rows = word.split('/')
  if (rows.length > CHANNELS_MAX) {
    throw effectUnsuitable('channels', `expected at most ${CHANNELS_MAX} output channels, but got ${rows.length}`)
  }
  return rows.map((row) => {
    const weights = row.split(':')
    if (weights.length !== inputs) {
      const expected = `expected one weight for each of ${inputs} input channel${inputs === 1 ? '' : 's'}`
      throw effectUnsuitable('channels', `${expected} in each row, but got ${quoted(row)}; ${MATRIX_SYNTAX}`)
    }
    return weights.map(parseWeight)
  })
}

/** How a matrix is written, for messages. */
export const MATRIX_SYNTAX =
  'write the weights of all input channels for each output channel, such as 0.5:0.5/1:0 for two of two'

function parseWeight(word: string): number {
  const number = splitNumber(word)
  const weight = number?.suffix === '' ? scaledNumber(number, 0) : Number.NaN
  if (Math.abs(weight) <= WEIGHT_MAX) return weight
  const expected = `expected a weight from ${-WEIGHT_MAX} to ${WEIGHT_MAX}`
  throw effectUnsuitable('channels', `${expected}, but got ${quoted(word)}; ${MATRIX_SYNTAX}`)
}
