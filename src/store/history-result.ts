import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { SealHmac } from './seal-hmac.ts'

/** Bytes of every block that {@link readPlainResult} gives, but the last. */
export const PLAIN_BLOCK_BYTES = 256 * 1024

/** Where the files of a job's result are; a sealed one has all four. */
export interface ResultFiles {
  readonly result: string
  readonly key?: string
  readonly iv?: string
  readonly hmac?: string
}

/**
 * Reads a result, opening it on the way when it is sealed, so that its plain bytes never touch the disk. Blocks have
 * {@link PLAIN_BLOCK_BYTES}, the last what is left; each is good until the next is asked for. A sealed result's tag is
 * checked after its last byte: what was read counts only when this ends without an error.
 *
 * @throws SwarmError RESULT_MISSING when a file is not there any more, RESULT_UNREADABLE, TAG_MISMATCH; the signal's reason
 */
export async function* readPlainResult(
  files: ResultFiles,
  { signal }: { signal: AbortSignal }
): AsyncGenerator<Uint8Array> {
  const stored = readStored(files.result, { signal })
  yield* inBlocks(files.key === undefined ? stored : unseal(stored, files))
}

async function* readStored(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<Uint8Array> {
  await using file = await guard(path, () => open(path, 'r'))
  const block = new Uint8Array(PLAIN_BLOCK_BYTES)
  for (let position = 0; ; ) {
    signal.throwIfAborted()
    const { bytesRead } = await guard(path, () => file.read(block, 0, block.byteLength, position))
    if (bytesRead === 0) return
    position += bytesRead
    yield block.subarray(0, bytesRead)
  }
}

async function* unseal(sealed: AsyncIterable<Uint8Array>, files: ResultFiles): AsyncGenerator<Uint8Array> {
  const [key, iv, tag] = await Promise.all(
    [files.key, files.iv, files.hmac].map((path) => readPart(path, files.result))
  )
  if (key === undefined || iv === undefined || tag === undefined) throw missing(`a part of ${files.result}`)
  const { hmac, decipher } = openCipher(key, iv, files.result)
  for await (const block of sealed) {
    hmac.update(block)
    yield decipher.update(block)
  }
  const found = hmac.tag()
  if (tag.byteLength !== found.byteLength || !timingSafeEqual(tag, found)) throw tagMismatch(files.result)
  yield decipher.final()
}

function openCipher(key: Uint8Array, iv: Uint8Array, path: string) {
  try {
    return { hmac: new SealHmac(key, iv), decipher: createDecipheriv('aes-256-cbc', key, iv) }
  } catch (error) {
    // Only a wrong length of key or IV makes these throw.
    throw tagMismatch(path, error)
  }
}

/** Cuts or joins parts to blocks of one length. */
async function* inBlocks(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(PLAIN_BLOCK_BYTES)
  let filled = 0
  for await (const part of parts) {
    for (let taken = 0; taken < part.byteLength; ) {
      const piece = part.subarray(taken, taken + block.byteLength - filled)
      block.set(piece, filled)
      taken += piece.byteLength
      filled += piece.byteLength
      if (filled < block.byteLength) continue
      yield block
      filled = 0
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}

async function readPart(path: string | undefined, sealedPath: string): Promise<Uint8Array> {
  if (path === undefined) throw missing(`a part of ${sealedPath}`)
  return guard(path, () => readFile(path))
}

async function guard<Value>(path: string, operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing(path, error)
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('RESULT_UNREADABLE', `${path} cannot be read: ${reason}`, { cause: error })
  }
}

function missing(path: string, cause?: unknown): SwarmError {
  return new SwarmError('RESULT_MISSING', `${path} is not there any more`, { cause })
}

function tagMismatch(path: string, cause?: unknown): SwarmError {
  return new SwarmError(
    'TAG_MISMATCH',
    `${path} does not match its tag: file, key, IV or tag was changed since the job ended, so there is nothing to compare`,
    { exitCode: EXIT_CODES.verificationFailed, cause }
  )
}
