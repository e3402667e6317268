import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentHash } from '../../src/content-hash.ts'
import type { SinkResume } from '../../src/domain/result-sink.ts'
import { cut, durable, makeFolder, open, put, signal, type TestChunk } from './sink-support.ts'

const plain = new Uint8Array(randomBytes(1000))
const chunks = cut(plain, [300])

function journalled({ bytes, chunkIndex, outputOffset }: TestChunk): SinkResume['chunks'][number] {
  return { chunkIndex, outputOffset, byteLength: bytes.byteLength, outputHash: contentHash(bytes) }
}

describe('placing', () => {
  test('puts chunks in their places in any order and publishes the result alone', async () => {
    const outDir = makeFolder()
    const { sink } = await open({ outDir, outputBytes: 1000 })
    await Promise.all(chunks.toReversed().map((chunk) => put(sink, chunk)))
    expect(await sink.finish({ signal })).toEqual({ outputBytes: 1000 })
    expect(await sink.publish()).toEqual({ result: join(outDir, 'result.f32') })
    expect(readdirSync(outDir)).toEqual(['result.f32'])
    expect(Buffer.compare(readFileSync(join(outDir, 'result.f32')), plain)).toBe(0)
  })

  test('reports the hash of each chunk with its durability', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 1000 })
    const reading = durable(sink, 4)
    await Promise.all(chunks.map((chunk) => put(sink, chunk)))
    await sink.finish({ signal })
    const batches = await reading
    const indexes = batches.flatMap((batch) => batch.chunkIndexes)
    const hashes = batches.flatMap((batch) => batch.outputHashes ?? [])
    expect(indexes).toEqual([0, 1, 2, 3])
    for (const [index, hash] of hashes.entries()) {
      expect(Buffer.compare(hash, contentHash(chunks[index]?.bytes ?? new Uint8Array(0)))).toBe(0)
    }
    expect(batches.at(-1)?.checkpoint).toMatchObject({ chunkCount: 4, plainBytes: 1000 })
  })

  test('names the partial file after the tag that it is given', async () => {
    const outDir = makeFolder()
    await open({ outDir, outputBytes: 4, partialTag: 'abc' })
    expect(readdirSync(outDir)).toEqual(['.result.f32.abc.partial'])
  })
})

describe('resuming', () => {
  async function stopped(outDir: string, placed: readonly TestChunk[]): Promise<SinkResume> {
    const { sink } = await open({ outDir, outputBytes: 1000 })
    const reading = durable(sink, placed.length)
    await Promise.all(placed.map((chunk) => put(sink, chunk)))
    const checkpoint = (await reading).at(-1)?.checkpoint
    await sink.abort({ discard: false })
    if (checkpoint === undefined) throw new Error('no checkpoint')
    return { checkpoint, chunks: placed.map(journalled) }
  }

  test('keeps what is there and gives the same bytes', async () => {
    const outDir = makeFolder()
    const resume = await stopped(outDir, chunks.slice(1, 3))
    const { sink, standing } = await open({ outDir, outputBytes: 1000, resume })
    expect(standing).toEqual([1, 2])
    await Promise.all([chunks[0], chunks[3]].map((chunk) => chunk && put(sink, chunk)))
    await sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), plain)).toBe(0)
  })

  test('drops only the chunks that do not match', async () => {
    const outDir = makeFolder()
    const resume = await stopped(outDir, chunks)
    const partial = join(outDir, '.result.f32.partial')
    const bytes = readFileSync(partial)
    bytes[450] = (bytes[450] ?? 0) ^ 1
    writeFileSync(partial, bytes.subarray(0, 950))
    expect((await open({ outDir, outputBytes: 1000, resume })).standing).toEqual([0, 2])
  })

  test('starts anew when the file is gone', async () => {
    const outDir = makeFolder()
    const resume = await stopped(outDir, chunks)
    expect((await open({ outDir: makeFolder(), outputBytes: 1000, resume })).standing).toEqual([])
  })

  test('does not take for its own what stands under the final name', async () => {
    const outDir = makeFolder()
    const resume = await stopped(outDir, chunks)
    const partial = join(outDir, '.result.f32.partial')
    writeFileSync(partial, '')
    writeFileSync(join(outDir, 'result.f32'), 'of another job')
    const opening = open({ outDir, outputBytes: 1000, resume })
    await expect(opening).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(existsSync(join(outDir, 'result.f32'))).toBe(true)
  })
})

test('cuts what a former run wrote past the end', async () => {
  const outDir = makeFolder()
  writeFileSync(join(outDir, '.result.f32.partial'), new Uint8Array(5000))
  const { sink } = await open({ outDir, outputBytes: 1000 })
  await Promise.all(chunks.map((chunk) => put(sink, chunk)))
  await sink.finish({ signal })
  expect(readFileSync((await sink.publish()).result)).toHaveLength(1000)
})
