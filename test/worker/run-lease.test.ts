import { describe, expect, test } from 'vitest'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { SwarmError } from '../../src/errors.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import { HeldResults } from '../../src/worker/held-results.ts'
import { LeaseKeeper } from '../../src/worker/lease-keeper.ts'
import { runLease } from '../../src/worker/run-lease.ts'
import { openSubmitterLink } from '../../src/worker/submitter-link.ts'
import { sha256 } from '../support/fake-compute.ts'
import { fakeConnection } from '../support/fake-peer.ts'
import { settle } from '../support/virtual-clock.ts'
import { CHUNK_BYTES, FakeSubmitter, JOB_ID } from './fake-submitter.ts'
import { WorkerHarness } from './worker-harness.ts'

const RECEIPT = { outcome: 'receipted', receipt: Uint8Array.of(1) } as const

async function make(changes: Parameters<FakeSubmitter['grant']>[0] = {}, held = new HeldResults()) {
  const submitter = new FakeSubmitter()
  const harness = new WorkerHarness([submitter])
  const { ports } = harness
  const hello = { name: 'worker', threads: 1, kernelIds: [], memoryBytes: 0, held: [] }
  const handler = { onRevoked: () => undefined, onWake: () => undefined }
  const { signal } = new AbortController()
  const link = await openSubmitterLink(fakeConnection('sub'), hello, handler, ports, { signal })
  const keeper = new LeaseKeeper(link.lease, harness.clock)
  const lease = keeper.add(submitter.grant(changes), 0)
  let pulled = 0
  const operands = { acquire: async () => Promise.reject(new Error('an inversion has no operands')) }
  const task = { lease, advert: submitter.advert(), link, operands, onPulled: () => void pulled++ }
  const run = () => runLease(task, held, ports)
  return { submitter, harness, held, keeper, lease, run, pulls: () => pulled }
}

