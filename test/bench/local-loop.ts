// The yardstick: one process, one thread, no network. Reads blocks from the file's end, inverts, reverses, encrypts, writes.
import { createCipheriv, createHmac } from 'node:crypto'
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'

const BLOCK_BYTES = 256 * 1024

/** Runs the loop. @returns elapsed ms */
export function localLoop(input: string, output: string, withHmac: boolean): number {
  const startedMs = performance.now()
  const inputBytes = statSync(input).size
  const source = openSync(input, 'r')
  const target = openSync(output, 'w')
  const cipher = createCipheriv('aes-256-cbc', new Uint8Array(32), new Uint8Array(16))
  const hmac = withHmac ? createHmac('sha256', new Uint8Array(32)) : undefined
  const buffer = new ArrayBuffer(BLOCK_BYTES)
  let left = inputBytes
  while (left > 0) {
    const bytes = new Uint8Array(buffer, 0, Math.min(BLOCK_BYTES, left))
    left -= bytes.byteLength
    readSync(source, bytes, 0, bytes.byteLength, left)
    const pairs = new BigUint64Array(buffer, 0, bytes.byteLength >> 3)
    for (let index = 0; index < pairs.length; index++) pairs[index] = (pairs[index] as bigint) ^ 0x8000000080000000n
    new Uint32Array(buffer, 0, bytes.byteLength >> 2).reverse()
    const sealed = cipher.update(bytes)
    hmac?.update(sealed)
    writeSync(target, sealed)
  }
  writeSync(target, cipher.final())
  hmac?.digest()
  closeSync(source)
  closeSync(target)
  return performance.now() - startedMs
}
