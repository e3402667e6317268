import { frequencyParameter, GAIN_PARAMETER, widthParameter } from './biquad-parameters.ts'
import { planShelf } from './biquad-shelf.ts'
import type { EffectKind } from './effect.ts'

/** High shelf. @see https://www.w3.org/TR/audio-eq-cookbook/ */
export const treble: EffectKind = {
  name: 'treble',
  summary: 'Raises or lowers what is above a frequency.',
  parameters: [
    GAIN_PARAMETER,
    frequencyParameter('middle of the slope', 3000),
    widthParameter(['s', 'h', 'o', 'q'], '0.5s')
  ],
  plan: (settings, input) => planShelf('treble', settings, input)
}
