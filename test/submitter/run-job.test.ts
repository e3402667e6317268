import { describe, expect, test } from 'vitest'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { SwarmError } from '../../src/errors.ts'
import { JobEndRequest } from '../../src/submitter/run-job.ts'
import { settle } from '../support/virtual-clock.ts'
import { JOB_ID, JobHarness } from './job-harness.ts'

describe('a job', () => {
  test('done by peers gives the bytes of one machine, its figures and its files', async () => {
    const harness = new JobHarness(6)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    expect(await worker.work()).toBe(6)
    const done = await ended
    expect(Buffer.compare(harness.sink.output, harness.expected)).toBe(0)
    expect(done).toMatchObject({ event: 'done', jobId: JOB_ID, chunks: 6, localChunks: 0, releases: 0 })
    expect(done).toMatchObject({ peers: [{ peerId: 'ada', chunks: 6, units: 96, bytesIn: 384, bytesOut: 384 }] })
    expect(harness.written).toEqual(['/out/ledger.bin', '/out/job.json'])
    expect(harness.journal.get(JOB_ID)?.state).toBe('done')
    expect(harness.clock.sleeping).toBe(0)
    expect(harness.desk.sessions.size).toBe(1)
    expect(harness.internalErrors).toEqual([])
  })

  test('done by the submitter alone gives the same bytes and no receipt', async () => {
    const harness = new JobHarness(6, { local: 'only' })
    const { ended } = await harness.start()
    expect(await ended).toMatchObject({ event: 'done', chunks: 6, localChunks: 6, peers: [] })
    expect(Buffer.compare(harness.sink.output, harness.expected)).toBe(0)
    expect(harness.log).not.toContain('sign')
    expect(harness.log).toContain('ledger close done: 0 receipts, 6 chunks, 6 local')
  })

  test('closes the ledger after publishing, and the journal last', async () => {
    const harness = new JobHarness(1, { local: 'only' })
    const { ended } = await harness.start()
    await ended
    const ends = harness.log.filter((line) => /^(publish|ledger close|journal done)/.test(line))
    expect(ends.map((line) => line.split(':')[0])).toEqual(['publish', 'ledger close done', 'journal done'])
  })

  test('says that it is open, and when it has ended that it is closed', async () => {
    const harness = new JobHarness(1)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    await worker.work()
    await ended
    expect(harness.adverts.map(({ state }) => state)).toEqual(['open', 'closed'])
    const sequences = harness.adverts.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
  })

  test('goes on when it cannot be gossiped, and tells that once', async () => {
    const harness = new JobHarness(1)
    harness.publishFailure = new Error('no topic')
    const { ended } = await harness.start()
    await harness.clock.advance(5_000)
    const worker = await harness.worker('ada')
    await worker.work()
    expect(await ended).toMatchObject({ event: 'done' })
    expect(harness.eventsOf('notice')).toHaveLength(1)
  })

  test('refuses claims as busy until the peers are there that were asked for', async () => {
    const harness = new JobHarness(2, { minPeers: 2 })
    const { ended } = await harness.start()
    const ada = await harness.worker('ada')
    expect(await ada.claim()).toMatchObject({ grants: [], refusal: RefusalCode.busy })
    await harness.worker('bob')
    await ada.work()
    expect(await ended).toMatchObject({ event: 'done' })
  })

  test('stops, resumable: leases revoked, partial output kept, nothing published', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    const { leaseNumber } = await worker.grant()
    harness.stopping.abort(new JobEndRequest('stopped'))
    expect(await ended).toMatchObject({ event: 'stopped', message: `resume with: swarm jobs resume ${JOB_ID}` })
    expect(worker.revoked).toEqual([{ leaseNumbers: [leaseNumber], code: RefusalCode.jobClosed }])
    expect(harness.sink).toMatchObject({ published: 0, aborted: { discard: false } })
    expect(harness.journal.get(JOB_ID)?.state).toBe('stopped')
    expect(harness.written).toEqual([])
    expect(await worker.claim()).toMatchObject({ refusal: RefusalCode.unknownJob })
    await expect(worker.pull(leaseNumber)).rejects.toMatchObject({ refusal: RefusalCode.unknownLease })
    expect(harness.clock.sleeping).toBe(0)
  })

  test('cancelled keeps what was receipted in the ledger and drops the output', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    const grant = await worker.grant()
    await worker.offer(grant, await worker.compute(grant))
    harness.stopping.abort(new JobEndRequest('cancelled'))
    expect(await ended).toMatchObject({ event: 'cancelled' })
    expect(harness.sink).toMatchObject({ published: 0, aborted: { discard: true } })
    expect(harness.log.slice(-2)).toEqual([
      'ledger close cancelled: 1 receipts, 1 chunks, 0 local',
      'journal cancelled'
    ])
  })

  test('refuses results that wait to be durable when it ends, so that no worker waits for ever', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    harness.sink.holds = true
    const grant = await worker.grant()
    const offer = await worker.offer(grant, await worker.compute(grant))
    harness.stopping.abort(new JobEndRequest('stopped'))
    await ended
    expect(offer.verdicts).toEqual([RefusalCode.jobClosed])
    expect(harness.log).not.toContain('sign')
  })

  test('journals and receipts what became durable just before it ended, before the ledger is closed', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    harness.sink.holds = true
    const grant = await worker.grant()
    const offer = await worker.offer(grant, await worker.compute(grant))
    harness.sink.sync()
    harness.stopping.abort(new JobEndRequest('cancelled'))
    await ended
    expect(offer.verdicts).toEqual(['receipt of claim 0'])
    expect(harness.log.slice(-6)).toEqual([
      'sign',
      'journal merge 0',
      'ledger 1',
      'accept 0',
      'ledger close cancelled: 1 receipts, 1 chunks, 0 local',
      'journal cancelled'
    ])
  })

  test('gives a verdict on a result that is being pulled when it ends', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    const grant = await worker.grant()
    const result = await worker.compute(grant)
    const offer = await worker.offer(grant, result, {
      pull: (_into, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    harness.stopping.abort(new JobEndRequest('stopped'))
    await ended
    await settle()
    expect(offer.verdicts).toEqual([RefusalCode.jobClosed])
  })

  test('fails with its own kernel, names the chunk and publishes nothing', async () => {
    const harness = new JobHarness(3, { local: 'only' })
    harness.compute.failures.set('runLocal', new SwarmError('KERNEL_FAILED', 'out of order'))
    const { ended } = await harness.start()
    expect(await ended).toEqual({
      event: 'failed',
      jobId: JOB_ID,
      code: 'CHUNK_FAILED',
      message: 'chunk 0 could not be computed on this machine: out of order'
    })
    expect(harness.sink).toMatchObject({ published: 0, aborted: { discard: false } })
    expect(harness.journal.get(JOB_ID)).toMatchObject({ state: 'failed', failure: { code: 'CHUNK_FAILED' } })
    expect(harness.written).toEqual([])
  })

  test('fails when the input cannot be read', async () => {
    const harness = new JobHarness(3, { local: 'only' })
    harness.compute.failures.set('runLocal', new SwarmError('INPUT_UNREADABLE', 'gone'))
    const { ended } = await harness.start()
    expect(await ended).toMatchObject({ event: 'failed', code: 'INPUT_UNREADABLE' })
  })

  test('fails when the output cannot be written', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    harness.sink.putFailure = new SwarmError('OUTPUT_WRITE_FAILED', 'no disk')
    const grant = await worker.grant()
    const offer = await worker.offer(grant, await worker.compute(grant))
    expect(await ended).toMatchObject({ event: 'failed', code: 'OUTPUT_WRITE_FAILED' })
    expect(harness.sink.published).toBe(0)
    expect(offer.verdicts).toEqual([RefusalCode.jobClosed])
  })

  test('fails, and does not end the process, when the journal cannot be written', async () => {
    const harness = new JobHarness(3, { local: 'only' })
    harness.journal.grantFailure = new SwarmError('STORE_FAILED', 'the database is full')
    const { ended } = await harness.start()
    expect(await ended).toMatchObject({ event: 'failed', code: 'STORE_FAILED' })
  })

  test('fails when receipts cannot be kept, and gives none out', async () => {
    const harness = new JobHarness(1)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    harness.ledgerFailure = new SwarmError('STORE_FAILED', 'the database is full')
    const grant = await worker.grant()
    const offer = await worker.offer(grant, await worker.compute(grant))
    expect(await ended).toMatchObject({ event: 'failed', code: 'STORE_FAILED' })
    expect(offer.verdicts).toEqual([RefusalCode.jobClosed])
    expect(harness.sink.published).toBe(0)
  })

  test('drops a sealed output when it fails, since its key goes with it', async () => {
    const harness = new JobHarness(3, { local: 'only', encrypt: true })
    harness.compute.failures.set('runLocal', new SwarmError('KERNEL_FAILED', 'out of order'))
    const { ended } = await harness.start()
    await ended
    expect(harness.sink.aborted).toEqual({ discard: true })
  })

  test('does nothing when it was stopped before it began', async () => {
    const harness = new JobHarness(3, { local: 'only' })
    const run = await harness.open()
    harness.stopping.abort(new JobEndRequest('stopped'))
    expect(await run.run({ signal: harness.stopping.signal })).toMatchObject({ event: 'stopped' })
    expect(harness.compute.calls).toEqual([])
  })

  test('adds up what it cost over its incarnations', async () => {
    const harness = new JobHarness(3)
    const { ended } = await harness.start()
    const worker = await harness.worker('ada')
    const { leaseNumber } = await worker.grant()
    worker.release(leaseNumber, 'kernel-failed')
    await harness.clock.advance(400)
    harness.stopping.abort(new JobEndRequest('stopped'))
    await ended
    expect(harness.journal.get(JOB_ID)).toMatchObject({ releases: 1, ranMs: 500 })
    expect(harness.eventsOf('released')).toMatchObject([{ chunkIndex: 0, peerId: 'ada', reason: 'kernel-failed' }])
  })
})
