import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { JobDetail, ReplayView } from '../../src/app/api-types.ts'
import { jobFigures, jobRecipe } from '../../src/app/history.ts'
import { compareReplay, isBroken, requestReplay } from '../../src/app/replay.ts'
import { compareResults } from '../../src/app/replay-results.ts'
import { peerName } from '../../src/domain/ids.ts'
import type { JournalJob } from '../../src/domain/journal.ts'
import type { JobTotals } from '../../src/store/history.ts'
import { PLAIN_BLOCK_BYTES } from '../../src/store/history-result.ts'
import { encodeNpyHeader } from '../../src/tasks/matrix/npy-header.ts'
import { COUNTERS } from '../api/fake-app.ts'
import { testJob } from '../store/support-journal.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-replay-'))
const { signal } = new AbortController()
const input = write('input.raw', new Uint8Array(4_000))
const elsewhere = { outRoot: '/out', peers: [] }
const TOTALS: JobTotals = {
  dimensions: { samples: 1_000 },
  chunks: 4,
  localChunks: 1,
  inputBytes: 4_000,
  outputBytes: 4_000,
  computeMs: 60,
  transferMs: 20,
  peerCount: 1,
  peers: [{ peerId: peerName('id-ann'), name: 'ann', chunks: 3, computeMs: 45, inputBytes: 3_000, outputBytes: 3_000 }]
}
let files = 0

afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function record(changes: { kernelId?: string; options?: object; ranMs?: number } = {}): JournalJob {
  const { spec, options, ...job } = testJob('a')
  return {
    ...job,
    state: 'done',
    ranMs: changes.ranMs ?? 200,
    inputModifiedMs: statSync(input).mtimeMs,
    spec: { ...spec, inputBytes: 4_000, kernelId: changes.kernelId ?? spec.kernelId },
    options: { ...options, inputPath: input, ...changes.options }
  }
}

function detail(job: JournalJob, changes: Partial<JobDetail> = {}): JobDetail {
  return {
    jobId: job.spec.jobId,
    state: job.state,
    running: false,
    task: job.spec.kind,
    inputPath: job.options.inputPath,
    outDir: folder,
    inputBytes: job.spec.inputBytes,
    mergedBytes: job.spec.inputBytes,
    openedAtMs: job.openedAtMs,
    counters: COUNTERS,
    figures: jobFigures(job, TOTALS),
    recipe: jobRecipe(job),
    ...changes
  }
}

/** A job with this for its result. */
function withResult(job: JournalJob, bytes: Uint8Array): JobDetail {
  const result = write(`result-${files++}`, bytes)
  return detail(job, { outputs: { result, manifest: '', ledger: '' } })
}

function matrix(values: readonly number[]): Uint8Array {
  return Buffer.concat([encodeNpyHeader(1, values.length), new Uint8Array(Float32Array.from(values).buffer)])
}

describe('the figures of a job', () => {
  test('come from the record and the sums over its chunks', () => {
    expect(jobFigures(record(), TOTALS)).toMatchObject({
      kernelId: 'invert/1',
      local: 'auto',
      unit: 'samples',
      units: 1_000,
      averageChunkMs: 15,
      bytesPerSecond: 20_000,
      unitsPerSecond: 5_000,
      efficiency: 75,
      peers: [{ name: 'ann', units: 750 }]
    })
  })

  test('count a matrix product in operations', () => {
    const dimensions = { rows: 20, inner: 300, columns: 50, tileRows: 10, tileColumns: 10 }
    const { unit, units, unitsPerSecond } = jobFigures(record(), { ...TOTALS, dimensions, outputBytes: 20 * 50 * 4 })
    expect({ unit, units, unitsPerSecond }).toEqual({ unit: 'flops', units: 600_000, unitsPerSecond: 3_000_000 })
  })

  test('are 0 where there is nothing to divide by', () => {
    const nothing = { chunks: 0, localChunks: 0, inputBytes: 0, outputBytes: 0, computeMs: 0, transferMs: 0 }
    const figures = jobFigures(record({ ranMs: 0 }), { ...nothing, peerCount: 0, peers: [] })
    expect(figures).toMatchObject({ averageChunkMs: 0, bytesPerSecond: 0, unitsPerSecond: 0, efficiency: 0 })
  })
})

