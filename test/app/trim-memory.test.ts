import { expect, test } from 'vitest'
import { trimWhenIdle } from '../../src/app/trim-memory.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const MIB = 1024 * 1024

test('memory is given back once when work has ended, and not while it lasts', async () => {
  const clock = new VirtualClock()
  const buffers = new BufferPool(8 * MIB)
  const idle = buffers.take(MIB)
  buffers.give(idle)
  let busy = true
  let collected = 0
  const runsJob = () => busy
  const trimming = trimWhenIdle({ runsJob, holdsLease: () => false, buffers, clock, collect: () => collected++ })
  await clock.advance(5_000)
  expect([collected, idle.byteLength]).toEqual([0, MIB])
  busy = false
  await clock.advance(300)
  expect([collected, idle.byteLength]).toEqual([1, 0])
  await clock.advance(5_000)
  expect(collected).toBe(1)
  await trimming.stop()
  expect(clock.sleeping).toBe(0)
})

test('a moment without a lease, as between two grants, is no end of the work', async () => {
  const clock = new VirtualClock()
  const buffers = new BufferPool(8 * MIB)
  let busy = true
  let collected = 0
  const holdsLease = () => busy
  const trimming = trimWhenIdle({ runsJob: () => false, holdsLease, buffers, clock, collect: () => collected++ })
  for (let turn = 0; turn < 20; turn++) {
    busy = turn % 3 === 0
    await clock.advance(300)
  }
  expect(collected).toBe(0)
  busy = false
  await clock.advance(10_000)
  expect(collected).toBe(1)
  await trimming.stop()
})

test('memory is given back once after the start', async () => {
  const clock = new VirtualClock()
  let collected = 0
  const idle = () => false
  const buffers = new BufferPool(8 * MIB)
  const trimming = trimWhenIdle({ runsJob: idle, holdsLease: idle, buffers, clock, collect: () => collected++ })
  await clock.advance(20_000)
  expect(collected).toBe(1)
  await trimming.stop()
})
