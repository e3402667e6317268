import { EXIT_CODES, SwarmError } from '../../../errors.ts'

/** What counts as silence. */
export interface SilenceSettings {
  /** Silence begins where the level falls below, in dB of full scale. */
  readonly threshold: number
  /** Silence ends where the level rises above the threshold by as much, in dB. */
  readonly hysteresis: number
  /** Shorter silences count as sound, in seconds. */
  readonly leastSilence: number
  /** Sounds that are shorter and have silence on both sides count as silence, in seconds; 0 keeps all. */
  readonly leastSound: number
}

/** What is taken of a setting that is not given. */
export const SILENCE_DEFAULTS: SilenceSettings = { threshold: -40, hysteresis: 3, leastSilence: 2, leastSound: 0.1 }

interface Limits {
  readonly min: number
  readonly max: number
  readonly unit: 'dB' | 's'
}

/** Least and greatest value of each setting, and its unit. */
export const SILENCE_LIMITS: Readonly<Record<keyof SilenceSettings, Limits>> = {
  threshold: { min: -150, max: 0, unit: 'dB' },
  hysteresis: { min: 0, max: 40, unit: 'dB' },
  leastSilence: { min: 0.01, max: 86_400, unit: 's' },
  leastSound: { min: 0, max: 60, unit: 's' }
}

const NAMES = Object.keys(SILENCE_LIMITS) as (keyof SilenceSettings)[]
const NUMBER = String.raw`([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)`
const DECIBELS = new RegExp(`^${NUMBER}\\s*(?:dbfs|db)?$`, 'i')
const SECONDS = new RegExp(`^${NUMBER}\\s*(ms|s)?$`, 'i')
/** More of a wrong value is not repeated in an error. */
const SHOWN_CHARACTERS = 40

/**
 * Reads settings as users and job files give them: numbers, or text such as `-45dB`, `1.5s`, `300ms`.
 *
 * @param given values by name; those left out or undefined are {@link SILENCE_DEFAULTS}
 * @throws SwarmError SILENCE_SETTINGS when a name is unknown, or a value is unreadable or outside {@link SILENCE_LIMITS}
 */
export function parseSilenceSettings(given: Readonly<Record<string, unknown>>): SilenceSettings {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(SILENCE_LIMITS, name)) {
      throw refusal(`there is no silence setting ${shown(name)}; there are ${NAMES.join(', ')}`)
    }
  }
  const values = NAMES.map((name) => [name, parseValue(name, given[name])])
  return Object.fromEntries(values) as SilenceSettings
}

function parseValue(name: keyof SilenceSettings, given: unknown): number {
  if (given === undefined) return SILENCE_DEFAULTS[name]
  const { min, max, unit } = SILENCE_LIMITS[name]
  const value = typeof given === 'string' ? parseText(given.trim(), unit) : given
  if (typeof value === 'number' && value >= min && value <= max) return value
  const example = unit === 'dB' ? `${SILENCE_DEFAULTS[name]} or ${SILENCE_DEFAULTS[name]}dB` : '1.5, 1.5s or 300ms'
  throw refusal(
    `silence setting ${name}: expected ${min} to ${max} ${unit}, for example ${example}, but got ${shown(given)}`
  )
}

function parseText(text: string, unit: Limits['unit']): number | undefined {
  const match = (unit === 'dB' ? DECIBELS : SECONDS).exec(text)
  if (match === null) return undefined
  const value = Number(match[1])
  return match[2]?.toLowerCase() === 'ms' ? value / 1000 : value
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : String(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

function refusal(message: string): SwarmError {
  return new SwarmError('SILENCE_SETTINGS', message, { exitCode: EXIT_CODES.usage })
}
