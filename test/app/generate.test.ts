import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generate } from '../../src/app/generate.ts'
import { openNpy } from '../../src/compute/npy-file.ts'

const { signal } = new AbortController()

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-generate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a matrix of noise', () => {
  test('is a float32 .npy file of its shape, with the samples of a raw file', async () => {
    const raw = { path: join(folder, 'n.f32'), byteLength: 2_800_000, seed: 3, force: false }
    const rawView = await generate(raw, { signal })
    const path = join(folder, 'A.npy')
    const matrix = { rows: 1_000, cols: 700 }
    const view = await generate({ ...raw, path, matrix }, { signal })
    const bytes = readFileSync(path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(view).toEqual({ path, byteLength: 2_800_128, seed: 3, sha256, matrix })
    expect(rawView).not.toHaveProperty('matrix')
    expect(Buffer.compare(bytes.subarray(128), readFileSync(raw.path))).toBe(0)
    using npy = openNpy(path)
    expect(npy.header).toMatchObject({ rows: 1_000, cols: 700, dtype: 'float32', fortranOrder: false })
  })

  test('is the same for the same seed, for ever', async () => {
    const request = { path: join(folder, 'A.npy'), byteLength: 64, seed: 1, force: false, matrix: { rows: 4, cols: 4 } }
    const { sha256 } = await generate(request, { signal })
    expect(sha256).toBe('4ea85959f372df4461ecc2a67880a29b700b3ee0866e23284e6b14586d8842ec')
  })

  test('is refused when its bytes are not those of its shape, and nothing is written', async () => {
    const path = join(folder, 'A.npy')
    const request = { path, byteLength: 60, seed: 1, force: false, matrix: { rows: 4, cols: 4 } }
    await expect(generate(request, { signal })).rejects.toThrow(RangeError)
    expect(() => readFileSync(path)).toThrow('ENOENT')
  })
})
