import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  CLAIMS_PENDING_MAX,
  HEARTBEAT_BURST_MAX,
  IDLE_MESSAGE_BURST_MAX,
  LEASE_PROTOCOL,
  OPERAND_MESSAGE_BURST_MAX
} from '../../../protocols/lease/constants.ts'
import {
  encodeSubmitterMessage,
  parseSubmitterMessage,
  type SubmitterMessage
} from '../../../protocols/lease/submitter-messages.ts'
import {
  encodeWorkerMessage,
  parseWorkerMessage,
  type WorkerMessage
} from '../../../protocols/lease/worker-messages.ts'
import { ControlStream } from '../../../protocols/wire/control-stream.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import {
  FakeSubmitter,
  FakeWorker,
  grant,
  HELLO,
  JOB,
  type LeasePair,
  leasePair,
  whenAborted
} from './lease-fixtures.ts'

let pair: LeasePair
let submitter: FakeSubmitter
const { signal } = new AbortController()

beforeEach(async () => {
  pair = await leasePair()
  submitter = new FakeSubmitter()
  pair.listener.services.lease.setHandler(submitter)
})
afterEach(() => pair.stop())

const openRaw = (): Promise<Stream> => pair.connection.newStream(LEASE_PROTOCOL, { signal })

async function openControl(): Promise<ControlStream<SubmitterMessage, WorkerMessage>> {
  const codec = { decode: parseSubmitterMessage, encode: encodeWorkerMessage }
  const control = new ControlStream<SubmitterMessage, WorkerMessage>(await openRaw(), codec)
  control.send({ type: 'hello', hello: HELLO })
  expect(await control.read({ signal })).toEqual({ type: 'welcome' })
  return control
}

/** The submitter still serves others, so the process is fine. */
async function expectStillServing(): Promise<void> {
  const connection = await pair.dial()
  const client = await pair.dialer.services.lease.open(connection, HELLO, new FakeWorker(), { signal })
  expect((await client.claim({ jobId: JOB, count: 1 }, { signal })).grants).toHaveLength(1)
}

