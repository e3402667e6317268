import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PLAIN_BLOCK_BYTES, type ResultFiles, readPlainResult } from '../../src/store/history-result.ts'
import { makeFolder, makeSealing, sealedBytes, signal, tagOf } from './sink-support.ts'

interface Sealed extends ResultFiles {
  readonly key: string
  readonly iv: string
  readonly hmac: string
}

function writePlain(bytes: Uint8Array): ResultFiles {
  const result = join(makeFolder(), 'result.raw')
  writeFileSync(result, bytes)
  return { result }
}

function writeSealed(plain: Uint8Array): Sealed {
  const folder = makeFolder()
  const sealing = makeSealing()
  const bytes = sealedBytes(plain, sealing)
  const write = (name: string, content: Uint8Array): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  return {
    result: write('result.raw.enc', bytes),
    key: write('encryption_key.bin', sealing.key),
    iv: write('encryption_iv.bin', sealing.iv),
    hmac: write('result.raw.enc.hmac', tagOf(bytes, sealing))
  }
}

async function readAll(files: ResultFiles): Promise<{ bytes: Buffer; lengths: number[] }> {
  const blocks: Buffer[] = []
  for await (const block of readPlainResult(files, { signal })) blocks.push(Buffer.from(block))
  return { bytes: Buffer.concat(blocks), lengths: blocks.map(({ byteLength }) => byteLength) }
}

describe('a result read in plain', () => {
  test.for([
    ['plain', writePlain],
    ['sealed', writeSealed]
  ] as const)('gives the bytes of a %s file in blocks of one length', async ([, write]) => {
    const plain = new Uint8Array(randomBytes(2 * PLAIN_BLOCK_BYTES + 1_003))
    const { bytes, lengths } = await readAll(write(plain))
    expect(Buffer.compare(bytes, plain)).toBe(0)
    expect(lengths).toEqual([PLAIN_BLOCK_BYTES, PLAIN_BLOCK_BYTES, 1_003])
  })

  test('does so at any length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (plain) => {
        expect(Buffer.compare((await readAll(writeSealed(plain))).bytes, plain)).toBe(0)
        expect(Buffer.compare((await readAll(writePlain(plain))).bytes, plain)).toBe(0)
      }),
      { numRuns: 10 }
    )
  })

  test.for(['result', 'key', 'iv', 'hmac'] as const)('is refused when its %s was changed', async (part) => {
    const files = writeSealed(new Uint8Array(randomBytes(5_000)))
    const bytes = readFileSync(files[part])
    bytes[3] = (bytes[3] ?? 0) ^ 1
    writeFileSync(files[part], bytes)
    await expect(readAll(files)).rejects.toMatchObject({ code: 'TAG_MISMATCH', exitCode: 3 })
  })

  test.for(['key', 'iv', 'hmac'] as const)('is refused when its %s was cut', async (part) => {
    const files = writeSealed(new Uint8Array(randomBytes(5_000)))
    writeFileSync(files[part], readFileSync(files[part]).subarray(1))
    await expect(readAll(files)).rejects.toMatchObject({ code: 'TAG_MISMATCH' })
  })

  test.for(['result', 'key', 'iv', 'hmac'] as const)('is missing when its %s is gone', async (part) => {
    const files = writeSealed(Uint8Array.of(1, 2, 3, 4))
    rmSync(files[part])
    const missing = { code: 'RESULT_MISSING', message: expect.stringContaining(files[part]) }
    await expect(readAll(files)).rejects.toMatchObject(missing)
  })

  test('is told apart from a file that cannot be read', async () => {
    await expect(readAll({ result: makeFolder() })).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' })
  })

  test('stops when told', async () => {
    const files = writePlain(new Uint8Array(PLAIN_BLOCK_BYTES * 3))
    const stopping = new AbortController()
    const blocks = readPlainResult(files, { signal: stopping.signal })
    await blocks.next()
    stopping.abort(new Error('enough'))
    await expect(blocks.next()).rejects.toThrow('enough')
  })
})
