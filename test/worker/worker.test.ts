import { afterEach, describe, expect, test } from 'vitest'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { SwarmError } from '../../src/errors.ts'
import { LEASES_AHEAD, Worker } from '../../src/worker/join-swarm.ts'
import { fakeConnection } from '../support/fake-peer.ts'
import { settle } from '../support/virtual-clock.ts'
import { FakeSubmitter, JOB_ID } from './fake-submitter.ts'
import { heardFrom, WorkerHarness } from './worker-harness.ts'

const RECEIPT = { outcome: 'receipted', receipt: Uint8Array.of(1) } as const
/** One kernel thread and the leases ahead of it. */
const SLOTS = 1 + LEASES_AHEAD
const started: Worker[] = []

afterEach(async () => {
  for (const worker of started.splice(0)) await worker.stop()
})

async function make(submitters: readonly FakeSubmitter[] = [new FakeSubmitter()]) {
  const harness = new WorkerHarness(submitters)
  const worker = new Worker(harness.ports)
  started.push(worker)
  worker.start()
  for (const submitter of submitters) {
    harness.adverts.set(submitter.name, [])
    worker.onConnection(fakeConnection(submitter.name))
  }
  await settle()
  const [submitter] = submitters
  if (submitter === undefined) throw new Error('a worker needs a submitter')
  return { harness, worker, submitter }
}

