import { describe, expect, test } from 'vitest'
import { partsByteLength } from '../../src/domain/chunk-parts.ts'
import type { ComputePool, SegmentFindings } from '../../src/domain/compute.ts'
import type { Chunk } from '../../src/domain/job.ts'
import { SegmentPasses } from '../../src/submitter/segment-passes.ts'
import type { SignalSummary } from '../../src/tasks/wav/effects/effect.ts'
import type { SegmentRun } from '../../src/tasks/wav/segments/segment-grid.ts'
import { SegmentPlaces } from '../../src/tasks/wav/segments/segment-places.ts'
import { AudioJob } from '../support/audio-job.ts'
import { chunksOf, joinParts, placeChunks } from '../support/audio-placed.ts'
import { encodeAudio, runsOf, SHORT, wavParamsOf } from '../support/audio-plans.ts'
import { noise } from '../tasks/wav/effects/chain-runs.ts'

const DATA_OFFSET = 44
const FRAME = { headBytes: 58, tailBytes: 6 }
const ROOM = { path: 'room.wav', sampleRate: 8000, channels: 1, frames: 300, encoding: 's16' as const }
const room = encodeAudio(noise(3, 1, 300), 's16')
const { signal } = new AbortController()

type Summarize = ComputePool['summarizePass']

/** Only handed through. */
const FINDINGS = { figures: { silences: 3 }, files: [] } as unknown as SegmentFindings

/** Compute threads that were asked what a test answers. */
class FakeReader {
  readonly asked: Parameters<Summarize>[0][] = []
  readonly answers: PromiseWithResolvers<SignalSummary>[] = []
  concluded: object | undefined

  readonly summarizePass: Summarize = (request) => {
    const answer = Promise.withResolvers<SignalSummary>()
    this.asked.push(request)
    this.answers.push(answer)
    return answer.promise
  }

  readonly concludeSegments: ComputePool['concludeSegments'] = async (request): Promise<SegmentFindings> => {
    this.concluded = request
    return FINDINGS
  }
}

function setUp(chain: string) {
  const source = encodeAudio(noise(1, SHORT.channels, SHORT.frames), 'f32')
  const job = new AudioJob(wavParamsOf({ chain, impulses: [ROOM] }), source, new Map([[ROOM.path, room]]))
  const chunks = chunksOf(job, [2])
  const places = new SegmentPlaces(job.layout.grid, FRAME)
  const placed = placeChunks(places, chunks, places.workOffset + job.layout.grid.byteLength)
  const files = new Map<string, Uint8Array>([
    ['/in/show.wav', Buffer.concat([new Uint8Array(DATA_OFFSET), source, new Uint8Array(9)])],
    ['/in/room.wav', Buffer.concat([new Uint8Array(46), room])],
    ['/out/.partial', placed]
  ])
  const compute = new FakeReader()
  const cutter = { openPasses: 1, openNext: () => void cutter.openPasses++ }
  const controller = new AbortController()
  const passes = new SegmentPasses({
    spec: { kind: 'wav', params: job.params },
    job: job.layout,
    source: { path: '/in/show.wav', offset: DATA_OFFSET },
    impulses: new Map([[ROOM.path, { path: '/in/room.wav', offset: 46 }]]),
    places,
    placedPath: '/out/.partial',
    cutter,
    compute,
    signal: controller.signal
  })
  const chunkOf = (run: SegmentRun): Chunk => {
    const index = runsOf(job.layout.grid, [2]).findIndex(({ pass, first }) => pass === run.pass && first === run.first)
    const { bytes, outputOffset } = chunks[index] ?? { bytes: new Uint8Array(0), outputOffset: 0 }
    const inputBytes = bytes.byteLength
    return { chunkIndex: index, inputOffset: outputOffset, inputBytes, outputOffset, outputBytes: inputBytes }
  }
  return { chunkOf, compute, controller, cutter, files, job, passes }
}

/** Opens each pass with what the job itself found. */
async function openAll({ compute, job, passes }: ReturnType<typeof setUp>): Promise<void> {
  for (let pass = 1; pass < job.layout.grid.passCount; pass++) {
    const advancing = passes.advance(job.layout.grid.passOffset(pass))
    compute.answers.at(-1)?.resolve(job.summaries[pass] as SignalSummary)
    await advancing
  }
}

