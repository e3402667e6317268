import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CLAIMS_PENDING_MAX, LEASE_PROTOCOL } from '../../../protocols/lease/constants.ts'
import type { ClaimReply } from '../../../protocols/lease/types.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import {
  FakeSubmitter,
  FakeWorker,
  grant,
  HELLO,
  JOB,
  type LeasePair,
  leasePair,
  OTHER_JOB,
  whenAborted
} from './lease-fixtures.ts'

let pair: LeasePair
let submitter: FakeSubmitter
let worker: FakeWorker
const { signal } = new AbortController()

beforeEach(async () => {
  pair = await leasePair()
  submitter = new FakeSubmitter()
  worker = new FakeWorker()
  pair.listener.services.lease.setHandler(submitter)
})
afterEach(() => pair.stop())

const open = () => pair.dialer.services.lease.open(pair.connection, HELLO, worker, { signal })

describe('a session', () => {
  test('tells the submitter who the worker is', async () => {
    await open()
    const session = await submitter.opened.promise
    expect(session.hello).toEqual(HELLO)
    expect(session.peerId.toString()).toBe(pair.dialer.peerId.toString())
  })

  test('answers a claim with grants', async () => {
    const client = await open()
    const reply = await client.claim({ jobId: JOB, count: 2 }, { signal })
    expect(reply).toEqual({ grants: [grant(1), grant(2)], retryAfterMs: 0 })
  })

  test('answers a claim with a refusal and when to ask again', async () => {
    const refusal: ClaimReply = { grants: [], refusal: RefusalCode.nothingLeft, retryAfterMs: 700 }
    submitter.onClaim = async () => refusal
    const client = await open()
    expect(await client.claim({ jobId: JOB, count: 1 }, { signal })).toEqual(refusal)
  })

  test('acknowledges heartbeats while a claim waits, and says which leases are gone', async () => {
    const waiting = Promise.withResolvers<ClaimReply>()
    submitter.onClaim = () => waiting.promise
    submitter.gone = [9]
    const client = await open()
    const claimed = client.claim({ jobId: JOB, count: 1 }, { signal })
    expect(await client.heartbeat([{ leaseNumber: 9, progress: 5_000_000_000 }], { signal })).toEqual([9])
    expect(submitter.heartbeats).toEqual([[{ leaseNumber: 9, progress: 5_000_000_000 }]])
    waiting.resolve({ grants: [grant(1)], retryAfterMs: 0 })
    expect((await claimed).grants).toEqual([grant(1)])
  })

  test('matches answers to claims when they come in another order', async () => {
    const first = Promise.withResolvers<ClaimReply>()
    submitter.onClaim = ({ jobId }) =>
      jobId === JOB ? first.promise : Promise.resolve({ grants: [grant(2, OTHER_JOB)], retryAfterMs: 0 })
    const client = await open()
    const slow = client.claim({ jobId: JOB, count: 1 }, { signal })
    expect((await client.claim({ jobId: OTHER_JOB, count: 1 }, { signal })).grants).toEqual([grant(2, OTHER_JOB)])
    first.resolve({ grants: [grant(1)], retryAfterMs: 0 })
    expect((await slow).grants).toEqual([grant(1)])
  })

  test('passes on revocations, in batches, and wakes', async () => {
    await open()
    const session = await submitter.opened.promise
    const many = Array.from({ length: 300 }, (_, index) => index + 1)
    session.revoke(many, RefusalCode.leaseRevoked)
    session.wake(JOB)
    expect(await worker.revoked.promise).toEqual({ leaseNumbers: many.slice(0, 256), reason: RefusalCode.leaseRevoked })
    expect(await worker.woken.promise).toBe(JOB)
  })

  test('passes on releases', async () => {
    const client = await open()
    client.release([1, 2], 'kernel-failed')
    await submitter.released.promise
    expect(submitter.releases).toEqual([{ leaseNumbers: [1, 2], reason: 'kernel-failed' }])
  })

  test('releases grants that came after the claim was given up', async () => {
    const waiting = Promise.withResolvers<ClaimReply>()
    submitter.onClaim = () => waiting.promise
    const client = await open()
    const giveUp = new AbortController()
    const claimed = client.claim({ jobId: JOB, count: 1 }, { signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await expect(claimed).rejects.toThrow('enough')
    waiting.resolve({ grants: [grant(7)], retryAfterMs: 0 })
    await submitter.released.promise
    expect(submitter.releases).toEqual([{ leaseNumbers: [7], reason: 'expired' }])
  })
})

describe('the end of a session', () => {
  test('by the worker reaches the submitter, after what was sent before', async () => {
    const client = await open()
    client.release([3], 'shutdown')
    await client.close()
    await submitter.closed.promise
    expect(submitter.releases).toEqual([{ leaseNumbers: [3], reason: 'shutdown' }])
    expect((await submitter.opened.promise).signal.aborted).toBe(true)
    await expect(client.claim({ jobId: JOB, count: 1 }, { signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('by the submitter reaches the worker, and fails its open requests', async () => {
    submitter.onClaim = () => new Promise(() => undefined)
    const client = await open()
    const claimed = client.claim({ jobId: JOB, count: 1 }, { signal })
    const session = await submitter.opened.promise
    session.close()
    await expect(claimed).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    await whenAborted(client.signal)
    await submitter.closed.promise
    session.revoke([1], RefusalCode.jobClosed)
  })

  test('comes at both ends when the connection is cut', async () => {
    const client = await open()
    const session = await submitter.opened.promise
    pair.connection.abort(new Error('cable pulled'))
    await Promise.all([whenAborted(client.signal), whenAborted(session.signal), submitter.closed.promise])
    expect(client.signal.reason).toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('lets the worker open the next one on the same connection', async () => {
    await (await open()).close()
    const client = await open()
    expect((await client.claim({ jobId: JOB, count: 1 }, { signal })).grants).toHaveLength(1)
  })

  test('comes when the submitter cannot answer a claim', async () => {
    submitter.onClaim = () => Promise.reject(new Error('a bug of ours'))
    const client = await open()
    await expect(client.claim({ jobId: JOB, count: 1 }, { signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    await submitter.closed.promise
  })
})

describe('a stream is refused', () => {
  test('as busy when the connection has one', async () => {
    await open()
    await expect(open()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
  })

  test('when nobody submits', async () => {
    pair.listener.services.lease.setHandler(undefined)
    await expect(open()).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.unknownJob })
  })

  test('when the other side does not speak the protocol', async () => {
    await pair.listener.unhandle(LEASE_PROTOCOL)
    await expect(open()).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('when the wait is given up', async () => {
    const given = AbortSignal.abort(new Error('not now'))
    const opening = pair.dialer.services.lease.open(pair.connection, HELLO, worker, { signal: given })
    await expect(opening).rejects.toThrow('not now')
  })
})

test('a worker keeps its claims within the limit', async () => {
  submitter.onClaim = () => new Promise(() => undefined)
  const client = await open()
  const claims = Array.from({ length: CLAIMS_PENDING_MAX + 1 }, () =>
    client.claim({ jobId: JOB, count: 1 }, { signal })
  )
  const settled = Promise.allSettled(claims)
  await expect(claims.at(-1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  await client.close()
  const outcomes = await settled
  expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true)
})
