import { describe, expect, test } from 'vitest'
import { SwarmError } from '../../src/errors.ts'
import { openJob } from '../../src/submitter/open-job.ts'
import { JobEndRequest } from '../../src/submitter/run-job.ts'
import { CHUNK_BYTES, JOB_ID, JobHarness } from './job-harness.ts'

/** A job of which a former incarnation merged the first two chunks and had the third one out. */
async function interrupted() {
  const before = new JobHarness(5)
  const { ended } = await before.start()
  const ada = await before.worker('ada')
  for (let chunk = 0; chunk < 2; chunk++) {
    const grant = await ada.grant()
    await ada.offer(grant, await ada.compute(grant))
  }
  await ada.grant()
  before.stopping.abort(new JobEndRequest('stopped'))
  await ended
  return before
}

async function resume(before: JobHarness, standing: number[]) {
  const again = new JobHarness(5)
  const chunks = before.journal.chunks(JOB_ID)
  again.journal.grant(JOB_ID, chunks)
  const merged = chunks.flatMap((chunk) => chunk.merged ?? [])
  again.journal.merge(JOB_ID, merged, before.journal.get(JOB_ID)?.checkpoint)
  again.journal.addTraffic(JOB_ID, 'ada' as never, 'ada', 128, 128)
  again.record = { ...(again.journal.get(JOB_ID) ?? again.record), incarnation: again.journal.reopen(JOB_ID) }
  again.sinks.standing.push(...standing)
  again.log.length = 0
  return again
}

describe('a job that is opened again', () => {
  test('does only what does not stand, and counts the rest', async () => {
    const again = await resume(await interrupted(), [0, 1])
    const { ended } = await again.start()
    expect(again.sink.options.resume?.chunks).toMatchObject([
      { chunkIndex: 0, outputOffset: 0, byteLength: CHUNK_BYTES },
      { chunkIndex: 1, outputOffset: CHUNK_BYTES, byteLength: CHUNK_BYTES }
    ])
    expect(again.sink.options.resume?.checkpoint.chunkCount).toBe(2)
    const bob = await again.worker('bob')
    expect(await bob.work()).toBe(3)
    const done = await ended
    expect(done).toMatchObject({ event: 'done', chunks: 5 })
    expect(done).toMatchObject({
      peers: [
        { peerId: 'bob', chunks: 3 },
        { peerId: 'ada', chunks: 2, bytesIn: 128, bytesOut: 128 }
      ]
    })
    const half = 2 * CHUNK_BYTES
    expect(again.sink.output.subarray(half)).toEqual(again.expected.subarray(half))
    expect(again.log).toContain('ledger close done: 5 receipts, 5 chunks, 0 local')
  })

  test('does again what does not stand the re-check, and forgets that it was merged', async () => {
    const again = await resume(await interrupted(), [0])
    const { ended } = await again.start()
    expect(again.log).toEqual(['journal unmerge 1'])
    expect(again.eventsOf('progress')[0]).toMatchObject({ mergedBytes: CHUNK_BYTES })
    const bob = await again.worker('bob')
    expect(await bob.grant()).toMatchObject({ chunkIndex: 1, epoch: 2 })
    await bob.leave()
    const cyd = await again.worker('cyd')
    expect(await cyd.work()).toBe(4)
    expect(await ended).toMatchObject({ event: 'done', chunks: 5 })
  })

  test('gives a chunk that was out a new epoch and incarnation', async () => {
    const again = await resume(await interrupted(), [0, 1])
    await again.start()
    const bob = await again.worker('bob')
    expect(await bob.grant()).toMatchObject({ chunkIndex: 2, epoch: 2, incarnation: 2 })
  })

  test('shows what is done from the start', async () => {
    const again = await resume(await interrupted(), [0, 1])
    await again.start()
    expect(again.eventsOf('progress')[0]).toMatchObject({ mergedBytes: 2 * CHUNK_BYTES })
  })

  test('is refused when its journal is not on the grid', async () => {
    const again = new JobHarness(5)
    const bad = { chunkIndex: 0, inputOffset: 3, inputBytes: CHUNK_BYTES, outputOffset: 0, outputBytes: CHUNK_BYTES }
    again.journal.grant(JOB_ID, [{ ...bad, epoch: 1, attempts: 0 }])
    await expect(again.open()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
    expect(again.sink.aborted).toEqual({ discard: false })
  })

  test('passes on why its output cannot be opened', async () => {
    const { record, desk, ports } = new JobHarness(1)
    const openSink = () => Promise.reject(new SwarmError('OUTPUT_EXISTS', 'there is one'))
    const { signal } = new AbortController()
    const opening = openJob(record, desk, { ...ports, openSink }, () => undefined, { signal })
    await expect(opening).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  })

  test('tells the user when the disk is full, and when it goes on', async () => {
    const harness = new JobHarness(1)
    await harness.open()
    harness.sink.options.onStall(true, '/out')
    harness.sink.options.onStall(false, '/out')
    expect(harness.eventsOf('notice').map(({ message }) => message)).toEqual([
      'the disk of /out is full: make room and the job goes on, nothing is lost',
      'there is room again on the disk of /out: the job goes on'
    ])
  })
})
