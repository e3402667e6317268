import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { syncFolder } from './sink-file.ts'

/**
 * Lets `write` fill a partial file beside `path`, then renames it; when `write` throws, the partial file is removed.
 * @throws SwarmError OUTPUT_EXISTS, OUTPUT_WRITE_FAILED; what `write` throws as SwarmError or by the signal
 */
export async function writeByRename(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  options: { force: boolean; mode?: number; signal?: AbortSignal }
): Promise<void> {
  options.signal?.throwIfAborted()
  refuseTaken(path, options.force)
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`)
  try {
    await mkdir(dirname(path), { recursive: true })
  } catch (error) {
    throw writeFailed(path, error)
  }
  try {
    await fill(partial, write, options.mode)
    options.signal?.throwIfAborted()
    refuseTaken(path, options.force)
    await rename(partial, path)
    syncFolder(dirname(path))
  } catch (error) {
    await rm(partial, { force: true })
    if (error instanceof SwarmError || options.signal?.aborted) throw error
    throw writeFailed(path, error)
  }
}

async function fill(
  partial: string,
  write: (file: FileHandle) => Promise<void>,
  mode: number | undefined
): Promise<void> {
  await using file = await open(partial, 'wx', mode)
  await write(file)
  await file.datasync()
}

function refuseTaken(path: string, force: boolean): void {
  if (force || !existsSync(path)) return
  throw new SwarmError('OUTPUT_EXISTS', `${path} exists already; choose another name or overwrite it with --force`, {
    exitCode: EXIT_CODES.usage
  })
}

function writeFailed(path: string, cause: unknown): SwarmError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SwarmError('OUTPUT_WRITE_FAILED', `${path} cannot be written: ${reason}`, { cause })
}
