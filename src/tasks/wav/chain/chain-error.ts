import { EXIT_CODES, SwarmError } from '../../../errors.ts'

/** Longest excerpt of a chain in a message, in UTF-16 units. */
const EXCERPT_CHARS_MAX = 60

/**
 * A text that is no chain.
 *
 * @param column of the text's first character that is wrong, from 1
 * @param usage of the effect it is in, when that is known
 * @returns SwarmError CHAIN_INVALID
 */
export function chainInvalid(column: number, problem: string, usage?: string): SwarmError {
  const advice = usage === undefined ? '' : `. Usage: ${usage}`
  const message = `effects, column ${column}: ${problem}${advice}`
  return new SwarmError('CHAIN_INVALID', message, { exitCode: EXIT_CODES.usage })
}

/** An effect whose settings do not fit together or do not fit the audio. @returns SwarmError EFFECT_UNSUITABLE */
export function effectUnsuitable(effect: string, problem: string): SwarmError {
  return new SwarmError('EFFECT_UNSUITABLE', `${effect}: ${problem}`, { exitCode: EXIT_CODES.usage })
}

/** A word of the user's between quotes, shortened for a message. */
export function quoted(word: string): string {
  return word.length <= EXCERPT_CHARS_MAX ? `'${word}'` : `'${word.slice(0, EXCERPT_CHARS_MAX)}…'`
}

/** A hint behind what came, if there is one to give. */
export function didYouMean(word: string | undefined): string {
  return word === undefined ? '' : ` (did you mean ${word}?)`
}
