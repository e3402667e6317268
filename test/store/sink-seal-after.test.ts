import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Sealing } from '../../src/domain/result-sink.ts'
import { outputPaths, partialPaths } from '../../src/store/output-names.ts'
import type { FileSink } from '../../src/store/sink.ts'
import { SinkFile } from '../../src/store/sink-file.ts'
import { sealPlacedFile } from '../../src/store/sink-sealing.ts'
import { matrixChunks, matrixFile, planOf, randomMatrix, resumeWith } from './sink-matrix.ts'
import { cut, makeFolder, makeSealing, open, put, sealedBytes, signal, tagOf } from './sink-support.ts'

// The file has more than one block of those that are sealed at a time, and no whole number of cipher blocks.
const plan = planOf(701, 401, 300, 128)
const matrix = randomMatrix(plan)
const chunks = matrixChunks(plan, matrix, [2])
const plain = matrixFile(plan, matrix)
const published = ['encryption_iv.bin', 'encryption_key.bin', 'result.npy.enc', 'result.npy.enc.hmac']

function setUp(resume?: ReturnType<typeof resumeWith>) {
  const outDir = makeFolder()
  const sealAfter = makeSealing()
  const options = { outDir, fileName: 'result.npy', partialTag: 'job', outputBytes: matrix.byteLength, tiles: plan }
  const names = outputPaths({ outDir, fileName: 'result.npy', partialTag: 'job', sealAfter })
  return { names, options: { ...options, sealAfter, ...(resume && { resume }) }, outDir, sealAfter }
}

async function finishAll(sink: FileSink, from = 0): Promise<Uint8Array | undefined> {
  await Promise.all(chunks.slice(from).map((chunk) => put(sink, chunk)))
  return (await sink.finish({ signal })).hmac
}

/** What stands in the folder must be this job's sealed result and nothing else. */
function expectSealed(outDir: string, sealing: Sealing): void {
  expect(readdirSync(outDir).sort()).toEqual(published)
  const sealed = readFileSync(join(outDir, 'result.npy.enc'))
  expect(Buffer.compare(sealed, sealedBytes(plain, sealing))).toBe(0)
  expect(Buffer.compare(readFileSync(join(outDir, 'result.npy.enc.hmac')), tagOf(sealed, sealing))).toBe(0)
  expect(Buffer.compare(readFileSync(join(outDir, 'encryption_key.bin')), sealing.key)).toBe(0)
  expect(Buffer.compare(readFileSync(join(outDir, 'encryption_iv.bin')), sealing.iv)).toBe(0)
}

describe('sealing after', () => {
  test('seals the whole file once all tiles are placed, and leaves no plain one', async () => {
    const { names, options, outDir, sealAfter } = setUp()
    const { sink } = await open(options)
    await Promise.all(chunks.toReversed().map((chunk) => put(sink, chunk)))
    expect(statSync(names.partial).mode & 0o777).toBe(0o600)
    const { hmac, outputBytes } = await sink.finish({ signal })
    expect(outputBytes).toBe(matrix.byteLength)
    expect(readdirSync(outDir).every((name) => name.startsWith('.'))).toBe(true)
    const { result } = await sink.publish()
    expect(result).toBe(join(outDir, 'result.npy.enc'))
    expectSealed(outDir, sealAfter)
    expect(Buffer.compare(readFileSync(`${result}.hmac`), hmac ?? new Uint8Array(0))).toBe(0)
  })

  test('serves outputs that are no matrix as well', async () => {
    const outDir = makeFolder()
    const sealAfter = makeSealing()
    const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index)
    const { sink } = await open({ outDir, outputBytes: 1000, sealAfter })
    await Promise.all(
      cut(bytes, [300])
        .toReversed()
        .map((chunk) => put(sink, chunk))
    )
    await sink.finish({ signal })
    expect(readFileSync((await sink.publish()).result)).toEqual(sealedBytes(bytes, sealAfter))
  })

  test('takes the others’ rights away from a partial file that it finds', async () => {
    const { names, options } = setUp()
    writeFileSync(names.partial, 'of a former run')
    chmodSync(names.partial, 0o644)
    await open(options)
    expect(statSync(names.partial).mode & 0o777).toBe(0o600)
  })

  test('is not for jobs that are sealed in order', async () => {
    const opening = open({ outDir: makeFolder(), outputBytes: 4, sealing: makeSealing(), sealAfter: makeSealing() })
    await expect(opening).rejects.toMatchObject({ code: 'SEALING_UNSUPPORTED' })
  })

  test('seals no file that has fewer bytes than were placed', async () => {
    const outDir = makeFolder()
    const file = new SinkFile(join(outDir, 'plain'), { fresh: true, onStall: () => undefined })
    await file.write(new Uint8Array(10), 0)
    const options = { path: join(outDir, 'sealed'), sealing: makeSealing(), onStall: () => undefined }
    await expect(sealPlacedFile(file, 11, options)).rejects.toMatchObject({ code: 'OUTPUT_INCOMPLETE' })
    file.close()
  })

  test.each(['before', 'after'])('leaves nothing behind when discarded %s it was finished', async (when) => {
    const { names, options, outDir } = setUp()
    const { sink } = await open(options)
    if (when === 'after') await finishAll(sink)
    expect(partialPaths(names).map((path) => existsSync(path))).toEqual([true, when === 'after'])
    await sink.abort({ discard: true })
    expect(readdirSync(outDir)).toEqual([])
  })
})

