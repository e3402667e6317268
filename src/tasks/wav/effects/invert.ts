import type { EffectKind } from './effect.ts'
import { ScaledStream } from './gain.ts'

/** Changes every sample's sign. */
export const invert: EffectKind = {
  name: 'invert',
  summary: 'Turns the polarity of all channels round.',
  parameters: [],
  plan: (_settings, input) => ({
    output: input,
    inputRange: (range) => range,
    open: (_range, source) => new ScaledStream(source, -1)
  })
}
