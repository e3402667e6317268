import { SAMPLE_RATE_MAX } from '../audio-format.ts'
import type { Parameter } from './effect.ts'

/** Gain of a shelf or peak goes from minus to plus this, in dB. */
const GAIN_DB_MAX = 60
const WIDTH_MIN = 0.001
const WIDTH_MAX = SAMPLE_RATE_MAX / 2

/** A filter's frequency; below half the sample rate, which the plan checks. */
export function frequencyParameter(summary: string, fallback?: number): Parameter {
  const common = { name: 'frequency', summary, kind: 'frequency', min: 0.1, max: SAMPLE_RATE_MAX / 2 } as const
  return fallback === undefined ? common : { ...common, fallback }
}

/** A filter's width. @param units the first is meant when none is written, as SoX has it */
export function widthParameter(units: readonly string[], fallback?: string): Parameter {
  const common = { name: 'width', summary: 'width of the filter', kind: 'width', units } as const
  const ranged = { ...common, min: WIDTH_MIN, max: WIDTH_MAX }
  return fallback === undefined ? ranged : { ...ranged, fallback }
}

/** Gain of a shelf or peak. */
export const GAIN_PARAMETER: Parameter = {
  name: 'gain',
  summary: 'gain in the band',
  kind: 'gain',
  min: -GAIN_DB_MAX,
  max: GAIN_DB_MAX
}

/** 1 or 2 poles, of the filters that have both. */
export const POLES_PARAMETER: Parameter = {
  name: 'poles',
  summary: 'two poles: 12 dB per octave; one: 6 dB per octave, without a width',
  kind: 'choice',
  choices: ['2', '1'],
  fallback: '2'
}

/** Width of a Butterworth filter, √½. */
export const BUTTERWORTH_WIDTH = '0.7071067811865476q'
