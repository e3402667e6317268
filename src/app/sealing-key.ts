import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'

/** AES-256 key. */
const KEY_BYTES = 32

/** The user's key, or a fresh random one. @returns 32 bytes. @throws SwarmError KEY_UNREADABLE, KEY_LENGTH */
export async function readSealingKey(path: string | undefined): Promise<Uint8Array> {
  if (path === undefined) return randomBytes(KEY_BYTES)
  let key: Uint8Array
  try {
    key = await readFile(path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SwarmError('KEY_UNREADABLE', `the key file ${path} cannot be read: ${why}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
  if (key.byteLength === KEY_BYTES) return key
  throw new SwarmError(
    'KEY_LENGTH',
    `the key file ${path} has ${key.byteLength} bytes, expected ${KEY_BYTES} raw bytes: make one with "openssl rand -out ${path} 32"`,
    { exitCode: EXIT_CODES.usage }
  )
}
