import { frequencyParameter, GAIN_PARAMETER, widthParameter } from './biquad-parameters.ts'
import { planShelf } from './biquad-shelf.ts'
import type { EffectKind } from './effect.ts'

/** Low shelf. @see https://www.w3.org/TR/audio-eq-cookbook/ */
export const bass: EffectKind = {
  name: 'bass',
  summary: 'Raises or lowers what is below a frequency.',
  parameters: [
    GAIN_PARAMETER,
    frequencyParameter('middle of the slope', 100),
    widthParameter(['s', 'h', 'o', 'q'], '0.5s')
  ],
  plan: (settings, input) => planShelf('bass', settings, input)
}
