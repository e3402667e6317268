import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'

/** A file that can be a job's input. */
export interface InputFile {
  /** Absolute. */
  readonly path: string
  readonly byteLength: number
  /** Modification time in Unix ms, so that a changed file is noticed. */
  readonly modifiedMs: number
}

/**
 * Checks that a path names a readable, regular file.
 * @throws SwarmError INPUT_MISSING, INPUT_NOT_A_FILE, INPUT_UNREADABLE
 */
export async function checkInputFile(path: string): Promise<InputFile> {
  const absolute = resolve(path)
  try {
    // Before opening: opening a pipe would wait for its writer.
    if (!(await stat(absolute)).isFile()) {
      throw refusal('INPUT_NOT_A_FILE', `${absolute} is no regular file; give a file, not a folder, pipe or device`)
    }
    await using file = await open(absolute, 'r')
    await file.read(new Uint8Array(1), 0, 1, 0)
    const { mtimeMs, size } = await file.stat()
    return { path: absolute, byteLength: size, modifiedMs: mtimeMs }
  } catch (error) {
    throw refusalOf(absolute, error)
  }
}

function refusalOf(path: string, error: unknown): SwarmError {
  if (error instanceof SwarmError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return refusal('INPUT_MISSING', `there is no file ${path}; check the path`, error)
  }
  const reason = error instanceof Error ? error.message : String(error)
  return refusal('INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, error)
}

function refusal(code: string, message: string, cause?: unknown): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage, cause })
}
