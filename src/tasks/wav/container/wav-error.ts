import { EXIT_CODES, SwarmError } from '../../../errors.ts'

const DETAILS = { exitCode: EXIT_CODES.usage }

/** A WAV file that breaks its format. `offset` is in bytes. @returns SwarmError WAV_MALFORMED */
export function wavMalformed(path: string, offset: number, problem: string): SwarmError {
  return new SwarmError('WAV_MALFORMED', `${path} is no valid WAV file: at byte ${offset}, ${problem}`, DETAILS)
}

/** A file that does not begin as a WAV file does. @returns SwarmError WAV_UNKNOWN */
export function wavUnknown(path: string, offset: number, problem: string): SwarmError {
  return new SwarmError('WAV_UNKNOWN', `${path} is no WAV file: at byte ${offset}, ${problem}`, DETAILS)
}

/** A proper WAV file with something in it that is not read. @returns SwarmError WAV_UNSUPPORTED */
export function wavUnsupported(path: string, offset: number, problem: string): SwarmError {
  return new SwarmError('WAV_UNSUPPORTED', `${path} cannot be used: at byte ${offset}, ${problem}`, DETAILS)
}

/** A WAV file without a single frame. @returns SwarmError INPUT_EMPTY */
export function wavEmpty(path: string, offset: number): SwarmError {
  const problem = `expected audio from byte ${offset} on, but its data chunk holds not a single frame`
  return new SwarmError('INPUT_EMPTY', `${path} has no audio: ${problem}`, DETAILS)
}
