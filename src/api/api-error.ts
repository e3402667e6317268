import { EXIT_CODES, type ExitCode, SwarmError } from '../errors.ts'

/** A SwarmError as it crosses the socket. */
export interface ApiError {
  readonly code: string
  readonly message: string
  readonly exitCode: ExitCode
}

/** Turns anything thrown into what crosses the socket; stack traces stay here. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof SwarmError) return { code: error.code, message: error.message, exitCode: error.exitCode }
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL'
  return { code, message, exitCode: EXIT_CODES.jobFailed }
}

/** Takes the `error` field of an answer. @returns the error to throw, or undefined when there is none */
export function parseApiError(answer: unknown): SwarmError | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined
  const { error } = answer
  if (typeof error !== 'object' || error === null) return undefined
  const { code, message, exitCode } = error as Partial<Record<keyof ApiError, unknown>>
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const known = Object.values(EXIT_CODES).find((value) => value === exitCode)
  return new SwarmError(code, message, { exitCode: known ?? EXIT_CODES.jobFailed })
}

/** A request that this server does not take. */
export function malformed(message: string): SwarmError {
  return new SwarmError('REQUEST_MALFORMED', `request malformed: ${message}`, { exitCode: EXIT_CODES.usage })
}
