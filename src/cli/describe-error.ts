import { EXIT_CODES, type ExitCode, SwarmError } from '../errors.ts'
import { printable } from './printable.ts'

/** An error as it is shown. */
export interface DescribedError {
  readonly code: string
  readonly message: string
  readonly exitCode: ExitCode
}

/** Errors of the system that say what to do by themselves, with the exit code they deserve. */
const SYSTEM_EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  ENOENT: EXIT_CODES.usage,
  EACCES: EXIT_CODES.usage,
  EISDIR: EXIT_CODES.usage,
  ENOTDIR: EXIT_CODES.usage,
  ENOSPC: EXIT_CODES.tryAgain,
  EMFILE: EXIT_CODES.tryAgain
}

/** Finds code, text and exit code of anything that was thrown. */
export function describeError(error: unknown): DescribedError {
  if (error instanceof SwarmError) {
    return { code: error.code, message: printable(error.message), exitCode: error.exitCode }
  }
  if (!(error instanceof Error))
    return { code: 'INTERNAL', message: printable(String(error)), exitCode: EXIT_CODES.jobFailed }
  // oclif's own errors: an unknown flag, a missing argument.
  if ('oclif' in error || 'parse' in error) {
    return { code: 'USAGE', message: usageText(error.message), exitCode: EXIT_CODES.usage }
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL'
  return {
    code,
    message: printable(error.message || error.name),
    exitCode: SYSTEM_EXIT_CODES[code] ?? EXIT_CODES.jobFailed
  }
}

/** The pointer to the help, and a note on flags given more than once, which ours take one value each. */
const OCLIF_ADVICE = /^(See more help|Note: .* allow multiple values|Alternatively, you can use "--")/

/** Chain of causes with stack traces, for SWARM_DEBUG=1. */
export function describeCauses(error: unknown): string {
  const lines: string[] = []
  let cause: unknown = error
  for (let depth = 0; depth < 8 && cause instanceof Error; depth++) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${cause.stack ?? String(cause)}`)
    cause = cause.cause
  }
  return lines.join('\n')
}

/** Keeps oclif's line breaks, drops its colours and its advice; the command points to the help itself. */
function usageText(message: string): string {
  return message
    .split('\n')
    .map((line) => printable(stripColours(line)))
    .filter((line) => line.trim() !== '' && !OCLIF_ADVICE.test(line))
    .join('\n')
}

function stripColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
  return text.replace(/\u001b\[[0-9;]*m/g, '')
}
