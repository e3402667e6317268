import { describe, expect, test } from 'vitest'
import type { IncomingOffer } from '../../protocols/result/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { LEASES_ROUTED_MAX, LeaseDesk, type LeasedJob } from '../../src/submitter/lease-desk.ts'
import { fakeConnection, fakePeerId } from '../support/fake-peer.ts'
import { CHUNK_BYTES, JobHarness } from './job-harness.ts'

function job(jobId: string, calls: string[]): LeasedJob {
  return {
    jobId,
    claim: async () => ({ grants: [], refusal: RefusalCode.busy, retryAfterMs: 1 }),
    onSession: ({ peerId }) => void calls.push(`${jobId}: session ${peerId}`),
    onSessionClosed: (peerId) => void calls.push(`${jobId}: closed ${peerId}`),
    renew: (peerId, progress) => {
      calls.push(`${jobId}: renew ${peerId} ${progress.map(({ leaseNumber }) => leaseNumber)}`)
      return []
    },
    release: (peerId, leaseNumbers) => void calls.push(`${jobId}: release ${peerId} ${leaseNumbers}`),
    read: () => new Uint8Array(1),
    onRead: (peerId, { offset }) => void calls.push(`${jobId}: read ${peerId} ${offset}`),
    readOperand: () => undefined,
    onOperands: (peerId, { added }) => void calls.push(`${jobId}: operands ${peerId} ${added}`),
    onOffer: ({ leaseNumber }) => void calls.push(`${jobId}: offer ${leaseNumber}`)
  }
}

function open(desk: LeaseDesk, name: string) {
  const state = { woken: [] as string[], revoked: [] as number[], closed: 0 }
  const handler = desk.onSession({
    peerId: fakePeerId(name),
    connection: fakeConnection(name),
    hello: { name, threads: 1, kernelIds: [], memoryBytes: 0, held: [] },
    signal: new AbortController().signal,
    revoke: (leaseNumbers) => void state.revoked.push(...leaseNumbers),
    wake: (jobId) => void state.woken.push(jobId),
    close: () => void state.closed++
  })
  return { state, handler }
}

function offerOf(leaseNumber: number, refused: RefusalCode[]): IncomingOffer {
  return {
    peerId: fakePeerId('ada'),
    leaseNumber,
    resultBytes: 1,
    claim: new Uint8Array(1),
    signal: new AbortController().signal,
    pull: async () => undefined,
    accept: () => undefined,
    refuse: (code) => void refused.push(code)
  }
}

const progress = (...leaseNumbers: number[]) => leaseNumbers.map((leaseNumber) => ({ leaseNumber, progress: 1 }))

