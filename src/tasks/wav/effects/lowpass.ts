import { numberSetting } from '../chain/settings.ts'
import { exactExp } from '../math/exact-math.ts'
import { planBiquad } from './biquad.ts'
import { angularFrequency, type BiquadCoefficients, designBiquad, normalized } from './biquad-coefficients.ts'
import { BUTTERWORTH_WIDTH, frequencyParameter, POLES_PARAMETER, widthParameter } from './biquad-parameters.ts'
import type { EffectKind, Settings } from './effect.ts'

/**
 * Low-pass filter. One pole: y[n] = (1 − p)·x[n] + p·y[n−1] with p = e^−ω, so that 0 Hz passes unchanged.
 *
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export const lowpass: EffectKind = {
  name: 'lowpass',
  summary: 'Takes away what is above a frequency.',
  parameters: [
    frequencyParameter('where the filter is 3 dB down'),
    widthParameter(['q', 'o', 'h'], BUTTERWORTH_WIDTH),
    POLES_PARAMETER
  ],
  plan: (settings, input) => planBiquad('lowpass', coefficientsOf(settings, input.sampleRate), input)
}

function coefficientsOf(settings: Settings, sampleRate: number): BiquadCoefficients {
  if (settings.poles === '1') {
    const pole = exactExp(-angularFrequency('lowpass', numberSetting(settings, 'frequency'), sampleRate))
    return { b0: 1 - pole, b1: 0, b2: 0, a1: -pole, a2: 0 }
  }
  const { cos, alpha } = designBiquad('lowpass', settings, sampleRate)
  return normalized([(1 - cos) / 2, 1 - cos, (1 - cos) / 2], [1 + alpha, -2 * cos, 1 - alpha])
}
