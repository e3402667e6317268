import { addAbortSignal, type Readable } from 'node:stream'
import { EXIT_CODES, SwarmError } from '../../errors.ts'

/** Longest text taken from stdin; a join code is much shorter. */
export const STDIN_CHARS_MAX = 4_096

/**
 * Finds the join code: the argument, `-` for stdin, else SWARM_CODE.
 *
 * @returns undefined when there is none
 * @throws SwarmError JOIN_CODE_MISSING when stdin was asked for and holds nothing, or too much
 */
export async function readJoinCode(
  argument: string | undefined,
  environment: string | undefined,
  stdin: Readable,
  waiting: { signal: AbortSignal }
): Promise<string | undefined> {
  if (argument !== '-') return argument ?? (environment === '' ? undefined : environment)
  let text = ''
  for await (const part of addAbortSignal(waiting.signal, stdin)) {
    text += String(part)
    if (text.length > STDIN_CHARS_MAX) break
  }
  const code = text.trim()
  if (code === '' || text.length > STDIN_CHARS_MAX) {
    throw new SwarmError(
      'JOIN_CODE_MISSING',
      code === ''
        ? 'expected a join code on stdin, got nothing: "swarm invite" on a member prints one'
        : `expected a join code on stdin, got more than ${STDIN_CHARS_MAX} characters`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  return code
}
