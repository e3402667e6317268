/** Exit codes of the program, stable for scripts. @see README.md, "Exit codes" */
export const EXIT_CODES = {
  done: 0,
  jobFailed: 1,
  usage: 2,
  verificationFailed: 3,
  notAMember: 4,
  noPeers: 69,
  tryAgain: 75,
  interrupted: 130
} as const

/** One of the program's exit codes. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]

/**
 * An error whose cause the user or a peer can act on.
 *
 * `code` is stable and unique; branch on it, never on the message. The message says what was expected, what came and
 * what to do next.
 */
export class SwarmError extends Error {
  readonly code: string
  readonly exitCode: ExitCode

  constructor(code: string, message: string, options: ErrorOptions & { exitCode?: ExitCode } = {}) {
    super(message, options)
    this.name = 'SwarmError'
    this.code = code
    this.exitCode = options.exitCode ?? EXIT_CODES.jobFailed
  }
}