describe('the lease desk', () => {
  test('routes what is said about leases to their jobs', () => {
    const desk = new LeaseDesk()
    const calls: string[] = []
    const [one, two] = [job('one', calls), job('two', calls)]
    const { handler } = open(desk, 'ada')
    desk.assign([1, 3], one)
    desk.assign([2], two)
    expect(handler.onHeartbeat(progress(1, 2, 3, 9))).toEqual([9])
    handler.onRelease([3, 2, 9], 'shutdown')
    desk.onOffer(offerOf(2, []))
    expect(calls).toEqual([
      'one: renew ada 1,3',
      'two: renew ada 2',
      'one: release ada 3',
      'two: release ada 2',
      'two: offer 2'
    ])
  })

  test('refuses what it does not know', async () => {
    const desk = new LeaseDesk()
    const { handler } = open(desk, 'ada')
    const refused: RefusalCode[] = []
    const { signal } = new AbortController()
    desk.onOffer(offerOf(4, refused))
    expect(refused).toEqual([RefusalCode.unknownLease])
    expect(await handler.onClaim({ jobId: 'x', count: 1 }, { signal })).toMatchObject({
      refusal: RefusalCode.unknownJob
    })
    const range = { leaseNumber: 4, offset: 0, byteLength: 1 }
    await expect(desk.read(fakePeerId('ada'), range)).rejects.toMatchObject({ refusal: RefusalCode.unknownLease })
  })

  test('tells a new job of the sessions that are open, and wakes their workers', () => {
    const desk = new LeaseDesk()
    const calls: string[] = []
    const { state } = open(desk, 'ada')
    desk.open(job('one', calls))
    expect(calls).toEqual(['one: session ada'])
    expect(state.woken).toEqual(['one'])
  })

  test('forgets the leases of a job that is closed', () => {
    const desk = new LeaseDesk()
    const calls: string[] = []
    const one = job('one', calls)
    const { handler } = open(desk, 'ada')
    desk.open(one)
    desk.assign([1], one)
    desk.close(one)
    expect(handler.onHeartbeat(progress(1))).toEqual([1])
    handler.onClose()
    expect(calls).toEqual(['one: session ada'])
  })

  test('ends the leases of a session when a newer one of the same peer takes its place', () => {
    const desk = new LeaseDesk()
    const calls: string[] = []
    desk.open(job('one', calls))
    const first = open(desk, 'ada')
    open(desk, 'ada')
    first.handler.onClose()
    expect(calls).toEqual(['one: session ada', 'one: closed ada', 'one: session ada'])
    expect(first.state.closed).toBe(1)
    expect(desk.sessions.size).toBe(1)
  })

  test('revokes with the holder alone', () => {
    const desk = new LeaseDesk()
    const [ada, bob] = [open(desk, 'ada'), open(desk, 'bob')]
    const harnessless = { leaseNumber: desk.numbers.next(), chunkIndex: 0 }
    desk.revoke([harnessless], RefusalCode.duplicate)
    desk.revoke([{ ...harnessless, peer: 'ada' as never }], RefusalCode.duplicate)
    expect([ada.state.revoked, bob.state.revoked]).toEqual([[1], []])
  })

  test('remembers a bounded number of leases, the newest', () => {
    const desk = new LeaseDesk()
    const calls: string[] = []
    const one = job('one', calls)
    const { handler } = open(desk, 'ada')
    for (let leaseNumber = 1; leaseNumber <= LEASES_ROUTED_MAX + 1; leaseNumber++) desk.assign([leaseNumber], one)
    expect(handler.onHeartbeat(progress(1, 2))).toEqual([1])
  })
})

describe('a hostile peer', () => {
  async function make() {
    const harness = new JobHarness(4)
    await harness.start()
    const ada = await harness.worker('ada')
    const eve = await harness.worker('eve')
    return { harness, ada, eve, grant: await ada.grant() }
  }

  test('gets nothing under the lease of another', async () => {
    const { ada, eve, grant } = await make()
    await expect(eve.pull(grant.leaseNumber)).rejects.toMatchObject({ refusal: RefusalCode.unknownLease })
    expect(eve.heartbeat(grant.leaseNumber)).toEqual([grant.leaseNumber])
    eve.release(grant.leaseNumber)
    const { verdicts } = await eve.offer(grant, new Uint8Array(CHUNK_BYTES))
    expect(verdicts).toEqual([RefusalCode.unknownLease])
    expect(ada.heartbeat(grant.leaseNumber)).toEqual([])
    const honest = await ada.offer(grant, await ada.compute(grant))
    expect(honest.verdicts).toEqual(['receipt of claim 1'])
  })

  test('cannot keep another lease alive', async () => {
    const { harness, eve, grant } = await make()
    for (let second = 0; second < 6; second++) {
      await harness.clock.advance(1_000)
      eve.heartbeat(grant.leaseNumber)
    }
    expect(harness.eventsOf('released')).toMatchObject([{ peerId: 'ada', reason: 'ttl' }])
  })

  test('cannot hold a chunk by pulling it again and again', async () => {
    const { ada, grant } = await make()
    await ada.pull(grant.leaseNumber)
    await expect(ada.pull(grant.leaseNumber)).rejects.toMatchObject({ refusal: RefusalCode.rangeInvalid })
  })

  test.for([
    { offset: 0, byteLength: CHUNK_BYTES + 1 },
    { offset: CHUNK_BYTES, byteLength: 1 },
    { offset: 0, byteLength: 0 },
    { offset: 2 ** 32 - 1, byteLength: 2 ** 32 - 1 }
  ])('reads no byte beyond its chunk: $offset+$byteLength', async ({ offset, byteLength }) => {
    const { ada, grant } = await make()
    const pulled = ada.pull(grant.leaseNumber, offset, byteLength)
    await expect(pulled).rejects.toMatchObject({ refusal: RefusalCode.rangeInvalid })
  })
})