describe('the request of a replay', () => {
  test('asks for the same work anew', async () => {
    const job = record({ options: { keyFile: '/key.bin', local: 'never', minPeers: 2, waitMs: 7 } })
    expect(await requestReplay(detail(job), { ...elsewhere, outDir: '/there', peers: ['/ip4/1.2.3.4/tcp/1'] })).toEqual(
      {
        inputPath: input,
        task: 'invert',
        reverse: true,
        encrypt: true,
        keyFile: '/key.bin',
        local: 'never',
        chunkBytes: 1_024,
        minPeers: 2,
        waitMs: 7,
        outRoot: '/out',
        outDir: '/there',
        detach: false,
        peers: ['/ip4/1.2.3.4/tcp/1']
      }
    )
  })

  test('leaves the size of chunks open where it was', async () => {
    const request = await requestReplay(detail(record({ options: { chunkBytesFixed: false } })), elsewhere)
    expect(request).not.toHaveProperty('chunkBytes')
    expect(request).not.toHaveProperty('outDir')
  })

  test.for([
    ['matrix-fast-f32-ort-1.30.0', false],
    ['matrix-exact-f32-1', true]
  ] as const)('names second operand and kernel of %s', async ([kernelId, exact]) => {
    const stamp = (path: string) => ({ path, byteLength: statSync(path).size, modifiedMs: statSync(path).mtimeMs })
    const rightPath = write('b.npy', matrix([1]))
    const operands = { a: stamp(input), b: stamp(rightPath) }
    const job = detail(record({ kernelId, options: { operands } }))
    expect(await requestReplay(job, elsewhere)).toMatchObject({ rightPath, exact })
    write('b.npy', matrix([1, 2]))
    await expect(requestReplay(job, elsewhere)).rejects.toMatchObject({ code: 'INPUT_CHANGED' })
  })

  const stamp = { path: input, byteLength: 4_000, modifiedMs: 1_000 }
  test.for([
    ['another length', [{ ...stamp, byteLength: 3_996 }], '3996 bytes, found 4000'],
    ['another time of change', [stamp], '1970-01-01T00:00:01'],
    ['no input any more', [{ ...stamp, path: '/nowhere' }], 'ENOENT']
  ] as const)('is refused for %s', async ([, inputs, found]) => {
    const changes = { recipe: { ...jobRecipe(record()), inputs } }
    const changed = { code: 'INPUT_CHANGED', message: expect.stringContaining(found) }
    await expect(requestReplay(detail(record(), changes), elsewhere)).rejects.toMatchObject(changed)
  })

  test.for([{ state: 'open' }, { state: 'stopped' }, { state: 'open', running: true }] as const)(
    'is refused for a job that is %o',
    async (changes) => {
      const refusal = { code: 'JOB_NOT_ENDED', exitCode: 2 }
      await expect(requestReplay(detail(record(), changes), elsewhere)).rejects.toMatchObject(refusal)
    }
  )

  test('is refused when an older process runs the home', async () => {
    const { recipe: _, ...older } = detail(record())
    await expect(requestReplay(older, elsewhere)).rejects.toMatchObject({ code: 'NOT_REPLAYABLE' })
  })
})

