import { numberSetting } from '../chain/settings.ts'
import { exactExp } from '../math/exact-math.ts'
import { planBiquad } from './biquad.ts'
import { angularFrequency, type BiquadCoefficients, designBiquad, normalized } from './biquad-coefficients.ts'
import { BUTTERWORTH_WIDTH, frequencyParameter, POLES_PARAMETER, widthParameter } from './biquad-parameters.ts'
import type { EffectKind, Settings } from './effect.ts'

/**
 * High-pass filter. One pole: y[n] = g·(x[n] − x[n−1]) + p·y[n−1] with p = e^−ω and g = (1 + p)/2, so that half the sample
 * rate passes unchanged.
 *
 * @see https://www.w3.org/TR/audio-eq-cookbook/
 */
export const highpass: EffectKind = {
  name: 'highpass',
  summary: 'Takes away what is below a frequency.',
  parameters: [
    frequencyParameter('where the filter is 3 dB down'),
    widthParameter(['q', 'o', 'h'], BUTTERWORTH_WIDTH),
    POLES_PARAMETER
  ],
  plan: (settings, input) => planBiquad('highpass', coefficientsOf(settings, input.sampleRate), input)
}

function coefficientsOf(settings: Settings, sampleRate: number): BiquadCoefficients {
  if (settings.poles === '1') {
    const pole = exactExp(-angularFrequency('highpass', numberSetting(settings, 'frequency'), sampleRate))
    const gain = (1 + pole) / 2
    return { b0: gain, b1: -gain, b2: 0, a1: -pole, a2: 0 }
  }
  const { cos, alpha } = designBiquad('highpass', settings, sampleRate)
  return normalized([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha])
}
