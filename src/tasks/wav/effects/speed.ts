import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting } from '../chain/settings.ts'
import type { EffectKind } from './effect.ts'
import { planResampling } from './resample-plan.ts'
import { resampleRatio } from './resample-ratio.ts'

/** Factors are taken as whole millionths, so that every output frame's place is exact. */
const FACTOR_STEPS = 1_000_000

/** Plays faster or slower, higher or lower with it, at the same sample rate: like SoX's `speed`. */
export const speed: EffectKind = {
  name: 'speed',
  summary: 'Plays faster or slower, and higher or lower with it; steps of a millionth.',
  parameters: [{ name: 'factor', summary: 'above 1 is faster', kind: 'number', min: 0.1, max: 10 }],
  plan(settings, input) {
    const factor = numberSetting(settings, 'factor')
    if (!(factor >= 0.1 && factor <= 10)) {
      throw effectUnsuitable('speed', `expected a factor from 0.1 to 10, but got ${factor}`)
    }
    const ratio = resampleRatio(FACTOR_STEPS, Math.round(factor * FACTOR_STEPS))
    return planResampling(input, ratio, input.sampleRate)
  }
}
