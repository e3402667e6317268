import type { AudioShape } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { quantitySetting } from '../chain/settings.ts'
import { framesOf, secondsOf } from '../chain/times.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import type { EffectKind, Settings } from './effect.ts'
import { type LimitLaw, planLimiter } from './limit-kernel.ts'

/** In seconds. */
const LOOKAHEAD_MIN = 0.0005
const LOOKAHEAD_MAX = 0.1
const RELEASE_MAX = 5

/** The unit of levels that hold between samples too. */
export const TRUE_PEAK_UNIT = 'dBTP'

/**
 * Look-ahead limiter, linked over all channels: each frame's gain is the mean, over the look-ahead, of a released hold of
 * what its neighbours need; so it is never above what the frame itself needs, and changes without a step. With `dBTP`, what
 * lies between samples counts as well. No program has this law: FFmpeg's `alimiter` and SoX's `limiter` have others.
 */
export const limit: EffectKind = {
  name: 'limit',
  summary: 'keeps every sample below a ceiling, or, in dBTP, what lies between samples too',
  parameters: [
    {
      name: 'ceiling',
      summary: 'greatest level',
      kind: 'level',
      units: ['dB', TRUE_PEAK_UNIT],
      min: -100,
      max: 0
    },
    {
      name: 'lookahead',
      summary: 'time of the way down',
      kind: 'time',
      min: LOOKAHEAD_MIN,
      max: LOOKAHEAD_MAX,
      fallback: 0.005
    },
    { name: 'release', summary: 'time to 1/e of the way up', kind: 'time', min: 0, max: RELEASE_MAX, fallback: 0.05 }
  ],
  plan(settings, input) {
    return planLimiter(lawOf(settings, input), input)
  }
}

function lawOf(settings: Settings, { sampleRate }: AudioShape): LimitLaw {
  const { value, unit } = quantitySetting(settings, 'ceiling')
  const lookahead = framesOf(settings.lookahead, sampleRate)
  if (!(lookahead >= 1 && lookahead <= LOOKAHEAD_MAX * sampleRate)) {
    const problem = `expected a look-ahead of ${LOOKAHEAD_MIN} to ${LOOKAHEAD_MAX} s, but got ${settings.lookahead}`
    throw effectUnsuitable('limit', problem)
  }
  const release = secondsOf(settings.release, sampleRate)
  if (!(release >= 0 && release <= RELEASE_MAX)) {
    throw effectUnsuitable('limit', `expected a release of 0 to ${RELEASE_MAX} s, but got ${settings.release}`)
  }
  const ceiling = decibelsToGain(value)
  return { ceiling, isTruePeak: unit === TRUE_PEAK_UNIT, gain: 1, lookahead, release }
}
