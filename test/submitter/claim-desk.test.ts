import { describe, expect, test } from 'vitest'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { SwarmError } from '../../src/errors.ts'
import { JobEndRequest } from '../../src/submitter/run-job.ts'
import { sha256 } from '../support/fake-compute.ts'
import { settle } from '../support/virtual-clock.ts'
import { CHUNK_BYTES, JOB_ID, JobHarness } from './job-harness.ts'

async function make(chunks = 4) {
  const harness = new JobHarness(chunks)
  const { ended } = await harness.start()
  return { harness, ended, ada: await harness.worker('ada') }
}

describe('a claim', () => {
  test('is granted chunks from the end of the file, with the hash of each', async () => {
    const { harness, ada } = await make()
    const { grants } = await ada.claim(2)
    const inputOf = (chunk: number) => harness.compute.file.slice(-(chunk + 1) * CHUNK_BYTES).slice(0, CHUNK_BYTES)
    expect(grants).toEqual(
      [0, 1].map((chunkIndex) => ({
        leaseNumber: chunkIndex + 1,
        jobId: JOB_ID,
        chunkIndex,
        inputBytes: CHUNK_BYTES,
        resultBytes: CHUNK_BYTES,
        epoch: 1,
        incarnation: 1,
        ttlMs: 5_000,
        inputHash: sha256(inputOf(chunkIndex)),
        adopted: false,
        operands: []
      }))
    )
  })

  test('is journalled before its grants leave', async () => {
    const { harness, ada } = await make()
    const gate = Promise.withResolvers<void>()
    harness.compute.gates.set('readInputs', gate.promise)
    const claiming = ada.claim(2).then(() => harness.log.push('granted'))
    await settle()
    expect(harness.log).toEqual(['journal grant 0 epoch 1', 'journal grant 1 epoch 1'])
    gate.resolve()
    await claiming
    expect(harness.log.at(-1)).toBe('granted')
  })

  test('without the kernel is refused, and takes no chunk', async () => {
    const { harness } = await make()
    const old = await harness.worker('old', { kernelIds: ['invert-f32-0'] })
    expect(await old.claim()).toMatchObject({ grants: [], refusal: RefusalCode.unsupportedKernel })
    expect(harness.log).toEqual([])
  })

  test('is never granted more than the worker has memory for', async () => {
    const { harness } = await make()
    const small = await harness.worker('small', { memoryBytes: CHUNK_BYTES })
    expect((await small.claim(4)).grants).toHaveLength(1)
  })

  test('ends the job when the input cannot be read', async () => {
    const { harness, ada, ended } = await make()
    harness.compute.failures.set('readInputs', new SwarmError('INPUT_UNREADABLE', 'gone'))
    await expect(ada.claim(2)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
    expect(await ended).toMatchObject({ event: 'failed', code: 'INPUT_UNREADABLE' })
  })

  test('that is under way when the job ends is answered: the stream serves other jobs too', async () => {
    const { harness, ada, ended } = await make()
    const gate = Promise.withResolvers<void>()
    harness.compute.gates.set('readInputs', gate.promise)
    const claiming = ada.claim(2)
    await settle()
    harness.stopping.abort(new JobEndRequest('stopped'))
    await ended
    gate.resolve()
    expect(await claiming).toEqual({ grants: [], refusal: RefusalCode.jobClosed, retryAfterMs: 0 })
  })

  test('grants nothing that ended while its input was read, and keeps no buffer for it', async () => {
    const { harness, ada } = await make()
    const gate = Promise.withResolvers<void>()
    harness.compute.gates.set('readInputs', gate.promise)
    const claiming = ada.claim(1)
    await harness.clock.advance(5_200)
    expect(harness.eventsOf('released')).toMatchObject([{ reason: 'ttl' }])
    gate.resolve()
    expect(await claiming).toMatchObject({ grants: [], refusal: RefusalCode.busy })
    await expect(ada.pull(1)).rejects.toMatchObject({ refusal: RefusalCode.unknownLease })
  })

  test('raises the epoch with each grant of a chunk', async () => {
    const { harness, ada } = await make()
    const first = await ada.grant()
    ada.release(first.leaseNumber)
    const second = await ada.grant()
    expect(second).toMatchObject({ chunkIndex: first.chunkIndex, epoch: 2 })
    expect(harness.log).toEqual(['journal grant 0 epoch 1', 'journal grant 0 epoch 2'])
    expect(harness.eventsOf('regranted')).toMatchObject([{ chunkIndex: 0, peerId: 'ada', afterMs: 0 }])
  })

  test('gets a lost chunk at once when another peer asks for it', async () => {
    const { harness, ada } = await make(1)
    const { chunkIndex } = await ada.grant()
    const bob = await harness.worker('bob')
    await ada.leave()
    expect(await bob.grant()).toMatchObject({ chunkIndex, epoch: 2 })
    expect(harness.eventsOf('released')).toMatchObject([{ peerId: 'ada', reason: 'disconnected' }])
  })
})

describe('after a restart', () => {
  async function restart(held: { chunkIndex: number; epoch: number; jobId?: string }[]) {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const ada = await harness.worker('ada')
    await ada.claim(2)
    harness.stopping.abort(new JobEndRequest('stopped'))
    await ended
    const again = new JobHarness(3)
    for (const one of harness.journal.chunks(JOB_ID)) again.journal.grant(JOB_ID, [one])
    again.record = { ...again.record, incarnation: 2 }
    again.log.length = 0
    await again.start()
    const hello = { held: held.map((one) => ({ jobId: JOB_ID, resultBytes: CHUNK_BYTES, ...one })) }
    return { again, back: await again.worker('ada', hello) }
  }

  test('a worker is granted what it holds, under a new epoch, before anything else', async () => {
    const { again, back } = await restart([{ chunkIndex: 1, epoch: 1 }])
    const { grants } = await back.claim(1)
    expect(grants).toMatchObject([{ chunkIndex: 1, epoch: 2, incarnation: 2, adopted: true }])
    const grant = grants[0] ?? expect.fail('no grant')
    const result = await back.compute(grant)
    expect((await back.offer(grant, result)).verdicts).toEqual(['receipt of claim 0'])
    expect((await back.claim(1)).grants).toMatchObject([{ chunkIndex: 0, adopted: false }])
    expect(again.log[0]).toBe('journal grant 1 epoch 2')
  })

  test.for([
    { why: 'of an epoch that never left this machine', held: { chunkIndex: 1, epoch: 9 } },
    { why: 'of a chunk that was never cut', held: { chunkIndex: 2, epoch: 1 } },
    { why: 'of another job', held: { chunkIndex: 1, epoch: 1, jobId: 'zyxwvutsrqponmlkjihgfedcba' } }
  ])('what is held $why is of no use', async ({ held }) => {
    const { back } = await restart([held])
    expect((await back.claim(1)).grants).toMatchObject([{ chunkIndex: 0, adopted: false }])
  })
})
