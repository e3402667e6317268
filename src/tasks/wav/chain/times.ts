import { effectUnsuitable, quoted } from './chain-error.ts'
import { scaledNumber, splitNumber } from './number-word.ts'

const SAMPLES = /^\d{1,15}s$/
const CLOCK = /^(?:(\d{1,5}):)?(\d{1,5}):(\d{1,5}(?:\.\d*)?)$/

/**
 * A time of a chain as {@link Settings} keep it: seconds, or text such as `48000s` for samples, whose length is known with
 * the rate only.
 *
 * @param word `1.5`, `250ms`, `1:30`, `1:02:03.5` or `48000s`
 * @returns undefined when it is none of these
 */
export function parseTime(word: string): number | string | undefined {
  if (SAMPLES.test(word)) return `${Number(word.slice(0, -1))}s`
  const clock = CLOCK.exec(word)
  if (clock !== null) return clockSeconds(clock)
  const number = splitNumber(word)
  if (number?.suffix === '') return scaledNumber(number, 0)
  if (number?.suffix.toLowerCase() === 'ms') return scaledNumber(number, -3)
  return undefined
}

/**
 * Seconds of a time setting.
 *
 * @param sampleRate in Hz
 * @throws SwarmError EFFECT_UNSUITABLE when the setting is no time; the parser lets none through
 */
export function secondsOf(setting: number | string | undefined, sampleRate: number): number {
  if (typeof setting === 'number' && Number.isFinite(setting)) return setting
  return samplesOf(setting) / sampleRate
}

/**
 * Frames of a time setting, rounded to the nearest; samples are taken as they are.
 *
 * @param sampleRate in Hz
 * @throws SwarmError EFFECT_UNSUITABLE when the setting is no time; the parser lets none through
 */
export function framesOf(setting: number | string | undefined, sampleRate: number): number {
  if (typeof setting === 'number' && Number.isFinite(setting)) return Math.round(setting * sampleRate)
  return samplesOf(setting)
}

function samplesOf(setting: number | string | undefined): number {
  if (typeof setting === 'string' && SAMPLES.test(setting)) return Number(setting.slice(0, -1))
  throw effectUnsuitable('time', `expected seconds or samples such as 48000s, but got ${quoted(String(setting))}`)
}

function clockSeconds(clock: RegExpExecArray): number | undefined {
  const [, hours, minutes = '', seconds = ''] = clock
  if (Number(seconds) >= 60 || (hours !== undefined && Number(minutes) >= 60)) return undefined
  return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds)
}
