import { effectUnsuitable } from '../chain/chain-error.ts'
import { ShiftedStream } from './dc-offset-stream.ts'
import type { EffectKind, PlannedEffect } from './effect.ts'

/** Takes each channel's mean away from it, so that its mean becomes 0; a pass before measures it. */
export const dcOffset: EffectKind = {
  name: 'dc-offset',
  summary: 'removes each channel’s DC offset, as measured over the whole audio',
  parameters: [],
  measures: true,
  plan(_settings, input, { measured }) {
    if (measured?.dcOffsets.length !== input.channels) {
      throw effectUnsuitable('dc-offset', 'expected the measured mean of every channel, but the audio was not measured')
    }
    const shifts = measured.dcOffsets.map((mean) => -mean)
    return {
      output: input,
      inputRange: (range) => range,
      open: (_range, stream) => new ShiftedStream(stream, shifts)
    } satisfies PlannedEffect
  }
}
