import { expect, test, vi } from 'vitest'
import type { DurableBatch } from '../../src/domain/result-sink.ts'
import { SinkBatches } from '../../src/store/sink-batches.ts'

const checkpoint = { plainBytes: 0, fileBytes: 0, digest: new Uint8Array(0), tail: new Uint8Array(0) }
const MIB = 1024 * 1024

/** Batches over a disk whose syncs end when told. */
function setUp() {
  const syncs: PromiseWithResolvers<void>[] = []
  const durable: DurableBatch[] = []
  const errors: unknown[] = []
  let added = 0
  const batches = new SinkBatches({
    sync: () => {
      const sync = Promise.withResolvers<void>()
      syncs.push(sync)
      return sync.promise
    },
    checkpoint: () => ({ ...checkpoint, chunkCount: added }),
    onDurable: (batch) => durable.push(batch),
    onError: (error) => errors.push(error)
  })
  const add = (plainBytes: number): void => {
    added += 1
    batches.add({ chunkIndex: added - 1, plainBytes })
  }
  return { add, batches, durable, errors, syncs }
}

test('syncs a batch once it holds 32 MiB, and reports it only when synced', async () => {
  const { add, durable, syncs } = setUp()
  add(20 * MIB)
  expect(syncs).toHaveLength(0)
  add(12 * MIB)
  expect(syncs).toHaveLength(1)
  expect(durable).toEqual([])
  syncs[0]?.resolve()
  await vi.waitFor(() => expect(durable).toHaveLength(1))
  expect(durable[0]).toEqual({ chunkIndexes: [0, 1], checkpoint: { ...checkpoint, chunkCount: 2 } })
})

test('syncs a small batch after 250 ms', async () => {
  vi.useFakeTimers()
  try {
    const { add, syncs } = setUp()
    add(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(syncs).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(50)
    expect(syncs).toHaveLength(1)
  } finally {
    vi.useRealTimers()
  }
})

test('puts what is written during a sync into the next batch', async () => {
  const { add, durable, syncs } = setUp()
  add(32 * MIB)
  add(32 * MIB)
  expect(syncs).toHaveLength(1)
  syncs[0]?.resolve()
  await vi.waitFor(() => expect(syncs).toHaveLength(2))
  expect(durable.map((batch) => batch.chunkIndexes)).toEqual([[0]])
  expect(durable[0]?.checkpoint.chunkCount).toBe(1)
  syncs[1]?.resolve()
  await vi.waitFor(() => expect(durable.map((batch) => batch.chunkIndexes)).toEqual([[0], [1]]))
})

test('flushes after the sync that runs, in order', async () => {
  const { add, batches, durable, syncs } = setUp()
  add(32 * MIB)
  add(1)
  const flushing = batches.flush()
  syncs[0]?.resolve()
  await vi.waitFor(() => expect(syncs).toHaveLength(2))
  syncs[1]?.resolve()
  await flushing
  expect(durable.map((batch) => batch.chunkIndexes)).toEqual([[0], [1]])
})

test('reports no chunk whose sync failed', async () => {
  const { add, durable, errors, syncs } = setUp()
  add(32 * MIB)
  syncs[0]?.reject(new Error('EIO'))
  await vi.waitFor(() => expect(errors).toHaveLength(1))
  expect(durable).toEqual([])
})
