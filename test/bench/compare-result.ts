// `node compare-result.ts INPUT RESULT`: fails unless the result is the input's samples, sign flipped, last to first.
import { open } from 'node:fs/promises'

const BLOCK_BYTES = 4 * 1024 * 1024
const SIGN_BIT = 0x80000000

const [inputPath = '', resultPath = ''] = process.argv.slice(2)
await using input = await open(inputPath)
await using result = await open(resultPath)
const { size } = await input.stat()
if ((await result.stat()).size !== size) throw new Error('the result has another length than the input')
for (let offset = 0; offset < size; offset += BLOCK_BYTES) {
  const length = Math.min(BLOCK_BYTES, size - offset)
  const [wanted, found] = [Buffer.alloc(length), Buffer.alloc(length)]
  await input.read(wanted, 0, length, size - offset - length)
  await result.read(found, 0, length, offset)
  const samples = new Uint32Array(wanted.buffer, wanted.byteOffset, length / 4).reverse()
  for (const [index, sample] of samples.entries()) samples[index] = sample ^ SIGN_BIT
  if (!wanted.equals(found)) throw new Error(`the result differs within ${BLOCK_BYTES} bytes from ${offset}`)
}