describe('inputs of chunks', () => {
  test.each([
    ['one pass of the source', 'highpass 80'],
    ['impulse responses', 'convolve room.wav'],
    ['a pass that measures the source, and one that reads it again', 'dc-offset, convolve room.wav'],
    ['passes that read what the one before gave', 'gain -3, dc-offset, highpass 40, dc-offset'],
    ['a pass that reads another backwards', 'speed 1.25, dc-offset, reverse']
  ])('name the bytes that the kernel needs: %s', async (_, chain) => {
    const made = setUp(chain)
    await openAll(made)
    for (const run of runsOf(made.job.layout.grid, [2])) {
      const parts = await made.passes.partsOf(made.chunkOf(run))
      expect(Buffer.compare(joinParts(parts, made.files), made.job.inputOf(run))).toBe(0)
      expect(partsByteLength(parts)).toBe(made.job.inputOf(run).byteLength)
    }
  })

  test('are estimated from their share of the pass', () => {
    const { chunkOf, job, passes } = setUp('convolve room.wav, dc-offset')
    const bytes = runsOf(job.layout.grid, [2])
      .filter(({ pass }) => pass === 0)
      .map((run) => passes.inputBytes(chunkOf(run)))
    const impulseBytes = bytes.length * room.byteLength
    const estimated = bytes.reduce((sum, each) => sum + each, 0) - impulseBytes
    expect(estimated).toBeGreaterThanOrEqual(SHORT.frames * 8)
    expect(estimated).toBeLessThanOrEqual(SHORT.frames * 8 + bytes.length)
  })

  test('fail when the job does not say where an impulse response lies', async () => {
    const { chunkOf, compute, controller, job } = setUp('convolve room.wav')
    const passes = new SegmentPasses({
      spec: { kind: 'wav', params: job.params },
      job: job.layout,
      source: { path: '/in/show.wav', offset: 44 },
      impulses: new Map(),
      places: new SegmentPlaces(job.layout.grid, FRAME),
      placedPath: '/out/.partial',
      cutter: { openPasses: 1, openNext: () => undefined },
      compute,
      signal: controller.signal
    })
    await expect(passes.partsOf(chunkOf({ pass: 0, first: 0, count: 2 }))).rejects.toThrow('where room.wav lies')
  })
})

describe('passes', () => {
  test('open one by one, each only once all before it is in the file, and are summed up once', async () => {
    const made = setUp('gain -3, dc-offset, highpass 40, dc-offset')
    const { compute, cutter, job, passes } = made
    const { grid } = job.layout
    expect(passes.advance(0)).toBeUndefined()
    expect(passes.advance(grid.passOffset(1) - 1)).toBeUndefined()
    const advancing = passes.advance(grid.passOffset(1))
    expect(advancing).toBeInstanceOf(Promise)
    expect(passes.advance(grid.passOffset(1))).toBeUndefined()
    expect(compute.asked).toEqual([
      { kind: 'wav', params: job.params, path: '/out/.partial', headBytes: 58, tailBytes: 6, pass: 0 }
    ])
    expect(cutter.openPasses).toBe(1)
    compute.answers[0]?.resolve(job.summaries[1] as SignalSummary)
    await advancing
    expect(cutter.openPasses).toBe(2)
    expect(passes.advance(grid.passOffset(2) - 1)).toBeUndefined()
    const next = passes.advance(grid.byteLength)
    compute.answers[1]?.resolve(job.summaries[2] as SignalSummary)
    await next
    expect(cutter.openPasses).toBe(3)
    expect(passes.advance(grid.byteLength)).toBeUndefined()
    expect(compute.asked.map(({ pass }) => pass)).toEqual([0, 1])
  })

  test('make a chunk of a later pass wait for what it needs', async () => {
    const { chunkOf, compute, job, passes } = setUp('gain -3, dc-offset')
    const run = { pass: 1, first: 0, count: 2 }
    let parts: unknown
    const waiting = passes.partsOf(chunkOf(run)).then((made) => (parts = made))
    await Promise.resolve()
    const advancing = passes.advance(job.layout.grid.passOffset(1))
    expect(parts).toBeUndefined()
    compute.answers[0]?.resolve(job.summaries[1] as SignalSummary)
    await advancing
    expect(await waiting).toBe(parts)
  })

  test('stop waiting when the job ends', async () => {
    const { chunkOf, controller, passes } = setUp('gain -3, dc-offset')
    const waiting = passes.partsOf(chunkOf({ pass: 1, first: 0, count: 2 }))
    controller.abort(new Error('the job was cancelled'))
    await expect(waiting).rejects.toThrow('the job was cancelled')
  })

  test('of a job that has ended already never wait', async () => {
    const made = setUp('gain -3, dc-offset')
    const passes = new SegmentPasses({
      spec: { kind: 'wav', params: made.job.params },
      job: made.job.layout,
      source: { path: '/in/show.wav', offset: 44 },
      impulses: new Map(),
      places: new SegmentPlaces(made.job.layout.grid, FRAME),
      placedPath: '/out/.partial',
      cutter: made.cutter,
      compute: made.compute,
      signal: AbortSignal.abort(new Error('it is over'))
    })
    await expect(passes.partsOf(made.chunkOf({ pass: 1, first: 0, count: 2 }))).rejects.toThrow('it is over')
  })

  test('fail when what was found cannot be summed up', async () => {
    const { compute, cutter, job, passes } = setUp('gain -3, dc-offset')
    const advancing = passes.advance(job.layout.grid.passOffset(1))
    compute.answers[0]?.reject(new Error('a report makes no sense'))
    await expect(advancing).rejects.toThrow('a report makes no sense')
    expect(cutter.openPasses).toBe(1)
  })

  test('together tell what was found', async () => {
    const { compute, job, passes } = setUp('gain -3')
    expect(await passes.conclude({ signal })).toBe(FINDINGS)
    const file = { path: '/out/.partial', headBytes: 58, tailBytes: 6 }
    expect(compute.concluded).toEqual({ kind: 'wav', params: job.params, ...file })
  })
})
