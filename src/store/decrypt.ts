import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { writeByRename } from './output-atomic.ts'
import { hmacPath, IV_FILE, KEY_FILE } from './output-names.ts'
import { CIPHER_BLOCK_BYTES, release } from './seal-cipher.ts'
import { IV_BYTES, KEY_BYTES, SealHmac, TAG_BYTES } from './seal-hmac.ts'

/** Bytes read at a time. */
const BLOCK_BYTES = 256 * 1024
const SEALED_SUFFIX = '.enc'

/** What {@link decryptResult} opens, and where to. */
export interface DecryptOptions {
  /** A sealed file, or the folder of a job with one. Key, IV and tag lie beside it. */
  readonly path: string
  /** Path of the opened file; that of the sealed one without `.enc` unless given. */
  readonly out?: string
  /** Where the key lies; beside the sealed file unless given. */
  readonly keyFile?: string
  /** Overwrite a file that exists. */
  readonly force?: boolean
  readonly signal: AbortSignal
  /** Called with bytes done out of a total that counts both passes: checking, then opening. */
  readonly onProgress?: (bytesDone: number, totalBytes: number) => void
}

/**
 * Opens a sealed result: checks its tag first, then decrypts. The opened file appears by rename, whole or not at all.
 * @returns absolute path and size of the opened file
 * @throws SwarmError SEALED_MISSING, SEALED_MALFORMED, SEAL_PART_MISSING, SEAL_PART_LENGTH, TAG_MISMATCH, OUTPUT_EXISTS,
 *   OUTPUT_WRITE_FAILED; the signal's reason
 */
export async function decryptResult(options: DecryptOptions): Promise<{ out: string; byteLength: number }> {
  const { force = false, onProgress, signal } = options
  signal.throwIfAborted()
  const sealedPath = await findSealed(resolve(options.path))
  const keyPath = resolve(options.keyFile ?? join(dirname(sealedPath), KEY_FILE))
  const key = await readPart(keyPath, KEY_BYTES, 'key')
  const iv = await readPart(join(dirname(sealedPath), IV_FILE), IV_BYTES, 'IV')
  const tag = await readPart(hmacPath(sealedPath), TAG_BYTES, 'tag')
  const out = outPath(sealedPath, options.out)
  await using sealed = await open(sealedPath, 'r')
  const { size } = await sealed.stat()
  checkLength(sealedPath, size)
  const checkTag = (hmac: SealHmac): void => {
    if (!timingSafeEqual(hmac.tag(), tag)) throw tagMismatch(sealedPath)
  }

  const first = new SealHmac(key, iv)
  await eachBlock(sealed, signal, (block, done) => {
    first.update(block)
    onProgress?.(done, size * 2)
  })
  checkTag(first)

  let byteLength = 0
  const decrypt = async (file: FileHandle): Promise<void> => {
    const decipher = createDecipheriv('aes-256-cbc', key, iv)
    // The tag again, over the bytes that are decrypted: the file may have changed since the first pass.
    const second = new SealHmac(key, iv)
    const write = async (plain: Buffer): Promise<void> => {
      byteLength += plain.byteLength
      await file.writeFile(plain)
      release(plain)
    }
    await eachBlock(sealed, signal, async (block, done) => {
      second.update(block)
      await write(decipher.update(block))
      onProgress?.(size + done, size * 2)
    })
    checkTag(second)
    await write(decipher.final())
  }
  await writeByRename(out, decrypt, { force, signal })
  return { out, byteLength }
}

async function findSealed(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return path
    const found = (await readdir(path)).filter((name) => name.endsWith(SEALED_SUFFIX) && !name.startsWith('.'))
    const [name] = found
    if (name !== undefined && found.length === 1) return join(path, name)
    const what = name === undefined ? 'no sealed result' : `${found.length} sealed files (${found.join(', ')})`
    throw usage('SEALED_MISSING', `${path} has ${what}; name the ${SEALED_SUFFIX} file itself`)
  } catch (error) {
    if (error instanceof SwarmError) throw error
    throw usage('SEALED_MISSING', `${path} cannot be opened; give a sealed file or the folder of a job`, error)
  }
}

async function readPart(path: string, byteLength: number, name: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw usage(
      'SEAL_PART_MISSING',
      `the ${name} cannot be read from ${path}; key, IV and tag must lie beside the sealed file`,
      error
    )
  }
  if (bytes.byteLength === byteLength) return bytes
  throw usage('SEAL_PART_LENGTH', `${path} has ${bytes.byteLength} bytes, but the ${name} has ${byteLength}`)
}

function outPath(sealedPath: string, out: string | undefined): string {
  if (out !== undefined) return resolve(out)
  return sealedPath.endsWith(SEALED_SUFFIX) ? sealedPath.slice(0, -SEALED_SUFFIX.length) : `${sealedPath}.open`
}

function checkLength(path: string, byteLength: number): void {
  if (byteLength > 0 && byteLength % CIPHER_BLOCK_BYTES === 0) return
  throw new SwarmError(
    'SEALED_MALFORMED',
    `${path} has ${byteLength} bytes; a sealed file has a multiple of ${CIPHER_BLOCK_BYTES} above 0: was it copied whole?`,
    { exitCode: EXIT_CODES.verificationFailed }
  )
}

/** Reads the file from its start, in blocks that are good until `use` is done. */
async function eachBlock(
  file: FileHandle,
  signal: AbortSignal,
  use: (block: Uint8Array, bytesDone: number) => Promise<void> | void
): Promise<void> {
  const block = new Uint8Array(BLOCK_BYTES)
  for (let position = 0; ; ) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    await use(block.subarray(0, bytesRead), position)
  }
}

function tagMismatch(path: string): SwarmError {
  return new SwarmError(
    'TAG_MISMATCH',
    `${path} does not match its tag: file, key, IV or tag was changed or belongs to another job; nothing was written`,
    { exitCode: EXIT_CODES.verificationFailed }
  )
}

function usage(code: string, message: string, cause?: unknown): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage, cause })
}
