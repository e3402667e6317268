import type { AudioShape } from '../audio-format.ts'
import { numberSetting } from '../chain/settings.ts'
import { planBiquad } from './biquad.ts'
import { designBiquad, normalized, shelfAmplitude } from './biquad-coefficients.ts'
import type { PlannedEffect, Settings } from './effect.ts'

/**
 * Plans a shelving filter from `gain`, `frequency` and `width`. The high shelf is the low one mirrored at a quarter of the
 * sample rate: the cosine and every second coefficient change sign.
 *
 * @throws SwarmError EFFECT_UNSUITABLE when frequency, slope or ringing do not fit
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export function planShelf(effect: 'bass' | 'treble', settings: Settings, input: AudioShape): PlannedEffect {
  const a = shelfAmplitude(numberSetting(settings, 'gain'))
  const { cos, alpha } = designBiquad(effect, settings, input.sampleRate, a)
  const mirror = effect === 'bass' ? 1 : -1
  const c = mirror * cos
  const slope = 2 * Math.sqrt(a) * alpha
  const more = a + 1
  const less = a - 1
  const coefficients = normalized(
    [a * (more - less * c + slope), mirror * 2 * a * (less - more * c), a * (more - less * c - slope)],
    [more + less * c + slope, mirror * -2 * (less + more * c), more + less * c - slope]
  )
  return planBiquad(effect, coefficients, input)
}
