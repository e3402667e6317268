import { describe, expect, test } from 'vitest'
import { CHUNK_BYTES, JobHarness } from './job-harness.ts'

describe('the report of a job', () => {
  test('tells progress four times a second, with rate and time left', async () => {
    const harness = new JobHarness(4)
    await harness.start()
    const ada = await harness.worker('ada')
    const grant = await ada.grant()
    await ada.offer(grant, await ada.compute(grant))
    await harness.clock.advance(1_000)
    const progress = harness.eventsOf('progress')
    expect(progress).toHaveLength(5)
    expect(progress[0]).toMatchObject({ mergedBytes: 0, bytesPerSecond: 0 })
    expect(progress[0]).not.toHaveProperty('remainingMs')
    expect(progress.at(-1)).toMatchObject({
      mergedBytes: CHUNK_BYTES,
      inputBytes: 4 * CHUNK_BYTES,
      bytesPerSecond: CHUNK_BYTES,
      remainingMs: 3_000
    })
  })

  test('says that it waits for peers, and again', async () => {
    const harness = new JobHarness(4, { minPeers: 2 })
    await harness.start()
    await harness.worker('ada')
    await harness.clock.advance(7_000)
    const waiting = harness.eventsOf('waiting')
    expect(waiting.map(({ reason }) => reason.slice(0, 12))).toEqual(['1 of 2 peers', '1 of 2 peers'])
  })

  test('fails with NO_PEERS when too few came in time', async () => {
    const harness = new JobHarness(4, { waitMs: 2_000 })
    const { ended } = await harness.start()
    await harness.clock.advance(1_900)
    expect(harness.eventsOf('failed')).toEqual([])
    await harness.clock.advance(200)
    expect(await ended).toMatchObject({ event: 'failed', code: 'NO_PEERS' })
    expect(harness.clock.sleeping).toBe(0)
  })

  test('does not wait for peers that it does not need', async () => {
    const harness = new JobHarness(1, { local: 'auto' })
    const { ended } = await harness.start()
    expect(await ended).toMatchObject({ event: 'done', localChunks: 1 })
  })

  test('says that it waits when the last peer left and the work may not stay', async () => {
    const harness = new JobHarness(4)
    const { ended } = await harness.start()
    const ada = await harness.worker('ada')
    await ada.leave()
    await harness.clock.advance(3_500)
    expect(harness.eventsOf('waiting')).toMatchObject([{ reason: expect.stringContaining('--local never') }])
    const bob = await harness.worker('bob')
    await bob.work()
    expect(await ended).toMatchObject({ event: 'done' })
  })

  test('advertises the job every second', async () => {
    const harness = new JobHarness(4)
    await harness.start()
    await harness.clock.advance(3_000)
    expect(harness.adverts.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  })

  test('wakes idle workers when there is work again, at most every 50 ms', async () => {
    const harness = new JobHarness(1)
    await harness.start()
    const ada = await harness.worker('ada')
    const bob = await harness.worker('bob')
    const { leaseNumber } = await ada.grant()
    await harness.clock.advance(1_000)
    const before = bob.woken.length
    ada.release(leaseNumber)
    await harness.clock.advance(0)
    expect(bob.woken.length - before).toBe(1)
  })

  test('journals what moved, by peer', async () => {
    const harness = new JobHarness(2)
    const { ended } = await harness.start()
    const ada = await harness.worker('ada')
    await ada.work()
    await ended
    const moved = harness.journal.traffic(harness.record.spec.jobId)
    expect(moved.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBe(2 * CHUNK_BYTES)
    expect(moved.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(2 * CHUNK_BYTES)
    expect(moved.every(({ peerId, name }) => peerId === 'ada' && name === 'ada')).toBe(true)
  })
})
