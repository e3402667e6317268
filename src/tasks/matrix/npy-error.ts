import { EXIT_CODES, SwarmError } from '../../errors.ts'

/** Longest excerpt of a file's header in a message, in characters. */
const EXCERPT_CHARS_MAX = 60

/** A file that breaks the .npy format. @returns SwarmError NPY_MALFORMED */
export function npyMalformed(name: string, problem: string): SwarmError {
  return new SwarmError('NPY_MALFORMED', `${name} is no valid .npy file: ${problem}`, { exitCode: EXIT_CODES.usage })
}

/** A proper .npy file that holds something else than a float matrix. @returns SwarmError NPY_UNSUPPORTED */
export function npyUnsupported(name: string, problem: string): SwarmError {
  return new SwarmError('NPY_UNSUPPORTED', `${name} cannot be used: ${problem}`, { exitCode: EXIT_CODES.usage })
}

/** Shortens what a file says of itself, for a message. */
export function excerpt(text: string): string {
  return text.length <= EXCERPT_CHARS_MAX ? text : `${text.slice(0, EXCERPT_CHARS_MAX)}…`
}
