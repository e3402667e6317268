import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { writeByRename } from './output-atomic.ts'
import type { OutputPaths } from './output-names.ts'
import { syncFolder } from './sink-file.ts'

/** Only the owner may read the key. */
const KEY_MODE = 0o600
const FILE_MODE = 0o644

/** What opens a sealed result. */
interface SealParts {
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly hmac: Uint8Array
}

/**
 * Gives a finished partial file its final name. A sealed one gets its key, IV and tag first, so that a result never stands
 * without what opens it. Files appear by rename, whole or not at all. What was sealed from is removed before the result
 * appears, but after its tag did, by which a resume knows the sealed file as whole.
 * @returns absolute paths. @throws SwarmError OUTPUT_EXISTS, OUTPUT_WRITE_FAILED
 */
export async function publishOutputs(
  paths: OutputPaths,
  parts?: SealParts
): Promise<{ result: string; key?: string; iv?: string; hmac?: string }> {
  const { hmac, iv, key, partial, result, sealedPartial } = paths
  if (existsSync(result)) throw taken(result)
  if (parts === undefined || key === undefined || iv === undefined || hmac === undefined) {
    await guard(result, () => rename(partial, result))
    syncFolder(dirname(result))
    return { result }
  }
  await publishPart(key, parts.key, KEY_MODE)
  await publishPart(iv, parts.iv, FILE_MODE)
  await publishPart(hmac, parts.hmac, FILE_MODE)
  syncFolder(dirname(result))
  if (sealedPartial !== undefined) await guard(partial, () => rm(partial, { force: true }))
  await guard(result, () => rename(sealedPartial ?? partial, result))
  syncFolder(dirname(result))
  return { result, key, iv, hmac }
}

/** A part that stands already from a publication that was cut short is left; another job's is not overwritten. */
async function publishPart(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const there = existsSync(path) ? await guard(path, () => readFile(path)) : undefined
  if (there === undefined) {
    await writeByRename(path, (file) => file.writeFile(bytes), { force: false, mode })
  } else if (Buffer.compare(there, bytes) !== 0) {
    throw taken(path)
  }
}

function taken(path: string): SwarmError {
  return new SwarmError('OUTPUT_EXISTS', `${path} exists already and is another job's; move it away`, {
    exitCode: EXIT_CODES.usage
  })
}

async function guard<Value>(path: string, operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof SwarmError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('OUTPUT_WRITE_FAILED', `${path} cannot be written: ${reason}`, { cause: error })
  }
}
