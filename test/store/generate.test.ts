import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateFile } from '../../src/store/generate.ts'
import { makeFolder, signal } from './sink-support.ts'

async function generate(byteLength: number, seed?: number): Promise<Buffer> {
  const path = join(makeFolder(), 'noise.f32')
  await generateFile(path, { byteLength, signal, ...(seed !== undefined && { seed }) })
  return readFileSync(path)
}

function samplesOf(bytes: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer)
}

describe('generating noise', () => {
  test('gives samples in [−1, 1), spread evenly', async () => {
    const samples = samplesOf(await generate(4_000_000))
    const counts = new Array<number>(20).fill(0)
    for (const sample of samples) {
      if (!(sample >= -1 && sample < 1)) throw new Error(`${sample} is out of range`)
      const bin = Math.floor((sample + 1) * 10)
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 50_000)).toBeLessThan(1_500)
  })

  test('has no echo of itself in the next sample or the next block', async () => {
    const samples = samplesOf(await generate(3_000_000))
    for (const lag of [1, 2, 262_144]) {
      let sum = 0
      for (let index = lag; index < samples.length; index++) sum += (samples[index] ?? 0) * (samples[index - lag] ?? 0)
      expect(Math.abs(sum / (samples.length - lag))).toBeLessThan(0.005)
    }
  })

  test('gives the same bytes for the same seed, for ever', async () => {
    const digest = createHash('sha256')
      .update(await generate(1_100_000, 7))
      .digest('hex')
    expect(digest).toBe('d3fda11c45720295c2d24548eab281d239fd5979a3bf34724546859fa21dce47')
  })

  test('gives other bytes for another seed, and a longer file with the same start for another size', async () => {
    const bytes = await generate(2_000_000, 1)
    expect(Buffer.compare(bytes, await generate(2_000_000, 2))).not.toBe(0)
    expect(Buffer.compare(bytes.subarray(0, 1_100_000), await generate(1_100_000))).toBe(0)
  })

  test('reports progress up to its length', async () => {
    const seen: number[] = []
    const path = join(makeFolder(), 'noise.f32')
    await generateFile(path, { byteLength: 3_000_000, signal, onProgress: (done) => seen.push(done) })
    expect(seen).toEqual([0, 1_048_576, 2_097_152, 3_000_000])
  })

  test('puts a header before the same noise, and counts it', async () => {
    const seen: [number, number][] = []
    const path = join(makeFolder(), 'noise.npy')
    const onProgress = (done: number, byteLength: number): unknown => seen.push([done, byteLength])
    const header = new Uint8Array([1, 2, 3, 4, 5])
    const made = await generateFile(path, { byteLength: 1_200_000, header, seed: 7, signal, onProgress })
    const bytes = readFileSync(path)
    expect(made.byteLength).toBe(1_200_005)
    expect([...bytes.subarray(0, 5)]).toEqual([1, 2, 3, 4, 5])
    expect(Buffer.compare(bytes.subarray(5), await generate(1_200_000, 7))).toBe(0)
    expect(seen).toEqual([
      [5, 1_200_005],
      [1_048_581, 1_200_005],
      [1_200_005, 1_200_005]
    ])
  })
})

describe('refusals', () => {
  test.each([0, -4, 6, 2.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a size of %d', async (byteLength) => {
    await expect(generate(byteLength)).rejects.toMatchObject({ code: 'SIZE_INVALID' })
  })

  test.each([-1, 2 ** 32, 0.5])('refuses a seed of %d', async (seed) => {
    await expect(generate(4, seed)).rejects.toMatchObject({ code: 'SEED_INVALID' })
  })

  test('overwrites nothing unless forced', async () => {
    const path = join(makeFolder(), 'noise.f32')
    writeFileSync(path, 'precious')
    await expect(generateFile(path, { byteLength: 4, signal })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readFileSync(path, 'utf8')).toBe('precious')
    await generateFile(path, { byteLength: 4, force: true, signal })
    expect(readFileSync(path)).toHaveLength(4)
  })

  test('leaves nothing behind when aborted on the way', async () => {
    const folder = makeFolder()
    const stop = new AbortController()
    const onProgress = (done: number): void => {
      if (done > 0) stop.abort(new Error('interrupted'))
    }
    const making = generateFile(join(folder, 'noise.f32'), { byteLength: 8_000_000, signal: stop.signal, onProgress })
    await expect(making).rejects.toThrow('interrupted')
    expect(readdirSync(folder)).toEqual([])
  })

  test('says when it cannot write', async () => {
    const file = join(makeFolder(), 'file')
    writeFileSync(file, '')
    const making = generateFile(join(file, 'noise.f32'), { byteLength: 4, signal })
    await expect(making).rejects.toMatchObject({ code: 'OUTPUT_WRITE_FAILED' })
  })
})
