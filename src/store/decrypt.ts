import { createDecipheriv, type Decipheriv, timingSafeEqual } from 'node:crypto'
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipe } from 'it-pipe'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { writeByRename } from './output-atomic.ts'
import { hmacPath, IV_FILE, KEY_FILE } from './output-names.ts'
import { CIPHER_BLOCK_BYTES, release } from './seal-cipher.ts'
import { IV_BYTES, KEY_BYTES, SealHmac, TAG_BYTES } from './seal-hmac.ts'

/** Bytes read at a time. */
const BLOCK_BYTES = 256 * 1024
const SEALED_SUFFIX = '.enc'

/** Parts of a file in order; each is good until the next is asked for. */
type Blocks = AsyncIterable<Uint8Array>

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
  // In both passes, the second time over the very bytes that are decrypted: the file may have changed in between.
  const readChecked = (doneBefore: number): Blocks =>
    pipe(
      readBlocks(sealed, (done) => onProgress?.(doneBefore + done, size * 2), { signal }),
      checkTag(sealedPath, new SealHmac(key, iv), tag)
    )
  await pipe(readChecked(0), drain)
  let byteLength = 0
  const write = async (file: FileHandle): Promise<void> => {
    byteLength = await pipe(readChecked(size), decipherWith(createDecipheriv('aes-256-cbc', key, iv)), writeTo(file))
  }
  await writeByRename(out, write, { force, signal })
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

/** Reads the file from its start. `onBytes` gets what was read and used so far. */
async function* readBlocks(
  file: FileHandle,
  onBytes: (bytesDone: number) => void,
  { signal }: { signal: AbortSignal }
): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES)
  for (let position = 0; ; ) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield block.subarray(0, bytesRead)
    onBytes(position)
  }
}

/** Passes blocks on, and fails after the last unless all of them have the tag. */
function checkTag(sealedPath: string, hmac: SealHmac, tag: Uint8Array): (blocks: Blocks) => Blocks {
  return async function* (blocks) {
    for await (const block of blocks) {
      hmac.update(block)
      yield block
    }
    if (!timingSafeEqual(hmac.tag(), tag)) throw tagMismatch(sealedPath)
  }
}

function decipherWith(decipher: Decipheriv): (blocks: Blocks) => AsyncIterable<Buffer> {
  return async function* (blocks) {
    for await (const block of blocks) yield decipher.update(block)
    yield decipher.final()
  }
}

/** Writes blocks, frees each, and tells how many bytes they were. */
function writeTo(file: FileHandle): (blocks: AsyncIterable<Buffer>) => Promise<number> {
  return async (blocks) => {
    let byteLength = 0
    for await (const block of blocks) {
      byteLength += block.byteLength
      await file.writeFile(block)
      release(block)
    }
    return byteLength
  }
}

async function drain(blocks: Blocks): Promise<void> {
  for await (const _ of blocks) {
    // Looking at them is the stages' business.
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
