import { planBiquad } from './biquad.ts'
import { designBiquad, normalized } from './biquad-coefficients.ts'
import { frequencyParameter, widthParameter } from './biquad-parameters.ts'
import type { EffectKind } from './effect.ts'

/**
 * Band-reject filter, SoX's bandreject.
 *
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export const notch: EffectKind = {
  name: 'notch',
  summary: 'Takes away a band around a frequency.',
  parameters: [frequencyParameter('middle of the band'), widthParameter(['h', 'q', 'o'])],
  plan(settings, input) {
    const { cos, alpha } = designBiquad('notch', settings, input.sampleRate)
    return planBiquad('notch', normalized([1, -2 * cos, 1], [1 + alpha, -2 * cos, 1 - alpha]), input)
  }
}