describe('a submitter resets the stream of a worker that', () => {
  test.each([
    ['sends garbage', Uint8Array.of(4, 0xff, 0xff, 0xff, 0xff)],
    ['announces a message that is too large', Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['announces a length without end', new Uint8Array(16).fill(0xff)],
    ['sends an empty message', Uint8Array.of(0)]
  ])('%s', async (_name, bytes) => {
    const stream = await openRaw()
    const control = new ControlStream<Uint8Array, Uint8Array>(stream, { decode: (b) => b, encode: (b) => b })
    stream.send(bytes)
    await whenAborted(control.signal)
    await expectStillServing()
  })

  test('claims before its hello', async () => {
    const codec = { decode: parseSubmitterMessage, encode: encodeWorkerMessage }
    const control = new ControlStream<SubmitterMessage, WorkerMessage>(await openRaw(), codec)
    control.send({ type: 'claim', requestId: 1, jobId: JOB, count: 1 })
    await whenAborted(control.signal)
    await expectStillServing()
  })

  test('says hello twice', async () => {
    const control = await openControl()
    control.send({ type: 'hello', hello: HELLO })
    await whenAborted(control.signal)
    await submitter.closed.promise
  })

  test('floods it with heartbeats', async () => {
    const control = await openControl()
    for (let requestId = 1; requestId <= HEARTBEAT_BURST_MAX + 1; requestId += 1) {
      control.send({ type: 'heartbeat', requestId, progress: [] })
    }
    await whenAborted(control.signal)
    await submitter.closed.promise
    expect(submitter.heartbeats).toHaveLength(HEARTBEAT_BURST_MAX)
    await expectStillServing()
  })

  test('floods it with what it holds', async () => {
    const control = await openControl()
    for (let index = 0; index <= OPERAND_MESSAGE_BURST_MAX; index += 1) {
      control.send({ type: 'operands', changes: { jobId: JOB, added: [index], dropped: [] } })
    }
    await whenAborted(control.signal)
    await submitter.closed.promise
    expect(submitter.operandChanges).toHaveLength(OPERAND_MESSAGE_BURST_MAX)
    await expectStillServing()
  })

  test('floods it with releases', async () => {
    const control = await openControl()
    for (let count = 0; count <= IDLE_MESSAGE_BURST_MAX; count += 1)
      control.send({ type: 'release', leaseNumbers: [1], reason: 'expired' })
    await whenAborted(control.signal)
    await submitter.closed.promise
    expect(submitter.releases).toHaveLength(IDLE_MESSAGE_BURST_MAX)
  })
})

test('a submitter takes any number of claims that it grants, and few that it refuses', async () => {
  let claims = 0
  submitter.onClaim = async () => {
    claims += 1
    if (claims <= 600) return { grants: [grant(1)], retryAfterMs: 0 }
    return { grants: [], refusal: RefusalCode.nothingLeft, retryAfterMs: 0 }
  }
  const client = await pair.dialer.services.lease.open(pair.connection, HELLO, new FakeWorker(), { signal })
  const claimUntilReset = async (): Promise<void> => {
    for (let count = 0; count < 1_200; count += 1) await client.claim({ jobId: JOB, count: 1 }, { signal })
  }
  await expect(claimUntilReset()).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  expect(claims).toBe(600 + IDLE_MESSAGE_BURST_MAX + 1)
})

test('a submitter refuses claims beyond its limit as busy', async () => {
  submitter.onClaim = () => new Promise(() => undefined)
  const control = await openControl()
  for (let requestId = 1; requestId <= CLAIMS_PENDING_MAX + 1; requestId += 1) {
    control.send({ type: 'claim', requestId, jobId: JOB, count: 1 })
  }
  expect(await control.read({ signal })).toMatchObject({
    type: 'claim-answer',
    requestId: CLAIMS_PENDING_MAX + 1,
    reply: { grants: [], refusal: RefusalCode.busy }
  })
})

describe('a worker resets the stream of a submitter that', () => {
  const rogue = async (answers: readonly SubmitterMessage[]) => {
    await pair.listener.unhandle(LEASE_PROTOCOL)
    await pair.listener.handle(LEASE_PROTOCOL, (stream) => {
      const codec = { decode: parseWorkerMessage, encode: encodeSubmitterMessage }
      const control = new ControlStream<WorkerMessage, SubmitterMessage>(stream, codec)
      control.send({ type: 'welcome' })
      for (const answer of answers) control.send(answer)
    })
    return await pair.dialer.services.lease.open(pair.connection, HELLO, new FakeWorker(), { signal })
  }

  test('answers a claim that was not made', async () => {
    const client = await rogue([{ type: 'claim-answer', requestId: 1, reply: { grants: [grant(1)], retryAfterMs: 0 } }])
    await whenAborted(client.signal)
    expect(client.signal.reason).toMatchObject({ code: 'MESSAGE_MALFORMED' })
  })

  test('acknowledges a heartbeat that was not sent', async () => {
    const client = await rogue([{ type: 'heartbeat-ack', requestId: 1, gone: [] }])
    await whenAborted(client.signal)
    expect(client.signal.reason).toMatchObject({ code: 'MESSAGE_MALFORMED' })
  })

  test('welcomes it twice', async () => {
    const client = await rogue([{ type: 'welcome' }])
    await whenAborted(client.signal)
  })

  test('grants more than was claimed', async () => {
    submitter.onClaim = async () => ({ grants: [grant(1), grant(2)], retryAfterMs: 0 })
    const client = await pair.dialer.services.lease.open(pair.connection, HELLO, new FakeWorker(), { signal })
    await expect(client.claim({ jobId: JOB, count: 1 }, { signal })).rejects.toMatchObject({
      code: 'MESSAGE_MALFORMED'
    })
  })
})
