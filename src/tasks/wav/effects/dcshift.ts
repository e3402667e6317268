import { numberSetting } from '../chain/settings.ts'
import { ShiftedStream } from './dc-offset-stream.ts'
import type { EffectKind, PlannedEffect } from './effect.ts'

/** Adds a constant to every sample. @see SoX's `dcshift`, without its limiter */
export const dcshift: EffectKind = {
  name: 'dcshift',
  summary: 'adds a constant to every sample',
  parameters: [{ name: 'shift', summary: 'what is added; 1 is full scale', kind: 'number', min: -2, max: 2 }],
  plan(settings, input) {
    const shifts = new Array<number>(input.channels).fill(numberSetting(settings, 'shift'))
    return {
      output: input,
      inputRange: (range) => range,
      open: (_range, stream) => new ShiftedStream(stream, shifts)
    } satisfies PlannedEffect
  }
}
