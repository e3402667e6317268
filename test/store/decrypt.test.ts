import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.ts'
import { decryptResult } from '../../src/store/decrypt.ts'
import { makeFolder, makeSealing, sealedBytes, signal, tagOf } from './sink-support.ts'

function makeSealed(plain: Uint8Array): { folder: string; sealed: string; out: string } {
  const folder = makeFolder()
  const sealing = makeSealing()
  const bytes = sealedBytes(plain, sealing)
  writeFileSync(join(folder, 'encryption_key.bin'), sealing.key)
  writeFileSync(join(folder, 'encryption_iv.bin'), sealing.iv)
  writeFileSync(join(folder, 'result.f32.enc'), bytes)
  writeFileSync(join(folder, 'result.f32.enc.hmac'), tagOf(bytes, sealing))
  return { folder, sealed: join(folder, 'result.f32.enc'), out: join(folder, 'result.f32') }
}

function flip(path: string, index: number): void {
  const bytes = readFileSync(path)
  const at = index % bytes.byteLength
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  writeFileSync(path, bytes)
}

describe('opening a sealed result', () => {
  test('gives the plain bytes back, from the folder or the file', async () => {
    const plain = new Uint8Array(randomBytes(600_004))
    const { folder, out, sealed } = makeSealed(plain)
    expect(await decryptResult({ path: folder, signal })).toEqual({ out, byteLength: plain.byteLength })
    expect(Buffer.compare(readFileSync(out), plain)).toBe(0)
    const other = join(folder, 'below', 'other.f32')
    await decryptResult({ path: sealed, out: other, signal })
    expect(Buffer.compare(readFileSync(other), plain)).toBe(0)
  })

  test('takes the key from elsewhere when told', async () => {
    const { folder, out } = makeSealed(Uint8Array.of(1, 2, 3, 4))
    const keyFile = join(makeFolder(), 'kept-apart.bin')
    renameSync(join(folder, 'encryption_key.bin'), keyFile)
    await decryptResult({ path: folder, keyFile, signal })
    expect([...readFileSync(out)]).toEqual([1, 2, 3, 4])
  })

  test('does so at any length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (plain) => {
        const { folder, out } = makeSealed(plain)
        await decryptResult({ path: folder, signal })
        expect(Buffer.compare(readFileSync(out), plain)).toBe(0)
      }),
      { numRuns: 20 }
    )
  })

  test('reports progress up to its total', async () => {
    const seen: number[] = []
    const onProgress = (done: number, total: number): number => seen.push(done / total)
    await decryptResult({ path: makeSealed(new Uint8Array(300_000)).folder, signal, onProgress })
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
    expect(seen.at(-1)).toBe(1)
  })
})

describe('refusals', () => {
  test.each(['result.f32.enc', 'encryption_key.bin', 'encryption_iv.bin', 'result.f32.enc.hmac'])(
    'notices any change of %s and writes nothing',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (index) => {
          const { folder, out } = makeSealed(new Uint8Array(500))
          flip(join(folder, name), index)
          const refused = { code: 'TAG_MISMATCH', exitCode: EXIT_CODES.verificationFailed }
          await expect(decryptResult({ path: folder, signal })).rejects.toMatchObject(refused)
          expect(existsSync(out)).toBe(false)
          expect(readdirSync(folder)).toHaveLength(4)
        }),
        { numRuns: 8 }
      )
    }
  )

  test('notices a change between checking and opening, and writes nothing', async () => {
    const { folder, out, sealed } = makeSealed(new Uint8Array(600_000))
    const onProgress = (done: number, total: number): void => {
      if (done === total / 2) flip(sealed, 500_000)
    }
    await expect(decryptResult({ path: folder, signal, onProgress })).rejects.toMatchObject({ code: 'TAG_MISMATCH' })
    expect(existsSync(out)).toBe(false)
    expect(readdirSync(folder)).toHaveLength(4)
  })

  test.each(['encryption_key.bin', 'encryption_iv.bin', 'result.f32.enc.hmac'])('names a missing %s', async (name) => {
    const { folder } = makeSealed(new Uint8Array(8))
    rmSync(join(folder, name))
    const opening = decryptResult({ path: folder, signal })
    await expect(opening).rejects.toMatchObject({ code: 'SEAL_PART_MISSING', message: expect.stringContaining(name) })
  })

  test.each(['encryption_key.bin', 'encryption_iv.bin', 'result.f32.enc.hmac'])('names a short %s', async (name) => {
    const { folder } = makeSealed(new Uint8Array(8))
    writeFileSync(join(folder, name), 'short')
    const opening = decryptResult({ path: folder, signal })
    await expect(opening).rejects.toMatchObject({ code: 'SEAL_PART_LENGTH', message: expect.stringContaining(name) })
  })

  test('refuses a sealed file that was cut', async () => {
    const { folder, sealed } = makeSealed(new Uint8Array(100))
    writeFileSync(sealed, readFileSync(sealed).subarray(0, 90))
    await expect(decryptResult({ path: folder, signal })).rejects.toMatchObject({ code: 'SEALED_MALFORMED' })
  })

  test('refuses a folder without a sealed result, with two, or none at all', async () => {
    const { folder } = makeSealed(new Uint8Array(4))
    writeFileSync(join(folder, 'other.enc'), 'second')
    for (const path of [makeFolder(), folder, join(folder, 'gone')]) {
      await expect(decryptResult({ path, signal })).rejects.toMatchObject({ code: 'SEALED_MISSING' })
    }
  })

  test('overwrites nothing unless forced', async () => {
    const { folder, out } = makeSealed(Uint8Array.of(1, 2, 3, 4))
    writeFileSync(out, 'precious')
    await expect(decryptResult({ path: folder, signal })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readFileSync(out, 'utf8')).toBe('precious')
    await decryptResult({ path: folder, force: true, signal })
    expect([...readFileSync(out)]).toEqual([1, 2, 3, 4])
  })

  test('leaves nothing behind when aborted on the way', async () => {
    const { folder } = makeSealed(new Uint8Array(900_000))
    const stop = new AbortController()
    const onProgress = (done: number, total: number): void => {
      if (done > total * 0.6) stop.abort(new Error('interrupted'))
    }
    await expect(decryptResult({ path: folder, signal: stop.signal, onProgress })).rejects.toThrow('interrupted')
    expect(readdirSync(folder)).toHaveLength(4)
  })
})
