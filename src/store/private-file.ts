import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { PRIVATE_FILE_MODE } from './home.ts'

/** Longest file read whole, in bytes; what is longer is none of ours. */
const FILE_BYTES_MAX = 64 * 1024

/**
 * Reads a small file that only its owner may see.
 *
 * @returns its text, or undefined when there is none.
 * @throws SwarmError with code FILE_EXPOSED when others may read or write it, FILE_UNREADABLE when it cannot be read.
 */
export function readPrivateFile(path: string): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return undefined
  const mode = status.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new SwarmError(
      'FILE_EXPOSED',
      `${path} holds a secret but has mode ${mode.toString(8)}, expected 600: if nobody else read it, run chmod 600 ${path}`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  if (!status.isFile() || status.size > FILE_BYTES_MAX) throw unreadable(path, 'it is no small file')
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable(path, (error as Error).message, error)
  }
}

/**
 * Writes a file for its owner alone, whole or not at all, durable on return.
 *
 * @returns false when `replace` is false and there is one already, which is left alone.
 */
export function writePrivateFile(path: string, text: string, options: { replace: boolean }): boolean {
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`
  const file = openSync(partial, 'wx', PRIVATE_FILE_MODE)
  try {
    try {
      writeSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (options.replace) renameSync(partial, path)
    // A link fails where a rename would overwrite: of two processes that create, one wins.
    else linkSync(partial, path)
    syncFolder(dirname(path))
    return true
  } catch (error) {
    if (!options.replace && (error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(partial, { force: true })
  }
}

function syncFolder(folder: string): void {
  // Windows opens no folders, and its renames need no sync.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function unreadable(path: string, why: string, cause?: unknown): SwarmError {
  return new SwarmError('FILE_UNREADABLE', `cannot read ${path}: ${why}`, { cause, exitCode: EXIT_CODES.usage })
}