describe('resuming', () => {
  const resume = resumeWith(chunks)

  test.each([
    ['nothing of the sealed file', undefined],
    ['half of it', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 1000))]
  ])('seals from the beginning when a crash left %s', async (_, damage) => {
    const { names, options, outDir, sealAfter } = setUp()
    const first = await open(options)
    if (damage === undefined) await Promise.all(chunks.map((chunk) => put(first.sink, chunk)))
    else await finishAll(first.sink)
    await first.sink.abort({ discard: false })
    damage?.(names.sealedPartial ?? '')
    const { sink, standing } = await open({ ...options, resume })
    expect(standing).toHaveLength(chunks.length)
    await sink.finish({ signal })
    await sink.publish()
    expectSealed(outDir, sealAfter)
  })

  test('computes again what the plain file lost', async () => {
    const { names, options, outDir, sealAfter } = setUp()
    const first = await open(options)
    await finishAll(first.sink)
    await first.sink.abort({ discard: false })
    writeFileSync(names.partial, plain.subarray(0, 128 + 401 * 4 * 300))
    const { sink, standing } = await open({ ...options, resume })
    expect(standing).toEqual([0, 1])
    await finishAll(sink, 2)
    await sink.publish()
    expectSealed(outDir, sealAfter)
  })

  test.each([
    ['before the result had its name', true, false],
    ['when it had', false, false],
    ['and the plain file was not gone for good', false, true]
  ])('takes back the sealed file after a crash in publishing, %s', async (_, unnamed, plainToo) => {
    const { names, options, outDir, sealAfter } = setUp()
    const first = await open(options)
    await finishAll(first.sink)
    const kept = join(makeFolder(), 'plain')
    copyFileSync(names.partial, kept)
    await first.sink.publish()
    if (unnamed) renameSync(names.result, names.sealedPartial ?? '')
    if (plainToo) copyFileSync(kept, names.partial)
    const { sink, standing } = await open({ ...options, resume })
    expect(standing).toEqual(chunks.map(({ chunkIndex }) => chunkIndex))
    expect(partialPaths(names).map((path) => existsSync(path))).toEqual([false, true])
    const { outputBytes } = await sink.finish({ signal })
    expect(outputBytes).toBe(matrix.byteLength)
    await sink.publish()
    expectSealed(outDir, sealAfter)
  })

  test.each([
    ['a byte was changed', (path: string) => writeFileSync(path, Buffer.alloc(1), { flag: 'r+' })],
    ['it was cut', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 4096))],
    ['its tag is none', (path: string) => writeFileSync(`${path}.hmac`, 'no tag')]
  ])('does not take for its own what stands under the final name: %s', async (_, damage) => {
    const { names, options } = setUp()
    const first = await open(options)
    await finishAll(first.sink)
    const { result } = await first.sink.publish()
    damage(result)
    const before = readFileSync(result)
    await expect(open({ ...options, resume })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(Buffer.compare(readFileSync(result), before)).toBe(0)
    expect(partialPaths(names).some((path) => existsSync(path))).toBe(false)
  })
})
