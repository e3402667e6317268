import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import type { SegmentReports } from '../../src/domain/compute.ts'
import { encodeHead } from '../../src/tasks/wav/segments/chunk-head.ts'
import { SegmentPlaces } from '../../src/tasks/wav/segments/segment-places.ts'
import { silenceKernel, silencePassOf } from '../../src/tasks/wav/silence.ts'
import { encodePlan } from '../../src/tasks/wav/wav-plan.ts'
import { AudioJob } from '../support/audio-job.ts'
import { chunksOf, placeChunks } from '../support/audio-placed.ts'
import { encodeAudio, SHORT, wavParamsOf } from '../support/audio-plans.ts'
import { FRAME } from '../support/audio-sink.ts'
import { noise } from '../tasks/wav/effects/chain-runs.ts'

const { signal } = new AbortController()
const pool = new KernelPool(1)
const source = encodeAudio(noise(1, SHORT.channels, SHORT.frames), 'f32')
const job = new AudioJob(wavParamsOf({ chain: 'gain -3, dc-offset', output: 's16' }), source)
const chunks = chunksOf(job, [2])
const places = new SegmentPlaces(job.layout.grid, FRAME)
const placed = placeChunks(places, chunks, places.workOffset + job.layout.grid.byteLength)
let folder = ''
let reports: SegmentReports

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-reports-'))
  const path = join(folder, 'placed')
  await writeFile(path, placed)
  reports = { kind: 'wav', params: job.params, path, ...FRAME }
})

afterAll(async () => {
  await pool.close()
  await rm(folder, { recursive: true })
})

async function damaged(position: number, bytes: Uint8Array): Promise<SegmentReports> {
  const path = join(folder, `damaged-${position}`)
  const file = placed.slice()
  file.set(bytes, position)
  await writeFile(path, file)
  return { ...reports, path }
}

describe('reports of segments, read in a thread', () => {
  test('are summed up for the next pass', async () => {
    expect(await pool.summarizePass({ ...reports, pass: 0 }, { signal })).toEqual(job.summaries[1])
  })

  test('tell what the signal was before and after', async () => {
    const { figures, content } = await pool.concludeSegments(reports, { signal })
    const { after, before } = job.measures()
    expect(content).toBeUndefined()
    expect(figures).toMatchObject({ effects: 'gain -3, dc-offset', format: 's16', clippedSamples: [0, 0] })
    expect(figures).toMatchObject({ before: { durationSeconds: SHORT.frames / SHORT.sampleRate } })
    expect(figures).toMatchObject({
      before: { loudnessLufs: Math.round(before.loudness * 100) / 100, channels: [{}, {}] },
      after: { loudnessLufs: Math.round(after.loudness * 100) / 100, channels: [{}, {}] }
    })
    expect(before.loudness - after.loudness).toBeCloseTo(3, 1)
  })

  test('are refused when the file is shorter than they are', async () => {
    const path = join(folder, 'short')
    await writeFile(path, placed.subarray(0, places.workOffset + 10))
    const reading = pool.summarizePass({ ...reports, path, pass: 0 }, { signal })
    await expect(reading).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
    const missing = pool.concludeSegments({ ...reports, path: join(folder, 'nothing') }, { signal })
    await expect(missing).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })

  test('are refused when they make no sense, which a peer may have caused', async () => {
    const noNumbers = new Uint8Array(Float64Array.of(Number.NaN, -1).buffer)
    for (const position of [places.reportPosition(0, 1), places.reportPosition(1, 0)]) {
      const bad = await damaged(position, noNumbers)
      await expect(pool.concludeSegments(bad, { signal })).rejects.toMatchObject({ code: 'MEASURE_INVALID' })
    }
    const { reportBytes } = job.layout.grid.segment(1, 0)
    const tally = places.reportPosition(1, 0) + reportBytes - 16
    for (const count of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) {
      const bad = await damaged(tally, new Uint8Array(Float64Array.of(count).buffer))
      await expect(pool.concludeSegments(bad, { signal })).rejects.toMatchObject({ code: 'MEASURE_INVALID' })
    }
  })
})

test('levels of a silence job become its report, and a label track', async () => {
  const settings = { threshold: -40, hysteresis: 3, leastSilence: 0.5, leastSound: 0.1 }
  const signalBytes = encodeAudio(
    noise(1, 2, SHORT.frames).map((samples) => samples.fill(0, 8000, 16_000)),
    'f32'
  )
  const params = encodePlan({ source: SHORT, settings, segmentLevels: 40 })
  const { grid } = silencePassOf(params)
  const run = { pass: 0, first: 0, count: grid.segmentCount(0) }
  const bytes = silenceKernel.run(Buffer.concat([encodeHead({ run }), signalBytes]), {
    kind: 'silence',
    params,
    reverse: false
  })
  const path = join(folder, 'levels')
  const own = new SegmentPlaces(grid, { headBytes: 0, tailBytes: 0 })
  await writeFile(path, placeChunks(own, [{ chunkIndex: 0, outputOffset: 0, bytes }], grid.byteLength))
  const request = { kind: 'silence', params, path, headBytes: 0, tailBytes: 0 }
  const { content, figures, files } = await pool.concludeSegments(request, { signal })
  expect(figures).toMatchObject({ silences: 1, sounds: 2, silentSeconds: 1, duration: SHORT.frames / 8000 })
  expect(JSON.parse(new TextDecoder().decode(content))).toMatchObject({ silences: [{ start: 1, end: 2 }] })
  expect(files.map(({ name }) => name)).toEqual(['labels.txt'])
  expect(new TextDecoder().decode(files[0]?.bytes)).toContain('1.000000\t2.000000\t')
  await expect(pool.summarizePass({ ...request, pass: 0 }, { signal })).rejects.toThrow('no passes to sum up')
})
