import type { Parameter } from '../effects/effect.ts'
import { quoteWord } from './chain-words.ts'
import { type NumberWord, scaledNumber, splitNumber } from './number-word.ts'
import { parseTime } from './times.ts'

/** Units of a width, where a parameter names no others. */
const WIDTH_UNITS: readonly string[] = ['q', 'h', 'o']

/** What may follow the number, by kind, with the power of ten it stands for. In small letters. */
const SUFFIXES: Readonly<Partial<Record<Parameter['kind'], Readonly<Record<string, number>>>>> = {
  number: { '': 0 },
  frequency: { '': 0, hz: 0, k: 3, khz: 3 },
  gain: { '': 0, db: 0 },
  percent: { '': 0, '%': 0 }
}

/** Other ways to write the width unit `h`, with the power of ten they stand for. */
const HERTZ: Readonly<Record<string, number>> = { h: 0, hz: 0, k: 3, khz: 3 }

/**
 * Reads the word behind a parameter into what {@link Settings} keep.
 *
 * @returns undefined when it is not of the parameter's kind or out of its range
 */
export function readSetting(parameter: Parameter, word: string): number | string | undefined {
  switch (parameter.kind) {
    case 'choice':
      return parameter.choices === undefined || parameter.choices.includes(word) ? word || undefined : undefined
    case 'file':
      return word.includes('\0') ? undefined : word || undefined
    case 'time': {
      const time = parseTime(word)
      return typeof time === 'string' || isWithin(parameter, time) ? time : undefined
    }
    case 'width':
    case 'level':
      return readWithUnit(parameter, splitNumber(word))
    default:
      return readPlain(parameter, splitNumber(word))
  }
}

/** A setting as a word that {@link readSetting} reads as the same setting: numbers in shortest form. */
export function formatSetting(setting: number | string): string {
  return typeof setting === 'number' ? String(setting + 0) : quoteWord(setting)
}

/** The units that may follow a width or level; the first is meant when none does. */
export function unitsOf(parameter: Parameter): readonly string[] {
  return parameter.units ?? (parameter.kind === 'width' ? WIDTH_UNITS : [])
}

/** Whether a number is in a parameter's range. */
export function isWithin(parameter: Parameter, value: number | undefined): value is number {
  if (value === undefined || !Number.isFinite(value)) return false
  return value >= (parameter.min ?? value) && value <= (parameter.max ?? value)
}

function readPlain(parameter: Parameter, number: NumberWord | undefined): number | undefined {
  if (number === undefined) return undefined
  const suffix = number.suffix.toLowerCase()
  const suffixes = SUFFIXES[parameter.kind] ?? {}
  const power = Object.hasOwn(suffixes, suffix) ? suffixes[suffix] : undefined
  if (power === undefined) return undefined
  const value = scaledNumber(number, power)
  return isWithin(parameter, value) ? value : undefined
}

function readWithUnit(parameter: Parameter, number: NumberWord | undefined): string | undefined {
  if (number === undefined) return undefined
  const suffix = number.suffix.toLowerCase()
  const units = unitsOf(parameter)
  let unit = suffix === '' ? (units[0] ?? '') : units.find((candidate) => candidate.toLowerCase() === suffix)
  let power = 0
  if (unit === undefined && parameter.kind === 'width' && units.includes('h') && Object.hasOwn(HERTZ, suffix)) {
    unit = 'h'
    power = HERTZ[suffix] ?? 0
  }
  if (unit === undefined) return undefined
  const value = scaledNumber(number, power)
  return isWithin(parameter, value) ? `${value}${unit}` : undefined
}
