import { CATALOGUE } from '../effects/catalogue.ts'
import type { EffectKind, Parameter } from '../effects/effect.ts'
import { formatSetting, unitsOf } from './read-setting.ts'

/** What `swarm effects` says of a parameter. */
export interface ParameterDescription {
  readonly name: string
  readonly summary: string
  readonly kind: Parameter['kind']
  /** How it may be written, with unit and range. */
  readonly expected: string
  /** Units of the number; the first is meant when none is written. */
  readonly units: readonly string[]
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** As it would be written. */
  readonly fallback?: string
  readonly required: boolean
}

/** What `swarm effects` says of an effect. */
export interface EffectDescription {
  readonly name: string
  readonly usage: string
  readonly summary: string
  /** Whether the whole input is measured first. */
  readonly measures: boolean
  readonly parameters: readonly ParameterDescription[]
}

/** All effects of the catalogue, in its order, as data for people and programs. */
export function describeEffects(): readonly EffectDescription[] {
  return CATALOGUE.map((kind) => ({
    name: kind.name,
    usage: usageOf(kind),
    summary: kind.summary,
    measures: kind.measures === true,
    parameters: kind.parameters.map(describeParameter)
  }))
}

/** An effect as it is written: required words in `<>`, others in `[]` with what is taken without them. */
export function usageOf(kind: EffectKind): string {
  const words = kind.parameters.map((parameter) => {
    if (isRequired(parameter)) return `<${parameter.name}>`
    if (parameter.fallback === undefined) return `[${parameter.name}]`
    return `[${parameter.name}=${formatSetting(parameter.fallback)}]`
  })
  return [kind.name, ...words].join(' ')
}

/** Whether a chain without this parameter is refused. */
export function isRequired(parameter: Parameter): boolean {
  return parameter.fallback === undefined && parameter.optional !== true
}

/** What a parameter takes, for people: kind, unit and range. */
export function expectedOf(parameter: Parameter): string {
  const { kind, min, max } = parameter
  if (kind === 'choice') return parameter.choices === undefined ? parameter.summary : oneOf(parameter.choices)
  if (kind === 'file') return 'a file path, between quotes if it has spaces, commas or ='
  const range = min === undefined && max === undefined ? '' : ` ${rangeText(min, max)}`
  return `${KIND_TEXT[kind](parameter)}${range}`
}

const KIND_TEXT: Readonly<Record<Exclude<Parameter['kind'], 'choice' | 'file'>, (parameter: Parameter) => string>> = {
  number: () => 'a number',
  frequency: () => 'a frequency in Hz such as 80 or 3.5k,',
  gain: () => 'a gain in dB such as -4 or -4dB,',
  percent: () => 'a percentage such as 35 or 35%,',
  time: () => 'a time such as 1.5, 250ms, 1:30 or 48000s (samples), in seconds',
  width: (parameter) => `a width with ${oneOf(unitsOf(parameter))} behind it (${unitsOf(parameter)[0]} without),`,
  level: (parameter) => `a level with ${oneOf(unitsOf(parameter))} behind it (${unitsOf(parameter)[0]} without),`
}

const KIND_UNITS: Readonly<Partial<Record<Parameter['kind'], readonly string[]>>> = {
  frequency: ['Hz', 'kHz'],
  gain: ['dB'],
  percent: ['%'],
  time: ['seconds', 'ms', 's (samples)']
}

function describeParameter(parameter: Parameter): ParameterDescription {
  const { name, summary, kind, min, max, choices, fallback } = parameter
  return {
    name,
    summary,
    kind,
    expected: expectedOf(parameter),
    units: KIND_UNITS[kind] ?? unitsOf(parameter),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(choices === undefined ? {} : { choices }),
    ...(fallback === undefined ? {} : { fallback: formatSetting(fallback) }),
    required: isRequired(parameter)
  }
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `up to ${max}`
  return max === undefined ? `from ${min}` : `from ${min} to ${max}`
}

function oneOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
