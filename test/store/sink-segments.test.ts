import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentHash } from '../../src/content-hash.ts'
import type { SinkOptions } from '../../src/domain/result-sink.ts'
import { SegmentPlaces } from '../../src/tasks/wav/segments/segment-places.ts'
import { AudioJob } from '../support/audio-job.ts'
import { type AudioChunk, chunksOf } from '../support/audio-placed.ts'
import { encodeAudio, SHORT, wavParamsOf } from '../support/audio-plans.ts'
import { FRAME, resumeOf, segmentFileOf, wholeFile } from '../support/audio-sink.ts'
import { noise } from '../tasks/wav/effects/chain-runs.ts'
import { durable, makeFolder, makeSealing, open, put, sealedBytes, signal, tagOf } from './sink-support.ts'

const source = encodeAudio(noise(1, SHORT.channels, SHORT.frames), 'f32')
const job = new AudioJob(wavParamsOf({ chain: 'gain -3, dc-offset', output: 's16' }), source)
const chunks = chunksOf(job, [1, 2])
const segments = segmentFileOf(job)
const outputBytes = job.layout.grid.byteLength
const expected = wholeFile(job)
const options = { fileName: 'result.wav', outputBytes, segments }
const text = new TextEncoder()

async function placed(
  outDir: string,
  given: readonly AudioChunk[],
  more: Partial<SinkOptions> = {}
): Promise<Awaited<ReturnType<typeof open>>['sink']> {
  const { sink } = await open({ outDir, ...options, ...more })
  await Promise.all(given.map((chunk) => put(sink, chunk)))
  return sink
}

/** A job that was stopped once these chunks were durable. @returns the partial file */
async function stopped(outDir: string, given: readonly AudioChunk[], more: Partial<SinkOptions> = {}): Promise<string> {
  const { sink } = await open({ outDir, ...options, ...more })
  const reading = durable(sink, given.length)
  await Promise.all(given.map((chunk) => put(sink, chunk)))
  await reading
  await sink.abort({ discard: false })
  return sink.placedPath
}

describe('a sink of segments', () => {
  test('gives head, audio of the last pass and tail, whatever the order of chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(chunks, { minLength: chunks.length }), async (order) => {
        const outDir = makeFolder()
        const sink = await placed(outDir, order)
        expect(await sink.finish({ signal })).toEqual({ outputBytes })
        const { result } = await sink.publish()
        expect(Buffer.compare(readFileSync(result), expected)).toBe(0)
        expect(readdirSync(outDir)).toEqual(['result.wav'])
      }),
      { numRuns: 2 }
    )
  })

  test('keeps reports and earlier passes where they are told to be, until it is finished', async () => {
    const sink = await placed(makeFolder(), chunks)
    const file = readFileSync(sink.placedPath)
    const places = new SegmentPlaces(job.layout.grid, FRAME)
    for (const pass of [0, 1]) {
      for (const [index, report] of job.reports(pass).entries()) {
        const position = places.reportPosition(pass, index)
        expect(Buffer.compare(file.subarray(position, position + report.byteLength), report)).toBe(0)
      }
    }
  })

  test('tells the hash of each chunk as it came', async () => {
    const { sink } = await open({ outDir: makeFolder(), ...options })
    const reading = durable(sink, chunks.length)
    await Promise.all(chunks.map((chunk) => put(sink, chunk)))
    const hashes = (await reading).flatMap((batch) => batch.outputHashes ?? [])
    expect(hashes.map((hash) => Uint8Array.from(hash))).toEqual(chunks.map(({ bytes }) => contentHash(bytes)))
  })

  test.each([[''], ['x'.repeat(500_000)]])('holds the content that it is finished with', async (content) => {
    const sink = await placed(makeFolder(), chunks)
    await sink.finish({ signal, content: text.encode(content) })
    const { result } = await sink.publish()
    expect(readFileSync(result, 'utf8')).toBe(content)
  })

  test.each([undefined, 'as text'])('seals the result once it is whole; content: %s', async (content) => {
    const sealAfter = makeSealing()
    const outDir = makeFolder()
    const sink = await placed(outDir, chunks, { sealAfter })
    const { hmac } = await sink.finish({ signal, content: content === undefined ? undefined : text.encode(content) })
    const { result } = await sink.publish()
    const sealed = readFileSync(result)
    expect(
      Buffer.compare(sealed, sealedBytes(content === undefined ? expected : text.encode(content), sealAfter))
    ).toBe(0)
    expect(Buffer.compare(hmac ?? new Uint8Array(0), tagOf(sealed, sealAfter))).toBe(0)
    expect(readdirSync(outDir)).toHaveLength(4)
  })
})

