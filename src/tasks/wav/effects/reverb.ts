import type { AudioShape } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting, textSetting } from '../chain/settings.ts'
import { framesOf } from '../chain/times.ts'
import { carried } from './carried-stream.ts'
import type { EffectKind, PlannedEffect, Settings } from './effect.ts'
import { ReverbKernel, type ReverbPlan } from './reverb-kernel.ts'
import { reverbPreRoll } from './reverb-pre-roll.ts'
import { type ReverbChoice, tuneReverb } from './reverb-tuning.ts'

/** In seconds. */
const PRE_DELAY_MAX = 0.5
const WET_ONLY = 'wet-only'

/**
 * Freeverb as SoX plays it, in double precision. The audio gets no longer: what still sounds at its end is cut off, and
 * `pad 0 3` before makes room. Mono becomes stereo unless the stereo depth is 0; stereo with a depth is reverberated as the
 * mean of both channels, which differs between the sides; all else gets one and the same reverb for each channel.
 * @see SoX's `reverb`; Freeverb by "Jezar at Dreampoint"
 */
export const reverb: EffectKind = {
  name: 'reverb',
  summary: 'adds the reverberation of a room; mono becomes stereo unless stereo-depth is 0',
  parameters: [
    { name: 'reverberance', summary: 'how long it lasts', kind: 'percent', min: 0, max: 100, fallback: 50 },
    { name: 'damping', summary: 'how fast high frequencies decay', kind: 'percent', min: 0, max: 100, fallback: 50 },
    { name: 'room-scale', summary: 'size of the room', kind: 'percent', min: 0, max: 100, fallback: 100 },
    { name: 'stereo-depth', summary: 'how far the sides differ', kind: 'percent', min: 0, max: 100, fallback: 100 },
    {
      name: 'pre-delay',
      summary: 'time before the first reflection',
      kind: 'time',
      min: 0,
      max: PRE_DELAY_MAX,
      fallback: 0
    },
    { name: 'wet-gain', summary: 'level of the reverberation', kind: 'gain', min: -10, max: 10, fallback: 0 },
    {
      name: 'mix',
      summary: 'whether the audio itself is heard too',
      kind: 'choice',
      choices: ['with-dry', WET_ONLY],
      fallback: 'with-dry'
    }
  ],
  plan(settings, input) {
    const plan = planReverb(settings, input)
    const reach = plan.preDelay + Math.max(...plan.sides.map(reverbPreRoll))
    return {
      output: { ...input, channels: plan.outputChannels },
      ...carried(input, { before: reach }, () => new ReverbKernel(plan))
    } satisfies PlannedEffect
  }
}

function planReverb(settings: Settings, { channels, sampleRate }: AudioShape): ReverbPlan {
  const choice: ReverbChoice = {
    reverberance: numberSetting(settings, 'reverberance'),
    damping: numberSetting(settings, 'damping'),
    roomScale: numberSetting(settings, 'room-scale'),
    stereoDepth: channels > 2 ? 0 : numberSetting(settings, 'stereo-depth'),
    wetGain: numberSetting(settings, 'wet-gain')
  }
  const preDelay = framesOf(settings['pre-delay'], sampleRate)
  if (!(preDelay >= 0 && preDelay <= PRE_DELAY_MAX * sampleRate)) {
    throw effectUnsuitable(
      'reverb',
      `expected a pre-delay of 0 to ${PRE_DELAY_MAX} s, but got ${settings['pre-delay']}`
    )
  }
  const isWide = choice.stereoDepth > 0
  return {
    inputChannels: channels,
    outputChannels: isWide ? 2 : channels,
    sides: (isWide ? [0, 1] : [0]).map((side) => tuneReverb(choice, side, sampleRate)),
    preDelay,
    isWetOnly: textSetting(settings, 'mix') === WET_ONLY
  }
}
