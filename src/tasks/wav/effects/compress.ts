import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting } from '../chain/settings.ts'
import { secondsOf } from '../chain/times.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import { carried } from './carried-stream.ts'
import { CompressKernel, type CompressLaw, OCTAVE_DECIBELS } from './compress-kernel.ts'
import { type EffectKind, type PlannedEffect, PRE_ROLL_LEVEL, type Settings } from './effect.ts'
import { decayPerFrame, framesToDecay, LOUDEST_INPUT } from './envelope-time.ts'

/** Longest attack and release, in seconds. */
const SECONDS_MAX = 5

/**
 * Feed-forward compressor, linked over all channels: the level of each frame is its greatest sample; the gain follows a
 * static curve with a soft knee, smoothed in dB by attack and release. No other program's law: SoX's `compand` smooths the
 * level and draws its curve through points, FFmpeg's `acompressor` smooths a linear power.
 *
 * Pre-roll: the reduction E in dB goes to R + c (E − R) each frame, c the attack's factor for R > E, else the release's. As a
 * function of E that is continuous and piecewise linear, with slopes of these two only, so two runs of the same input come
 * closer by the slower factor at each frame. They start at most R(loudest input) apart, and ΔE dB change the output by at
 * most ln 10 / 20 · ΔE of itself, at most the make-up gain.
 * @see D. Giannoulis, M. Massberg, J. D. Reiss, "Digital Dynamic Range Compressor Design", JAES 60 (2012), 399
 */
export const compress: EffectKind = {
  name: 'compress',
  summary: 'turns what is louder than a threshold down by a ratio',
  parameters: [
    { name: 'threshold', summary: 'level above which it works, in dBFS', kind: 'gain', min: -100, max: 0 },
    { name: 'ratio', summary: 'dB of input for one dB of output', kind: 'number', min: 1, max: 1000 },
    { name: 'attack', summary: 'time to 1/e downwards', kind: 'time', min: 0, max: SECONDS_MAX, fallback: 0.005 },
    { name: 'release', summary: 'time to 1/e upwards', kind: 'time', min: 0, max: SECONDS_MAX, fallback: 0.1 },
    { name: 'knee', summary: 'width of the bend around the threshold', kind: 'gain', min: 0, max: 60, fallback: 6 },
    { name: 'makeup', summary: 'gain behind it', kind: 'gain', min: -60, max: 60, fallback: 0 }
  ],
  plan(settings, input) {
    const law = lawOf(settings, input.sampleRate)
    const preRoll = preRollOf(law, numberSetting(settings, 'threshold'))
    return {
      output: input,
      ...carried(input, { before: preRoll }, () => new CompressKernel(input.channels, law))
    } satisfies PlannedEffect
  }
}

function lawOf(settings: Settings, sampleRate: number): CompressLaw {
  return {
    threshold: numberSetting(settings, 'threshold') / OCTAVE_DECIBELS,
    slope: 1 - 1 / numberSetting(settings, 'ratio'),
    knee: numberSetting(settings, 'knee') / OCTAVE_DECIBELS,
    makeup: decibelsToGain(numberSetting(settings, 'makeup')),
    attack: decayOf(settings, 'attack', sampleRate),
    release: decayOf(settings, 'release', sampleRate)
  }
}

function decayOf(settings: Settings, name: 'attack' | 'release', sampleRate: number): number {
  const seconds = secondsOf(settings[name], sampleRate)
  if (seconds >= 0 && seconds <= SECONDS_MAX) return decayPerFrame(seconds, sampleRate)
  throw effectUnsuitable('compress', `expected 0 to ${SECONDS_MAX} s for ${name}, but got ${settings[name]}`)
}

function preRollOf(law: CompressLaw, thresholdDecibels: number): number {
  // 0.116 is more than ln 10 / 20; 60 dB are the loudest input's.
  const distance = 0.116 * (60 - thresholdDecibels) * law.makeup * LOUDEST_INPUT
  return framesToDecay(Math.max(law.attack, law.release), PRE_ROLL_LEVEL / Math.max(distance, PRE_ROLL_LEVEL))
}
