import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentHash, createContentHasher } from '../../src/content-hash.ts'
import { SinkFile } from '../../src/store/sink-file.ts'
import { TilePlacement } from '../../src/store/sink-tiles.ts'
import type { MatrixPlan } from '../../src/tasks/matrix/matrix-plan.ts'
import { readNpyHeader } from '../../src/tasks/matrix/npy-open.ts'
import { matrixChunks, matrixFile, planOf, randomMatrix, resumeWith } from './sink-matrix.ts'
import { durable, makeFolder, makeSealing, open, put, signal, type TestChunk } from './sink-support.ts'

const plans = fc
  .record({ rows: fc.integer({ min: 1, max: 24 }), columns: fc.integer({ min: 1, max: 24 }) })
  .chain(({ columns, rows }) =>
    fc
      .record({ tileRows: fc.integer({ min: 1, max: rows }), tileColumns: fc.integer({ min: 1, max: columns }) })
      .map(({ tileColumns, tileRows }) => planOf(rows, columns, tileRows, tileColumns))
  )
const runs = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })

function shuffled<Item>(items: readonly Item[], random: Iterator<number>): Item[] {
  const ranked = items.map((item) => ({ item, rank: random.next().value }))
  return ranked.sort((left, right) => left.rank - right.rank).map(({ item }) => item)
}

async function placeAll(path: string, plan: MatrixPlan, chunks: readonly TestChunk[]): Promise<SinkFile> {
  const placement = new TilePlacement(plan)
  const file = new SinkFile(path, { fresh: true, onStall: () => undefined })
  await file.write(placement.header, 0)
  for (const { bytes, outputOffset } of chunks) await placement.write(file, outputOffset, bytes)
  return file
}

function hashesThere(file: SinkFile, plan: MatrixPlan, chunks: readonly TestChunk[]): (Uint8Array | undefined)[] {
  const placement = new TilePlacement(plan)
  return chunks.map(({ bytes, outputOffset }) => {
    const hash = createContentHasher()
    const whole = placement.readBlocks(file, outputOffset, bytes.byteLength, (block) => hash.update(block))
    return whole ? hash.digest() : undefined
  })
}

describe('placing tiles', () => {
  test('gives the matrix as NumPy writes it, for any shape, tiles, runs and order, and reads chunks back', async () => {
    const path = join(makeFolder(), 'c.npy')
    await fc.assert(
      fc.asyncProperty(plans, runs, fc.infiniteStream(fc.nat()), async (plan, runTiles, random) => {
        const matrix = randomMatrix(plan)
        const chunks = matrixChunks(plan, matrix, runTiles)
        const file = await placeAll(path, plan, shuffled(chunks, random))
        try {
          const expected = matrixFile(plan, matrix)
          expect(Buffer.compare(readFileSync(path), expected)).toBe(0)
          const ends = chunks.map(({ bytes, outputOffset }) =>
            new TilePlacement(plan).fileEnd(outputOffset, bytes.byteLength)
          )
          expect(Math.max(...ends)).toBe(expected.byteLength)
          expect(hashesThere(file, plan, chunks)).toEqual(chunks.map(({ bytes }) => contentHash(bytes)))
        } finally {
          file.close()
        }
      })
    )
  })

  test.each([
    ['rows of a tile above what is joined', planOf(3, 70_100, 2, 66_000)],
    ['whole rows, joined in several writes', planOf(5, 40_000, 5, 15_000)],
    ['tiles above what is read at a time', planOf(5, 60_001, 5, 60_000)],
    ['one column of tiles', planOf(700, 100, 300, 100)]
  ])('places and reads back runs with %s', async (_, plan) => {
    const path = join(makeFolder(), 'c.npy')
    const matrix = randomMatrix(plan)
    const chunks = matrixChunks(plan, matrix, [4])
    const file = await placeAll(path, plan, chunks)
    expect(Buffer.compare(readFileSync(path), matrixFile(plan, matrix))).toBe(0)
    expect(hashesThere(file, plan, chunks)).toEqual(chunks.map(({ bytes }) => contentHash(bytes)))
    file.close()
  })

  test('goes through the sink to a file that reads as a matrix', async () => {
    const outDir = makeFolder()
    const plan = planOf(37, 53, 8, 16)
    const matrix = randomMatrix(plan)
    const chunks = matrixChunks(plan, matrix, [1, 3, 2])
    const { sink } = await open({ outDir, fileName: 'result.npy', outputBytes: matrix.byteLength, tiles: plan })
    const reading = durable(sink, chunks.length)
    await Promise.all(chunks.toReversed().map((chunk) => put(sink, chunk)))
    expect(await sink.finish({ signal })).toEqual({ outputBytes: matrix.byteLength })
    const hashes = (await reading).flatMap((batch) => batch.outputHashes ?? [])
    expect(hashes.map((hash) => Uint8Array.from(hash))).toEqual(
      chunks.toReversed().map(({ bytes }) => contentHash(bytes))
    )
    const result = join(outDir, 'result.npy')
    expect(await sink.publish()).toEqual({ result })
    expect(readdirSync(outDir)).toEqual(['result.npy'])
    const file = readFileSync(result)
    expect(Buffer.compare(file, matrixFile(plan, matrix))).toBe(0)
    const header = readNpyHeader(result, file.byteLength, (bytes, at) =>
      bytes.set(file.subarray(at, at + bytes.length))
    )
    expect(header).toMatchObject({ rows: 37, cols: 53, dtype: 'float32', fortranOrder: false, dataOffset: 128 })
  })
})

