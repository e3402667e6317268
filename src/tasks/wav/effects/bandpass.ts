import { planBiquad } from './biquad.ts'
import { designBiquad, normalized } from './biquad-coefficients.ts'
import { frequencyParameter, widthParameter } from './biquad-parameters.ts'
import type { EffectKind } from './effect.ts'

/**
 * Band-pass filter with 0 dB in the middle.
 *
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export const bandpass: EffectKind = {
  name: 'bandpass',
  summary: 'Keeps a band around a frequency and takes away the rest.',
  parameters: [frequencyParameter('middle of the band'), widthParameter(['h', 'q', 'o'])],
  plan(settings, input) {
    const { cos, alpha } = designBiquad('bandpass', settings, input.sampleRate)
    return planBiquad('bandpass', normalized([alpha, 0, -alpha], [1 + alpha, -2 * cos, 1 - alpha]), input)
  }
}
