import { SAMPLE_RATE_MAX, SAMPLE_RATE_MIN } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting } from '../chain/settings.ts'
import type { EffectKind } from './effect.ts'
import { planResampling } from './resample-plan.ts'
import { resampleRatio } from './resample-ratio.ts'

/** Changes the sample rate; pitch and duration stay. */
export const resample: EffectKind = {
  name: 'resample',
  summary: 'Changes the sample rate; pitch and duration stay.',
  parameters: [
    { name: 'rate', summary: 'new sample rate', kind: 'frequency', min: SAMPLE_RATE_MIN, max: SAMPLE_RATE_MAX }
  ],
  plan(settings, input) {
    const rate = numberSetting(settings, 'rate')
    if (!Number.isInteger(rate)) {
      throw effectUnsuitable('resample', `expected a sample rate in whole Hz, but got ${rate}; round it`)
    }
    return planResampling(input, resampleRatio(rate, input.sampleRate), rate)
  }
}
