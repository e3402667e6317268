import type { Settings } from '../effects/effect.ts'
import { effectUnsuitable, quoted } from './chain-error.ts'
import { scaledNumber, splitNumber } from './number-word.ts'

/** A number with its unit, such as the width `1.2q` or the level `-16LUFS`. */
export interface Quantity {
  readonly value: number
  /** Empty when none was written. */
  readonly unit: string
}

/** A setting that is a number. @throws SwarmError EFFECT_UNSUITABLE when it is none; the parser lets none through */
export function numberSetting(settings: Settings, name: string): number {
  const setting = settings[name]
  if (typeof setting === 'number' && Number.isFinite(setting)) return setting
  throw effectUnsuitable(name, `expected a number, but got ${quoted(String(setting))}`)
}

/** A setting that is text. @throws SwarmError EFFECT_UNSUITABLE when it is none; the parser lets none through */
export function textSetting(settings: Settings, name: string): string {
  const setting = settings[name]
  if (typeof setting === 'string') return setting
  throw effectUnsuitable(name, `expected a word, but got ${quoted(String(setting))}`)
}

/** A width or level in its two parts. @throws SwarmError EFFECT_UNSUITABLE when it is none; the parser lets none through */
export function quantitySetting(settings: Settings, name: string): Quantity {
  const setting = settings[name]
  const number = splitNumber(String(setting))
  if (number === undefined) throw effectUnsuitable(name, `expected a number, but got ${quoted(String(setting))}`)
  return { value: scaledNumber(number, 0), unit: number.suffix }
}
