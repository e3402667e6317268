import { spawn } from 'node:child_process'
import { createDecipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, writeFileSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const BLOCK_BYTES = 4 * 1024 * 1024

/** Writes deterministic words: any bit pattern is a Float32. */
export function writeNoise(path: string, byteLength: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(byteLength / 4))
  let state = seed >>> 0
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    words[index] = state ^ (state >>> 15)
  }
  const bytes = Buffer.from(words.buffer, 0, byteLength)
  writeFileSync(path, bytes)
  return bytes
}

/** SHA-256 of what `invert` must give, computed by bytes alone: bit 31 of each little-endian word, words reversed. */
export async function hashExpected(path: string, options: { reverse: boolean } = { reverse: true }): Promise<string> {
  const { size } = await stat(path)
  await using file = await open(path)
  const hash = createHash('sha256')
  for (let done = 0; done < size; done += BLOCK_BYTES) {
    const byteLength = Math.min(BLOCK_BYTES, size - done)
    const block = Buffer.alloc(byteLength)
    await file.read(block, 0, byteLength, options.reverse ? size - done - byteLength : done)
    for (let last = 3; last < byteLength; last += 4) block[last] = (block[last] ?? 0) ^ 0x80
    // Reversing bytes and then the bytes of each word reverses the words.
    hash.update(options.reverse ? block.reverse().swap32() : block)
  }
  return hash.digest('hex')
}

/** SHA-256 of a file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of createReadStream(path)) hash.update(block as Buffer)
  return hash.digest('hex')
}

/** SHA-256 of a sealed result's plain bytes, opened by Node's cipher with key and iv beside it. */
export async function hashDecrypted(sealed: string, keyFile?: string): Promise<string> {
  const folder = dirname(sealed)
  const key = await readFile(keyFile ?? join(folder, 'encryption_key.bin'))
  const iv = await readFile(join(folder, 'encryption_iv.bin'))
  const decipher = createDecipheriv('aes-256-cbc', key, iv)
  const hash = createHash('sha256')
  for await (const block of createReadStream(sealed)) hash.update(decipher.update(block as Buffer))
  return hash.update(decipher.final()).digest('hex')
}

/** The same by the `openssl` command. @returns undefined where there is none */
export async function hashDecryptedByOpenssl(sealed: string): Promise<string | undefined> {
  const folder = dirname(sealed)
  const key = (await readFile(join(folder, 'encryption_key.bin'))).toString('hex')
  const iv = (await readFile(join(folder, 'encryption_iv.bin'))).toString('hex')
  const args = ['enc', '-d', '-aes-256-cbc', '-K', key, '-iv', iv, '-in', sealed]
  const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const started = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)])
  if (!started) return undefined
  const ended = once(child, 'close')
  const hash = createHash('sha256')
  for await (const block of child.stdout) hash.update(block as Buffer)
  const [exitCode] = await ended
  if (exitCode !== 0) throw new Error(`openssl ended with ${exitCode}`)
  return hash.digest('hex')
}
