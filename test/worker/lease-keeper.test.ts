import { describe, expect, test } from 'vitest'
import { LeaseKeeper } from '../../src/worker/lease-keeper.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { FakeSubmitter } from './fake-submitter.ts'

function make() {
  const submitter = new FakeSubmitter()
  const clock = new VirtualClock()
  const client = submitter.openLease(
    { name: '', threads: 1, kernelIds: [], memoryBytes: 0, held: [] },
    { onRevoked: () => undefined, onWake: () => undefined }
  )
  const keeper = new LeaseKeeper(client, clock)
  const stop = new AbortController()
  const running = keeper.run({ signal: stop.signal }).catch((error: unknown) => error)
  return { submitter, clock, keeper, stop, running }
}

describe('a lease keeper', () => {
  test('names all its leases in one heartbeat every two seconds, with their progress', async () => {
    const { submitter, clock, keeper } = make()
    const first = keeper.add(submitter.grant(), 0)
    keeper.add(submitter.grant(), 0)
    first.movedBytes = 100
    Atomics.store(first.computed, 0, 3)
    await clock.advance(4_000)
    expect(submitter.heartbeats).toHaveLength(2)
    expect(submitter.heartbeats[0]).toEqual([
      { leaseNumber: 1, progress: 100 + 3 * 1024 },
      { leaseNumber: 2, progress: 0 }
    ])
  })

  test('says nothing while it holds no lease', async () => {
    const { submitter, clock } = make()
    await clock.advance(10_000)
    expect(submitter.heartbeats).toEqual([])
  })

  test('keeps a lease alive for as long as its heartbeats are acknowledged', async () => {
    const { submitter, clock, keeper } = make()
    const { signal } = keeper.add(submitter.grant(), 0)
    await clock.advance(120_000)
    expect(signal.aborted).toBe(false)
  })

  test('stops at 0.9 of the time to live, counted from the send of the last acknowledged heartbeat', async () => {
    const { submitter, clock, keeper } = make()
    const { signal } = keeper.add(submitter.grant(), 0)
    await clock.advance(2_000)
    submitter.answersHeartbeats = false
    await clock.advance(8_900)
    expect(signal.aborted).toBe(false)
    await clock.advance(500)
    expect(signal.reason).toMatchObject({ code: 'LEASE_EXPIRED' })
    expect(keeper.count).toBe(0)
  })

  test('stops a lease that was never acknowledged at 0.9 of its first time to live', async () => {
    const { submitter, clock, keeper } = make()
    submitter.answersHeartbeats = false
    const { signal } = keeper.add(submitter.grant(), 0)
    await clock.advance(4_400)
    expect(signal.aborted).toBe(false)
    await clock.advance(500)
    expect(signal.aborted).toBe(true)
  })

  test('counts the first time to live from the send of the claim', async () => {
    const { submitter, clock, keeper } = make()
    submitter.answersHeartbeats = false
    await clock.advance(3_000)
    const { signal } = keeper.add(submitter.grant(), 0)
    await clock.advance(1_800)
    expect(signal.aborted).toBe(true)
  })

  test('aborts what the answer to a heartbeat calls over', async () => {
    const { submitter, clock, keeper } = make()
    const over = keeper.add(submitter.grant(), 0)
    const live = keeper.add(submitter.grant(), 0)
    submitter.gone = [1, 99]
    await clock.advance(2_000)
    expect(over.signal.reason).toMatchObject({ code: 'LEASE_REVOKED' })
    expect(live.signal.aborted).toBe(false)
    expect(keeper.count).toBe(1)
  })

  test('aborts a revoked lease and gives nothing back for it', () => {
    const { submitter, keeper } = make()
    const { signal } = keeper.add(submitter.grant(), 0)
    keeper.revoke([1], 12)
    keeper.release(1, 'kernel-failed')
    expect(signal.aborted).toBe(true)
    expect(submitter.releases).toEqual([])
  })

  test('gives one lease back once, and one that is finished never', () => {
    const { submitter, keeper } = make()
    keeper.add(submitter.grant(), 0)
    keeper.add(submitter.grant(), 0)
    keeper.release(1, 'input-mismatch')
    keeper.release(1, 'input-mismatch')
    keeper.finish(2)
    keeper.release(2, 'kernel-failed')
    expect(submitter.releases).toEqual([{ leaseNumbers: [1], reason: 'input-mismatch' }])
  })

  test('gives all back at once on leaving', () => {
    const { submitter, keeper } = make()
    const leases = [keeper.add(submitter.grant(), 0), keeper.add(submitter.grant(), 0)]
    keeper.releaseAll('shutdown')
    expect(submitter.releases).toEqual([{ leaseNumbers: [1, 2], reason: 'shutdown' }])
    for (const { signal } of leases) expect(signal.reason).toMatchObject({ code: 'LEASE_RELEASED' })
  })

  test('tells a stream that has ended nothing', () => {
    const { submitter, keeper } = make()
    const { signal } = keeper.add(submitter.grant(), 0)
    submitter.lose()
    keeper.releaseAll('shutdown')
    expect(submitter.releases).toEqual([])
    expect(signal.aborted).toBe(true)
  })

  test('ends with the stream, with a heartbeat under way, and leaves no timer', async () => {
    const { submitter, clock, keeper, running } = make()
    submitter.answersHeartbeats = false
    keeper.add(submitter.grant(), 0)
    await clock.advance(2_500)
    submitter.lose()
    expect(await running).toMatchObject({ code: 'STREAM_ENDED' })
    expect(clock.sleeping).toBe(0)
  })

  test('ends with its signal and leaves no timer', async () => {
    const { clock, stop, running } = make()
    await clock.advance(100)
    stop.abort(new Error('enough'))
    expect(await running).toMatchObject({ message: 'enough' })
    expect(clock.sleeping).toBe(0)
  })
})