describe('a worker', () => {
  test('pulls the adverts of whoever connects, opens a link and claims for all its slots', async () => {
    const submitter = new FakeSubmitter()
    const harness = new WorkerHarness([submitter])
    const worker = new Worker(harness.ports)
    started.push(worker)
    worker.start()
    harness.adverts.set('sub', [submitter.advert()])
    harness.ports.advert.setListener((received) => harness.hear(received))
    worker.onConnection(fakeConnection('sub'))
    await settle()
    expect(submitter.claims).toEqual([{ jobId: JOB_ID, count: SLOTS }])
  })

  test('takes no part before it is connected to the submitter', async () => {
    const { harness, submitter } = await make()
    harness.hear(heardFrom(new FakeSubmitter('stranger')))
    await harness.clock.advance(1_000)
    expect(submitter.opened).toBe(0)
  })

  test('does the chunks that it was granted and claims again as each is pulled', async () => {
    const { harness, worker, submitter } = await make()
    submitter.chunksLeft = 5
    harness.hear(heardFrom(submitter))
    await settle()
    expect(submitter.offers).toHaveLength(SLOTS)
    expect(worker.leaseCount).toBe(SLOTS)
    submitter.offers[0]?.options.onPulled?.()
    await settle()
    expect(submitter.claims.at(-1)).toEqual({ jobId: JOB_ID, count: 1 })
    expect(submitter.offers).toHaveLength(SLOTS + 1)
    for (let index = 0; index < 5; index++) {
      submitter.offers[index]?.verdict.resolve(RECEIPT)
      await settle()
    }
    expect(harness.eventsOf('chunk-receipted').map(({ chunkIndex }) => chunkIndex)).toEqual([0, 1, 2, 3, 4])
    expect(worker.leaseCount).toBe(0)
  })

  test('asks again when told to wait, and at once when woken', async () => {
    const { harness, submitter } = await make()
    submitter.refusal = { refusal: RefusalCode.busy, retryAfterMs: 5_000 }
    harness.hear(heardFrom(submitter))
    await harness.clock.advance(4_500)
    expect(submitter.claims).toHaveLength(1)
    submitter.handler?.onWake(JOB_ID)
    await settle()
    expect(submitter.claims).toHaveLength(2)
    await harness.clock.advance(5_500)
    expect(submitter.claims).toHaveLength(3)
  })

  test('pulls adverts when it is woken for a job that it does not know, one pull at a time', async () => {
    const { harness, submitter } = await make()
    harness.hear(heardFrom(submitter))
    await settle()
    const before = harness.pulledAdverts
    for (let wake = 0; wake < 10; wake++) submitter.handler?.onWake('zyxwvutsrqponmlkjihgfedcba')
    await settle()
    expect(harness.pulledAdverts - before).toBe(1)
  })

  test('gives a chunk back with the reason why it could not be done', async () => {
    const { harness, worker, submitter } = await make()
    submitter.chunksLeft = 1
    harness.compute.failures.set('runKernel', new SwarmError('KERNEL_FAILED', 'out of order'))
    harness.hear(heardFrom(submitter))
    await settle()
    submitter.chunksLeft = 1
    submitter.pullFailure = new WireError('REFUSED', 'not here', { refusal: RefusalCode.inputUnavailable })
    submitter.handler?.onWake(JOB_ID)
    await settle()
    expect(submitter.releases).toEqual([
      { leaseNumbers: [1], reason: 'kernel-failed' },
      { leaseNumbers: [2], reason: 'input-unavailable' }
    ])
    expect(harness.eventsOf('chunk-dropped').map(({ reason }) => reason)).toEqual(['out of order', 'not here'])
    expect(worker.leaseCount).toBe(0)
  })

  test('reports what a submitter refused', async () => {
    const { harness, submitter } = await make()
    submitter.chunksLeft = 1
    harness.hear(heardFrom(submitter))
    await settle()
    submitter.offers[0]?.verdict.resolve({ outcome: 'refused', code: RefusalCode.duplicate })
    await settle()
    expect(harness.eventsOf('chunk-refused')).toMatchObject([{ chunkIndex: 0, code: RefusalCode.duplicate }])
  })

  test('opens a lost link again and offers what it held', async () => {
    const { harness, submitter } = await make()
    submitter.chunksLeft = 1
    harness.hear(heardFrom(submitter))
    await settle()
    submitter.lose()
    await harness.clock.advance(1_000)
    expect(submitter.opened).toBe(2)
    expect(submitter.hellos.at(-1)?.held).toEqual([{ jobId: JOB_ID, chunkIndex: 0, epoch: 1, resultBytes: 1024 }])
  })

  test('opens a link on another connection when the one that came first has closed', async () => {
    const submitter = new FakeSubmitter()
    const harness = new WorkerHarness([submitter])
    const worker = new Worker(harness.ports)
    started.push(worker)
    worker.start()
    const second = fakeConnection('sub')
    harness.controls.set('sub', second)
    worker.onConnection(fakeConnection('sub', 'closed'))
    harness.hear(heardFrom(submitter))
    await settle()
    expect(harness.bulks.map(({ from }) => from)).toEqual([second])
  })

  test('forgets the jobs of a submitter that is gone', async () => {
    const { harness, worker, submitter } = await make()
    harness.hear(heardFrom(submitter))
    await settle()
    submitter.lose()
    worker.onDisconnected('sub')
    await harness.clock.advance(60_000)
    expect(submitter.opened).toBe(1)
  })

  test('serves others while one submitter does not answer its claim', async () => {
    const silent = new FakeSubmitter('silent')
    const honest = new FakeSubmitter('honest')
    const { harness, worker } = await make([silent, honest])
    silent.answersClaims = false
    honest.chunksLeft = 1
    harness.hear(heardFrom(silent))
    await settle()
    harness.hear(heardFrom(honest))
    await settle()
    expect(worker.leaseCount).toBe(SLOTS)
    silent.lose()
    await harness.clock.advance(600)
    expect(honest.offers).toHaveLength(1)
  })

  test('takes grants that came with the end of the link for nothing', async () => {
    const { harness, worker, submitter } = await make()
    harness.hear(heardFrom(submitter))
    await harness.clock.advance(1_500)
    submitter.chunksLeft = 1
    const grant = submitter.grant.bind(submitter)
    submitter.grant = (changes) => {
      submitter.lose()
      return grant(changes)
    }
    submitter.handler?.onWake(JOB_ID)
    await settle()
    expect(submitter.pulls).toEqual([])
    expect(worker.leaseCount).toBe(0)
  })

  test('gives everything back and leaves nothing running when it stops', async () => {
    const { harness, worker, submitter } = await make()
    submitter.chunksLeft = 3
    submitter.pullGate = Promise.withResolvers<void>().promise
    harness.hear(heardFrom(submitter))
    await settle()
    await worker.stop()
    expect(submitter.releases).toEqual([{ leaseNumbers: [1, 2, 3], reason: 'shutdown' }])
    expect(submitter.closed).toBe(3)
    expect(harness.clock.sleeping).toBe(0)
    expect(worker.leaseCount).toBe(0)
    const { length } = submitter.claims
    harness.hear(heardFrom(submitter, { sequence: 9 }))
    await harness.clock.advance(5_000)
    expect(submitter.claims).toHaveLength(length)
  })
})