describe('resuming', () => {
  const plan = planOf(20, 30, 7, 8)
  const matrix = randomMatrix(plan)
  const chunks = matrixChunks(plan, matrix, [2])
  const outputBytes = matrix.byteLength
  const options = { fileName: 'result.npy', outputBytes, tiles: plan }

  async function stopped(outDir: string, placed: readonly TestChunk[]): Promise<string> {
    const { sink } = await open({ outDir, ...options })
    const reading = durable(sink, placed.length)
    await Promise.all(placed.map((chunk) => put(sink, chunk)))
    await reading
    await sink.abort({ discard: false })
    return join(outDir, '.result.npy.partial')
  }

  test('keeps the chunks that stand, drops the lost and the damaged, and gives the same bytes', async () => {
    const outDir = makeFolder()
    const partial = await stopped(outDir, chunks.slice(0, 4))
    const bytes = readFileSync(partial)
    // Row 8, column 18: the third tile of the second row of tiles, which is chunk 3.
    const damaged = 128 + (8 * 30 + 18) * 4
    bytes[damaged] = (bytes[damaged] ?? 0) ^ 1
    writeFileSync(partial, bytes)
    const resume = resumeWith(chunks.slice(0, 5))
    const { sink, standing } = await open({ outDir, ...options, resume })
    expect(standing).toEqual([0, 1, 2])
    await Promise.all(chunks.slice(3).map((chunk) => put(sink, chunk)))
    expect(await sink.finish({ signal })).toEqual({ outputBytes })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), matrixFile(plan, matrix))).toBe(0)
  })

  test('drops what a cut file lost', async () => {
    const outDir = makeFolder()
    const partial = await stopped(outDir, chunks)
    writeFileSync(partial, readFileSync(partial).subarray(0, 128 + 19 * 30 * 4))
    const { standing } = await open({ outDir, ...options, resume: resumeWith(chunks) })
    expect(standing).toEqual([0, 1, 2, 3])
  })

  test('cuts what stands behind the matrix', async () => {
    const outDir = makeFolder()
    writeFileSync(await stopped(outDir, chunks), 'more', { flag: 'a' })
    const { sink, standing } = await open({ outDir, ...options, resume: resumeWith(chunks) })
    expect(standing).toHaveLength(chunks.length)
    await sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), matrixFile(plan, matrix))).toBe(0)
  })

  test.each([
    ['another shape', (path: string) => writeFileSync(path, matrixFile(planOf(30, 20, 7, 8), matrix))],
    ['no whole header', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 100))]
  ])('starts anew when the header tells of %s', async (_, damage) => {
    const outDir = makeFolder()
    damage(await stopped(outDir, chunks))
    const { sink, standing } = await open({ outDir, ...options, resume: resumeWith(chunks) })
    expect(standing).toEqual([])
    await Promise.all(chunks.map((chunk) => put(sink, chunk)))
    await sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), matrixFile(plan, matrix))).toBe(0)
  })

  test('takes back a result that was published just before a crash', async () => {
    const outDir = makeFolder()
    const { sink } = await open({ outDir, ...options })
    await Promise.all(chunks.map((chunk) => put(sink, chunk)))
    await sink.finish({ signal })
    const { result } = await sink.publish()
    const again = await open({ outDir, ...options, resume: resumeWith(chunks) })
    expect(again.standing).toHaveLength(chunks.length)
    expect(existsSync(result)).toBe(false)
    await again.sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await again.sink.publish()).result), matrixFile(plan, matrix))).toBe(0)
  })
})

describe('refusals', () => {
  const plan = planOf(4, 6, 2, 3)
  const outputBytes = 4 * 6 * 4

  test('does not seal tiles in order', async () => {
    const outDir = makeFolder()
    const opening = open({ outDir, outputBytes, tiles: plan, sealing: makeSealing() })
    await expect(opening).rejects.toMatchObject({ code: 'SEALING_UNSUPPORTED', exitCode: 2 })
    expect(readdirSync(outDir)).toEqual([])
  })

  test('takes no other number of bytes than C has', async () => {
    const opening = open({ outDir: makeFolder(), outputBytes: outputBytes + 4, tiles: plan })
    await expect(opening).rejects.toThrow('C has 96 bytes, not 100')
  })

  test('takes no chunk that is not whole tiles of one row of tiles', async () => {
    for (const [outputOffset, byteLength] of [
      [0, 20],
      [4, 24],
      [24, 48]
    ] as const) {
      const { sink } = await open({ outDir: makeFolder(), outputBytes, tiles: plan })
      const putting = put(sink, { chunkIndex: 0, outputOffset, bytes: new Uint8Array(byteLength) })
      await expect(putting).rejects.toMatchObject({ code: 'OUTPUT_WRITE_FAILED' })
    }
  })

  test('does not finish while tiles are missing', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes, tiles: plan })
    await put(sink, { chunkIndex: 0, outputOffset: 0, bytes: new Uint8Array(48) })
    await expect(sink.finish({ signal })).rejects.toMatchObject({ code: 'OUTPUT_INCOMPLETE' })
  })
})
