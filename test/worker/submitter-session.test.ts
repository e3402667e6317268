import { describe, expect, test } from 'vitest'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { HeldResults } from '../../src/worker/held-results.ts'
import { SubmitterSession } from '../../src/worker/submitter-session.ts'
import { fakeConnection } from '../support/fake-peer.ts'
import { settle } from '../support/virtual-clock.ts'
import { FakeSubmitter, JOB_ID } from './fake-submitter.ts'
import { WorkerHarness } from './worker-harness.ts'

function make() {
  const submitter = new FakeSubmitter()
  const harness = new WorkerHarness([submitter])
  const told: string[] = []
  const held = new HeldResults()
  const session = new SubmitterSession('sub', held, harness.ports, {
    onReady: () => void told.push('ready'),
    onLost: (reason) => void told.push(`lost: ${reason}`),
    onWake: (jobId) => void told.push(`wake ${jobId}`)
  })
  const stop = new AbortController()
  const connection = fakeConnection('sub')
  const run = () => session.run(connection, { signal: stop.signal })
  return { submitter, harness, held, told, session, stop, run }
}

function failure(): WireError {
  return new WireError('REFUSED', 'no room', { refusal: RefusalCode.busy })
}

describe('a session with a submitter', () => {
  test('opens one link, and says what the worker has and holds', async () => {
    const { submitter, held, told, session, run } = make()
    const kept = { buffer: new ArrayBuffer(8), resultBytes: 8, outputHash: new Uint8Array(32), computeMs: 1 }
    held.keep({ ...kept, submitter: 'sub', jobId: JOB_ID, chunkIndex: 4, epoch: 2, heldSinceMs: 0 })
    void run()
    void run()
    await settle()
    await run()
    expect(told).toEqual(['ready'])
    expect(session.ready).toBeDefined()
    expect(submitter.opened).toBe(1)
    expect(submitter.hellos[0]).toEqual({
      name: 'worker',
      threads: 1,
      kernelIds: ['invert-f32-1'],
      memoryBytes: 64 * 1024 * 1024,
      held: [{ jobId: JOB_ID, chunkIndex: 4, epoch: 2, resultBytes: 8 }]
    })
  })

  test('passes wake and revocation on', async () => {
    const { submitter, told, session, run } = make()
    void run()
    await settle()
    const lease = session.ready?.keeper.add(submitter.grant(), 0)
    submitter.handler?.onRevoked([1], RefusalCode.duplicate)
    submitter.handler?.onWake(JOB_ID)
    expect(lease?.signal.aborted).toBe(true)
    expect(told).toContain(`wake ${JOB_ID}`)
  })

  test('aborts its leases and closes its streams when the submitter goes away', async () => {
    const { submitter, harness, told, session, run } = make()
    const running = run()
    await settle()
    const lease = session.ready?.keeper.add(submitter.grant(), 0)
    submitter.lose()
    await running
    expect(session.ready).toBeUndefined()
    expect(lease?.signal.aborted).toBe(true)
    expect(submitter.closed).toBe(3)
    expect(harness.bulks.map(({ closed }) => closed)).toEqual([1])
    expect(told).toEqual(['ready', 'lost: the submitter is gone'])
  })

  test('backs off, doubling up to ten seconds, while no link can be had', async () => {
    const { submitter, harness, session, run } = make()
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt++) {
      submitter.openFailures.set('chunk', failure())
      await run()
      waits.push(session.retryAtMs - harness.clock.nowMs())
      await harness.clock.advance(waits.at(-1) ?? 0)
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    expect(submitter.opened).toBe(0)
  })

  test('does not try again before its back-off is over', async () => {
    const { submitter, harness, run, told } = make()
    submitter.openFailures.set('lease', failure())
    await run()
    await harness.clock.advance(249)
    await run()
    expect(submitter.opened).toBe(0)
    await harness.clock.advance(1)
    void run()
    await settle()
    expect(submitter.opened).toBe(1)
    expect(told).toEqual(['lost: no room', 'ready'])
  })

  test('forgets its failures once a link was open', async () => {
    const { submitter, harness, session, run } = make()
    for (let attempt = 0; attempt < 3; attempt++) {
      submitter.openFailures.set('lease', failure())
      await run()
      await harness.clock.advance(1_000)
    }
    const running = run()
    await settle()
    submitter.lose()
    await running
    expect(session.retryAtMs - harness.clock.nowMs()).toBe(250)
  })

  test.for(['chunk', 'result', 'lease'] as const)(
    'leaves neither stream nor second connection behind when the %s stream fails to open',
    async (kind) => {
      const { submitter, harness, run } = make()
      submitter.openFailures.set(kind, failure())
      await run()
      expect(harness.bulks.map(({ closed }) => closed)).toEqual([1])
      expect(submitter.closed).toBe({ chunk: 0, result: 1, lease: 2 }[kind])
    }
  )

  test('gives its leases back when the worker stops, and reports no loss', async () => {
    const { submitter, harness, told, session, stop, run } = make()
    const running = run()
    await settle()
    session.ready?.keeper.add(submitter.grant(), 0)
    stop.abort(new Error('leaving'))
    await running
    expect(submitter.releases).toEqual([{ leaseNumbers: [1], reason: 'shutdown' }])
    expect(told).toEqual(['ready'])
    expect(harness.clock.sleeping).toBe(0)
  })
})