describe('resuming', () => {
  test('keeps the chunks that stand, drops the damaged and the lost, and gives the same bytes', async () => {
    const outDir = makeFolder()
    const partial = await stopped(outDir, chunks.slice(0, -1))
    const bytes = readFileSync(partial)
    const damaged = new SegmentPlaces(job.layout.grid, FRAME).reportPosition(0, 0)
    bytes[damaged] = (bytes[damaged] ?? 0) ^ 1
    writeFileSync(partial, bytes)
    const { sink, standing } = await open({ outDir, ...options, resume: resumeOf(chunks) })
    expect(standing).toEqual(chunks.slice(1, -1).map(({ chunkIndex }) => chunkIndex))
    await Promise.all([chunks[0], chunks.at(-1)].map((chunk) => put(sink, chunk as AudioChunk)))
    await sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), expected)).toBe(0)
  })

  test('writes the tail again, which no chunk vouches for', async () => {
    const outDir = makeFolder()
    const partial = await stopped(outDir, chunks)
    const bytes = readFileSync(partial)
    bytes.fill(0, expected.byteLength - FRAME.tailBytes, expected.byteLength)
    writeFileSync(partial, bytes)
    const { sink, standing } = await open({ outDir, ...options, resume: resumeOf(chunks) })
    expect(standing).toHaveLength(chunks.length)
    await sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await sink.publish()).result), expected)).toBe(0)
  })

  test('starts anew when the head is another', async () => {
    const outDir = makeFolder()
    await stopped(outDir, chunks)
    const other = { ...segments, head: new Uint8Array(FRAME.headBytes).fill(0x49) }
    const { standing } = await open({ outDir, ...options, segments: other, resume: resumeOf(chunks) })
    expect(standing).toEqual([])
  })

  test('starts anew when the reports were cut off already, and when nothing is left', async () => {
    for (const damage of [(path: string) => truncateSync(path, expected.byteLength), (path: string) => rmSync(path)]) {
      const outDir = makeFolder()
      damage(await stopped(outDir, chunks))
      const { sink, standing } = await open({ outDir, ...options, resume: resumeOf(chunks) })
      expect(standing).toEqual([])
      await Promise.all(chunks.map((chunk) => put(sink, chunk)))
      await sink.finish({ signal })
      expect(Buffer.compare(readFileSync((await sink.publish()).result), expected)).toBe(0)
    }
  })

  test('has all reports still when the result was sealed, but not published', async () => {
    const outDir = makeFolder()
    const sealAfter = makeSealing()
    const sink = await placed(outDir, chunks, { sealAfter })
    await sink.finish({ signal })
    const again = await open({ outDir, ...options, sealAfter, resume: resumeOf(chunks) })
    expect(again.standing).toHaveLength(chunks.length)
    expect(readFileSync(again.sink.placedPath).byteLength).toBeGreaterThan(expected.byteLength)
  })

  test('makes a sealed result again that was published just before a crash, since its reports are gone', async () => {
    const outDir = makeFolder()
    const sealAfter = makeSealing()
    const sink = await placed(outDir, chunks, { sealAfter })
    await sink.finish({ signal })
    const { result } = await sink.publish()
    const sealed = readFileSync(result)
    const again = await open({ outDir, ...options, sealAfter, resume: resumeOf(chunks) })
    expect(again.standing).toEqual([])
    expect(existsSync(result)).toBe(false)
    await Promise.all(chunks.map((chunk) => put(again.sink, chunk)))
    await again.sink.finish({ signal })
    expect(Buffer.compare(readFileSync((await again.sink.publish()).result), sealed)).toBe(0)
  })

  test("leaves another job's sealed result alone", async () => {
    const outDir = makeFolder()
    const sink = await placed(outDir, chunks, { sealAfter: makeSealing() })
    await sink.finish({ signal })
    const { result } = await sink.publish()
    const opening = open({ outDir, ...options, sealAfter: makeSealing(), resume: resumeOf(chunks) })
    await expect(opening).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(existsSync(result)).toBe(true)
  })
})

describe('refusals', () => {
  test('does not seal segments in order', async () => {
    const opening = open({ outDir: makeFolder(), ...options, sealing: makeSealing() })
    await expect(opening).rejects.toMatchObject({ code: 'SEALING_UNSUPPORTED', exitCode: 2 })
  })

  test.each([
    [0, 20],
    [4, 24],
    [0, outputBytes]
  ])('takes no chunk at %d of %d bytes, which is no run of segments', async (outputOffset, byteLength) => {
    const { sink } = await open({ outDir: makeFolder(), ...options })
    const putting = put(sink, { chunkIndex: 0, outputOffset, bytes: new Uint8Array(byteLength) })
    await expect(putting).rejects.toMatchObject({ code: 'OUTPUT_WRITE_FAILED' })
  })

  test('does not finish while segments are missing', async () => {
    const sink = await placed(makeFolder(), chunks.slice(1))
    await expect(sink.finish({ signal })).rejects.toMatchObject({ code: 'OUTPUT_INCOMPLETE' })
  })

  test('does not overwrite a result that is there', async () => {
    const outDir = makeFolder()
    writeFileSync(join(outDir, 'result.wav'), 'mine')
    await expect(open({ outDir, ...options })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  })
})
