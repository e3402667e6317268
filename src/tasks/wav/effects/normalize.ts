import type { AudioShape } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { quantitySetting } from '../chain/settings.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import type { EffectKind, PlannedEffect, SignalSummary } from './effect.ts'
import { ScaledStream } from './gain.ts'
import { TRUE_PEAK_UNIT } from './limit.ts'
import { planLimiter } from './limit-kernel.ts'

const LOUDNESS_UNIT = 'LUFS'
/** As the limiter's own defaults. */
const LOOKAHEAD_SECONDS = 0.005
const RELEASE_SECONDS = 0.05

/**
 * One gain for the whole audio, as a pass that measures it says: greatest sample at a level in dB, greatest true peak at one
 * in dBTP, or integrated loudness at one in LUFS. In LUFS, where the gain would lift peaks above the ceiling, and only then,
 * a limiter follows. Silence stays as it is.
 * @see EBU R 128; SoX's `norm`
 */
export const normalize: EffectKind = {
  name: 'normalize',
  summary: 'one gain that brings the greatest sample (dB), true peak (dBTP) or loudness (LUFS) to a level',
  parameters: [
    {
      name: 'level',
      summary: 'what is wanted',
      kind: 'level',
      units: ['dB', TRUE_PEAK_UNIT, LOUDNESS_UNIT],
      min: -100,
      max: 0,
      fallback: '0dB'
    },
    {
      name: 'ceiling',
      summary: 'where peaks are limited, with LUFS',
      kind: 'level',
      units: [TRUE_PEAK_UNIT, 'dB'],
      min: -100,
      max: 0,
      fallback: `-1${TRUE_PEAK_UNIT}`
    }
  ],
  measures: true,
  plan(settings, input, { measured }) {
    if (measured === undefined) {
      throw effectUnsuitable('normalize', 'expected what the audio measures, but it was not measured')
    }
    const level = quantitySetting(settings, 'level')
    const gain = gainTo(level.value, level.unit, measured)
    if (level.unit !== LOUDNESS_UNIT) return planGain(gain, input)
    const ceiling = quantitySetting(settings, 'ceiling')
    const isTruePeak = ceiling.unit === TRUE_PEAK_UNIT
    const greatest = decibelsToGain(ceiling.value)
    const peak = Math.max(...(isTruePeak ? measured.truePeaks : measured.peaks))
    if (!(peak * gain > greatest)) return planGain(gain, input)
    const lookahead = Math.max(Math.round(LOOKAHEAD_SECONDS * input.sampleRate), 1)
    return planLimiter({ ceiling: greatest, isTruePeak, gain, lookahead, release: RELEASE_SECONDS }, input)
  }
}

/** Factor that brings a signal to a level; 1 for silence. */
function gainTo(level: number, unit: string, measured: SignalSummary): number {
  if (unit === LOUDNESS_UNIT) {
    return Number.isFinite(measured.loudness) ? decibelsToGain(level - measured.loudness) : 1
  }
  const peak = Math.max(...(unit === TRUE_PEAK_UNIT ? measured.truePeaks : measured.peaks))
  return peak > 0 ? decibelsToGain(level) / peak : 1
}

function planGain(gain: number, input: AudioShape): PlannedEffect {
  return {
    output: input,
    inputRange: (range) => range,
    open: (_range, stream) => new ScaledStream(stream, gain)
  }
}