describe('a lease', () => {
  test('goes from pull to receipt, and its buffer goes back to the pool', async () => {
    const { submitter, harness, run, lease, pulls } = await make()
    const running = run()
    await settle()
    const [offer] = submitter.offers
    expect(lease.movedBytes).toBe(CHUNK_BYTES)
    const call = { kind: 'invert', params: new Uint8Array(0), reverse: true }
    expect(offer?.result).toEqual(invert.run(submitter.inputOf(1), call))
    offer?.options.onBytes?.(512)
    expect(lease.movedBytes).toBe(CHUNK_BYTES + 512)
    offer?.options.onPulled?.()
    expect(pulls()).toBe(1)
    offer?.verdict.resolve(RECEIPT)
    expect(await running).toEqual(RECEIPT)
    expect(harness.receipts).toEqual([RECEIPT.receipt])
    expect(harness.buffers.given.map(({ byteLength }) => byteLength)).toEqual([64 * 1024])
    expect(harness.events.map(({ event }) => event)).toEqual(['chunk-done'])
  })

  test('is claimed under what was granted', async () => {
    const { submitter, harness, run } = await make({ epoch: 4, incarnation: 2 })
    const running = run()
    await settle()
    submitter.offers[0]?.verdict.resolve(RECEIPT)
    await running
    const { computeMs, outputHash, ...claim } = harness.claims[0] ?? expect.fail('nothing was signed')
    expect(Buffer.compare(outputHash, sha256(submitter.offers[0]?.result ?? new Uint8Array(0)))).toBe(0)
    expect(computeMs).toBe(1)
    expect(claim).toEqual({
      jobId: JOB_ID,
      chunkIndex: 0,
      epoch: 4,
      incarnation: 2,
      submitter: 'sub',
      workerName: 'worker',
      kernelId: 'invert-f32-1',
      inputHash: sha256(submitter.inputOf(1)),
      inputBytes: CHUNK_BYTES,
      outputBytes: CHUNK_BYTES
    })
  })

  test('keeps no receipt for a refused result', async () => {
    const { submitter, harness, run } = await make()
    const running = run()
    await settle()
    submitter.offers[0]?.verdict.resolve({ outcome: 'refused', code: RefusalCode.duplicate })
    expect(await running).toEqual({ outcome: 'refused', code: RefusalCode.duplicate })
    expect(harness.receipts).toEqual([])
    expect(harness.buffers.given).toHaveLength(1)
  })

  test('fails with what the submitter says when its input is refused', async () => {
    const { submitter, harness, run } = await make()
    submitter.pullFailure = new WireError('REFUSED', 'no', { refusal: RefusalCode.unknownLease })
    await expect(run()).rejects.toMatchObject({ code: 'REFUSED' })
    expect(harness.buffers.given).toHaveLength(1)
    expect(harness.compute.calls).toEqual([])
  })

  test('fails when the input is not what was granted', async () => {
    const { run } = await make({ inputHash: new Uint8Array(32) })
    await expect(run()).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
  })

  test('fails with its kernel, offers nothing and holds nothing', async () => {
    const { submitter, harness, held, run } = await make()
    harness.compute.failures.set('runKernel', new SwarmError('KERNEL_FAILED', 'out of order'))
    await expect(run()).rejects.toMatchObject({ code: 'KERNEL_FAILED' })
    expect(submitter.offers).toEqual([])
    expect(held.list('sub', 0)).toEqual([])
  })

  test('takes no grant that is larger than the memory that the worker told it has', async () => {
    const { harness, run } = await make({ inputBytes: 2 ** 31, resultBytes: 2 ** 31 })
    await expect(run()).rejects.toMatchObject({ code: 'GRANT_TOO_LARGE' })
    expect(harness.buffers.given).toEqual([])
  })

  test('is held when the submitter goes away while it is offered', async () => {
    const { submitter, harness, held, run } = await make({ epoch: 3 })
    const running = run()
    await settle()
    submitter.lose()
    await expect(running).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    expect(held.list('sub', 0)).toEqual([{ jobId: JOB_ID, chunkIndex: 0, epoch: 3, resultBytes: CHUNK_BYTES }])
    // Its bytes may still be queued in the stream that died.
    expect(harness.buffers.given).toEqual([])
  })

  test('is not held when it is revoked, and its buffer is left alone', async () => {
    const { harness, held, keeper, run } = await make()
    const running = run()
    await settle()
    keeper.revoke([1], RefusalCode.duplicate)
    await expect(running).rejects.toMatchObject({ code: 'LEASE_REVOKED' })
    expect(held.list('sub', 0)).toEqual([])
    expect(harness.buffers.given).toEqual([])
  })

  test('stops its pull when it is revoked', async () => {
    const { submitter, keeper, run } = await make()
    submitter.pullGate = Promise.withResolvers<void>().promise
    const running = run()
    await settle()
    keeper.revoke([1], RefusalCode.duplicate)
    await expect(running).rejects.toMatchObject({ code: 'LEASE_REVOKED' })
  })

  test('that is adopted is offered from what is held, without pull or kernel', async () => {
    const held = new HeldResults()
    const buffer = new ArrayBuffer(64 * 1024)
    const kept = { buffer, resultBytes: CHUNK_BYTES, outputHash: new Uint8Array(32).fill(7), computeMs: 40 }
    held.keep({ ...kept, submitter: 'sub', jobId: JOB_ID, chunkIndex: 0, epoch: 1, heldSinceMs: 0 })
    const { submitter, harness, run } = await make({ adopted: true, epoch: 2 }, held)
    const running = run()
    await settle()
    submitter.offers[0]?.verdict.resolve(RECEIPT)
    await running
    expect(submitter.pulls).toEqual([])
    expect(submitter.offers[0]?.result.buffer).toBe(buffer)
    expect(harness.claims[0]).toMatchObject({ epoch: 2, computeMs: 40, outputHash: kept.outputHash })
    expect(harness.buffers.given).toEqual([])
  })

  test('that is adopted is computed anew when its result is no longer held', async () => {
    const { submitter, run } = await make({ adopted: true })
    const running = run()
    await settle()
    submitter.offers[0]?.verdict.resolve(RECEIPT)
    await running
    expect(submitter.pulls).toEqual([1])
  })

  test('fails with a receipt that is wrong, and holds nothing', async () => {
    const { submitter, harness, held, run } = await make()
    harness.receiptFailure = new SwarmError('RECEIPT_WRONG', 'another claim')
    const running = run()
    await settle()
    submitter.offers[0]?.verdict.resolve(RECEIPT)
    await expect(running).rejects.toMatchObject({ code: 'RECEIPT_WRONG' })
    expect(held.list('sub', 0)).toEqual([])
  })
})