describe('two results', () => {
  test('are equal, or differ first at one byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 * PLAIN_BLOCK_BYTES + 99 }),
        fc.nat(),
        async (byteLength, position) => {
          const bytes = new Uint8Array(byteLength)
          const a = { result: write('a.raw', bytes) }
          expect(await compareResults(a, a, { signal })).toEqual({
            compared: true,
            equal: true,
            originalBytes: byteLength,
            replayBytes: byteLength
          })
          bytes.fill(1, position % byteLength)
          const b = { result: write('b.raw', bytes) }
          expect(await compareResults(a, b, { signal })).toMatchObject({
            equal: false,
            firstDifferenceByte: position % byteLength
          })
        }
      ),
      { numRuns: 20 }
    )
  })

  test('of other lengths differ where the shorter ends', async () => {
    const long = { result: write('long.raw', new Uint8Array(PLAIN_BLOCK_BYTES + 8)) }
    const short = { result: write('short.raw', new Uint8Array(PLAIN_BLOCK_BYTES)) }
    const expected = { equal: false, firstDifferenceByte: PLAIN_BLOCK_BYTES }
    expect(await compareResults(long, short, { signal })).toMatchObject(expected)
    expect(await compareResults(short, long, { signal })).toMatchObject({
      ...expected,
      replayBytes: PLAIN_BLOCK_BYTES + 8
    })
  })

  test('that are matrices are compared by element, across blocks', async () => {
    const values = Array.from({ length: PLAIN_BLOCK_BYTES / 4 + 50 }, (_, index) => index)
    const last = values.length - 1
    const others = values
      .with(0, Number.NaN)
      .with(9, 9.5)
      .with(last, last + 1)
    const a = { result: write('a.npy', matrix(values.with(0, Number.NaN))) }
    const b = { result: write('b.npy', matrix(others)) }
    expect(await compareResults(a, b, { signal })).toMatchObject({
      firstDifferenceByte: 128 + 9 * 4 + 2,
      elements: {
        compared: values.length,
        differing: 2,
        largestAbsolute: 1,
        largestRelative: 0.5 / 9.5,
        notFinite: 0
      }
    })
  })

  test('that are matrices tell what is not finite apart, and no difference from a zero of the other sign', async () => {
    const a = { result: write('a.npy', matrix([0, 1, Number.POSITIVE_INFINITY, 0])) }
    const b = { result: write('b.npy', matrix([-0, Number.NaN, Number.POSITIVE_INFINITY, 2])) }
    expect(await compareResults(a, b, { signal })).toMatchObject({
      elements: { compared: 4, differing: 2, notFinite: 1, largestAbsolute: 2, largestRelative: 1 }
    })
  })

  test('that are matrices of other shapes are compared by byte alone', async () => {
    const a = { result: write('a.npy', matrix([1, 2])) }
    const b = { result: write('b.npy', matrix([1, 2, 3])) }
    expect(await compareResults(a, b, { signal })).not.toHaveProperty('elements')
  })
})

describe('a replay compared with its original', () => {
  const exact = record()
  const fast = record({ kernelId: 'matrix-fast-f32-ort-1.30.0' })
  const [ones, twos] = [Uint8Array.of(1, 1), Uint8Array.of(1, 2)]

  async function compare(original: JobDetail, replay: JobDetail): Promise<ReplayView & { readonly broken: boolean }> {
    const view = await compareReplay(original, replay, { signal })
    return { ...view, broken: isBroken(view) }
  }

  test('is right when the bytes are equal', async () => {
    const view = await compare(withResult(exact, ones), withResult(record({ ranMs: 100 }), ones))
    expect(view).toMatchObject({ broken: false, mustBeEqual: true, result: { equal: true } })
    expect(view.ratios).toEqual({ totalMs: 0.5, averageChunkMs: 1, unitsPerSecond: 2, efficiency: 1 })
  })

  test('is broken when they are not', async () => {
    expect(await compare(withResult(exact, ones), withResult(exact, twos))).toMatchObject({ broken: true })
  })

  test('may differ with the fast kernel, or with another kernel', async () => {
    expect(await compare(withResult(fast, ones), withResult(fast, twos))).toMatchObject({ broken: false })
    expect(await compare(withResult(exact, ones), withResult(fast, twos))).toMatchObject({ broken: false })
  })

  test.for([
    ['the original failed', detail({ ...exact, state: 'failed' }), 'failed'],
    ['its result is gone', detail(exact, { outputs: { result: '/gone', manifest: '', ledger: '' } }), '/gone']
  ] as const)('says that there is nothing to compare when %s', async ([, original, reason]) => {
    const view = await compare(original, withResult(exact, ones))
    expect(view).toMatchObject({ broken: false, result: { compared: false, reason: expect.stringContaining(reason) } })
  })
})
