import type { EffectKind, Parameter, Settings } from '../effects/effect.ts'
import { chainInvalid, didYouMean, quoted } from './chain-error.ts'
import type { ChainWord } from './chain-words.ts'
import { expectedOf, isRequired, usageOf } from './describe-effects.ts'
import { nearestName } from './near-names.ts'
import { readSetting } from './read-setting.ts'

/**
 * Reads the words behind an effect's name: values in the parameters' order, then name=value in any order.
 *
 * @param words the effect's name and all that follows it up to the comma
 * @returns settings of all parameters but optional ones that are left out
 * @throws SwarmError CHAIN_INVALID for a word that is missing, too many, twice there, or not what its parameter takes
 */
export function parseSettings(kind: EffectKind, words: readonly [ChainWord, ...ChainWord[]]): Settings {
  const [, ...values] = words
  const settings = new Map<string, number | string>()
  let firstNamed: ChainWord | undefined
  for (const [index, word] of values.entries()) {
    if (word.equals >= 0) {
      firstNamed ??= word
      readNamed(kind, word, settings)
    } else if (firstNamed === undefined) {
      readPositional(kind, values, index, settings)
    } else {
      const after = quoted(firstNamed.text)
      throw chainInvalid(word.column, `expected name=value after ${after}, but got ${quoted(word.text)}`, usageOf(kind))
    }
  }
  return withFallbacks(kind, settings, words.at(-1) ?? words[0])
}

function readPositional(
  kind: EffectKind,
  values: readonly ChainWord[],
  index: number,
  settings: Map<string, number | string>
): void {
  const word = values[index] as ChainWord
  const parameter = kind.parameters[index]
  const setting = parameter === undefined ? undefined : readSetting(parameter, word.text)
  if (parameter !== undefined && setting !== undefined) {
    settings.set(parameter.name, setting)
    return
  }
  const meant = meantWithoutSpace(kind, values, index) ?? nearestName(word.text, parameter?.choices ?? [])
  const count = kind.parameters.length
  const expected =
    parameter === undefined
      ? `a comma or the end after ${count} value${count === 1 ? '' : 's'} of ${kind.name}`
      : expectedFor(kind, parameter)
  throw chainInvalid(
    word.column,
    `expected ${expected}, but got ${quoted(word.text)}${didYouMean(meant)}`,
    usageOf(kind)
  )
}

/** A unit that stands alone behind its number: `-16 LUFS`. */
function meantWithoutSpace(kind: EffectKind, values: readonly ChainWord[], index: number): string | undefined {
  const before = kind.parameters[index - 1]
  const joined = `${values[index - 1]?.text}${values[index]?.text}`
  const takesUnit = before !== undefined && before.kind !== 'file' && before.kind !== 'choice'
  return takesUnit && /^[a-z%]+$/i.test(values[index]?.text ?? '') && readSetting(before, joined) !== undefined
    ? joined
    : undefined
}

function readNamed(kind: EffectKind, word: ChainWord, settings: Map<string, number | string>): void {
  const name = word.text.slice(0, word.equals)
  const value = word.text.slice(word.equals + 1)
  const parameter = kind.parameters.find((candidate) => candidate.name === name)
  if (parameter === undefined) {
    const names = kind.parameters.map((candidate) => candidate.name)
    const expected = names.length === 0 ? `nothing behind ${kind.name}` : `one of ${names.join(', ')} before the =`
    const problem = `expected ${expected}, but got ${quoted(word.text)}${didYouMean(nearestName(name, names))}`
    throw chainInvalid(word.column, problem, usageOf(kind))
  }
  if (settings.has(name)) {
    throw chainInvalid(word.column, `expected '${name}' once, but it comes a second time`, usageOf(kind))
  }
  const setting = readSetting(parameter, value)
  if (setting === undefined) {
    const problem = `expected ${expectedFor(kind, parameter)}, but got ${quoted(value)}`
    const meant = nearestName(value, parameter.choices ?? [])
    throw chainInvalid(word.column, problem + didYouMean(meant), usageOf(kind))
  }
  settings.set(name, setting)
}

function withFallbacks(kind: EffectKind, settings: ReadonlyMap<string, number | string>, last: ChainWord): Settings {
  const complete: Record<string, number | string> = {}
  for (const parameter of kind.parameters) {
    const setting = settings.get(parameter.name) ?? parameter.fallback
    if (setting !== undefined) complete[parameter.name] = setting
    else if (isRequired(parameter)) {
      const problem = `expected ${expectedFor(kind, parameter)} after ${quoted(last.text)}, but nothing follows`
      throw chainInvalid(last.column, problem, usageOf(kind))
    }
  }
  return complete
}

function expectedFor(kind: EffectKind, parameter: Parameter): string {
  return `${expectedOf(parameter)} for '${parameter.name}' of ${kind.name}`
}
