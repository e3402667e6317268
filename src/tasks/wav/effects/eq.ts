import { numberSetting } from '../chain/settings.ts'
import { planBiquad } from './biquad.ts'
import { designBiquad, normalized, shelfAmplitude } from './biquad-coefficients.ts'
import { frequencyParameter, GAIN_PARAMETER, widthParameter } from './biquad-parameters.ts'
import type { EffectKind } from './effect.ts'

/**
 * Peaking filter, SoX's equalizer.
 *
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export const eq: EffectKind = {
  name: 'eq',
  summary: 'Raises or lowers a band around a frequency.',
  parameters: [frequencyParameter('middle of the band'), widthParameter(['q', 'o', 'h']), GAIN_PARAMETER],
  plan(settings, input) {
    const { cos, alpha } = designBiquad('eq', settings, input.sampleRate)
    const amplitude = shelfAmplitude(numberSetting(settings, 'gain'))
    const numerator = [1 + alpha * amplitude, -2 * cos, 1 - alpha * amplitude] as const
    const denominator = [1 + alpha / amplitude, -2 * cos, 1 - alpha / amplitude] as const
    return planBiquad('eq', normalized(numerator, denominator), input)
  }
}
