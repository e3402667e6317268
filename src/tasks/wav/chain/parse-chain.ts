import { CATALOGUE, SOX_NAMES } from '../effects/catalogue.ts'
import { CHAIN_CHARS_MAX, CHAIN_EFFECTS_MAX, type Chain, type ChainEffect } from './chain.ts'
import { chainInvalid, didYouMean, quoted } from './chain-error.ts'
import { type ChainWord, cutWords, type WordGroup } from './chain-words.ts'
import { nearestName } from './near-names.ts'
import { parseSettings } from './parse-settings.ts'

/**
 * Reads a chain such as `highpass 80, eq 3000 1.2q -4, reverb 35 damping=60, normalize -16LUFS`: effects between commas,
 * each with its values in order and then, as name=value, any that are left.
 *
 * @param text at most {@link CHAIN_CHARS_MAX} UTF-16 units; blank for the empty chain
 * @returns at most {@link CHAIN_EFFECTS_MAX} effects
 * @throws SwarmError CHAIN_INVALID with the column, what was expected, what came and the effect's usage
 */
export function parseChain(text: string): Chain {
  if (text.length > CHAIN_CHARS_MAX) {
    throw chainInvalid(CHAIN_CHARS_MAX + 1, `expected at most ${CHAIN_CHARS_MAX} characters, but got ${text.length}`)
  }
  const groups = cutWords(text)
  if (groups.length === 1 && groups[0]?.words.length === 0) return []
  const excess = groups[CHAIN_EFFECTS_MAX]
  if (excess !== undefined) {
    throw chainInvalid(excess.column, `expected at most ${CHAIN_EFFECTS_MAX} effects, but got ${groups.length}`)
  }
  return groups.map(parseEffect)
}

function parseEffect({ column, words }: WordGroup): ChainEffect {
  const [name, ...values] = words
  if (name === undefined) {
    throw chainInvalid(column, 'expected an effect before or after this comma, but there is none; take the comma out')
  }
  const kind = CATALOGUE.find((candidate) => candidate.name === name.text)
  if (kind === undefined) throw unknownEffect(name)
  return { kind, settings: parseSettings(kind, [name, ...values]) }
}

function unknownEffect(word: ChainWord): Error {
  const names = CATALOGUE.map((kind) => kind.name)
  const name = word.text.toLowerCase()
  const meant = Object.hasOwn(SOX_NAMES, name) ? SOX_NAMES[name] : nearestName(name, names)
  const problem = `expected an effect's name, but got ${quoted(word.text)}${didYouMean(meant)}`
  return chainInvalid(word.column, `${problem}. Effects: ${names.join(', ')}`)
}
