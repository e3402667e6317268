import type { Startable } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type IncomingOffer,
  OFFERS_OPEN_MAX,
  RESULT_PROTOCOL,
  type ResultClient,
  type ResultService,
  resultService
} from '../../../protocols/result/index.ts'
import { BulkStream } from '../../../protocols/wire/bulk-stream.ts'
import { CLAIM_BYTES_MAX, RECEIPT_BYTES_MAX } from '../../../protocols/wire/constants.ts'
import { encodeHeaders, type FrameHeader, FrameType, RANGE_BYTES_MAX } from '../../../protocols/wire/frame.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'

type Services = { result: ResultService & Startable }
const STALL_MS = 400
const signal = new AbortController().signal
const claim = Uint8Array.of(1, 2, 3)
const receipt = Uint8Array.of(4, 5)

function header(type: FrameType, fields: Partial<FrameHeader> = {}): FrameHeader {
  return { type, code: 0, leaseNumber: 1, offset: 0, byteLength: 0, ...fields }
}

function ended(aborting: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (aborting.aborted) resolve(aborting.reason)
    else aborting.addEventListener('abort', () => resolve(aborting.reason), { once: true })
  })
}

describe('result protocol', () => {
  let nodes: NodePair<Services>
  beforeEach(async () => {
    nodes = await connectNodes<Services>({ result: resultService({ stallMs: STALL_MS }) })
  })
  afterEach(() => nodes.stop())

  const open = (): Promise<ResultClient> => nodes.dialer.services.result.open(nodes.connection, { signal })
  const take = (onOffer: (offer: IncomingOffer) => void): void => nodes.listener.services.result.setHandler({ onOffer })

  /** Takes the next offer without deciding on it. */
  function nextOffer(): Promise<IncomingOffer> {
    return new Promise((resolve) => take(resolve))
  }

  test('several results arrive whole, are let go once pulled, and get their receipts', async () => {
    const received = new Map<number, Uint8Array>()
    const reported = new Map<number, number>()
    take((offer) => {
      const into = new Uint8Array(offer.resultBytes)
      const onBytes = (bytes: number): unknown => reported.set(offer.leaseNumber, bytes)
      offer.pull(into, { signal, onBytes }).then(
        () => {
          received.set(offer.leaseNumber, into)
          offer.accept(Uint8Array.of(...offer.claim, offer.leaseNumber))
          offer.refuse(RefusalCode.duplicate)
        },
        () => offer.refuse(RefusalCode.resultWrong)
      )
    })
    const client = await open()
    await Promise.all(
      [1, 2, 3, 4].map(async (lease) => {
        const byteLength = lease === 4 ? 0 : RANGE_BYTES_MAX * lease + 12
        const result = Uint8Array.from({ length: byteLength }, (_, offset) => (offset * 7 + lease) & 0xff)
        let sentBytes = 0
        let pulledCount = 0
        const outcome = await client.offer(lease, result, claim, {
          signal,
          onBytes: (sent) => {
            sentBytes = sent
          },
          onPulled: () => {
            pulledCount += 1
          }
        })
        expect(outcome).toEqual({ outcome: 'receipted', receipt: Uint8Array.of(...claim, lease) })
        expect(Buffer.compare(received.get(lease) ?? new Uint8Array(1), result)).toBe(0)
        expect([sentBytes, pulledCount]).toEqual([byteLength, 1])
        expect(reported.get(lease) ?? 0).toBe(byteLength)
      })
    )
    await client.close()
    await ended(client.signal)
  })

  test('a refusal gives its code, and the lease may be offered again', async () => {
    take((offer) => offer.refuse(RefusalCode.duplicate))
    const client = await open()
    for (let round = 0; round < 2; round += 1) {
      const outcome = await client.offer(1, new Uint8Array(8), claim, { signal })
      expect(outcome).toEqual({ outcome: 'refused', code: RefusalCode.duplicate })
    }
  })

  test('a worker that gives up refuses what is pulled later, and forgets at the verdict', async () => {
    const arrived = nextOffer()
    const client = await open()
    const given = new AbortController()
    const offering = client.offer(1, new Uint8Array(8), claim, { signal: given.signal })
    const offer = await arrived
    given.abort(new Error('revoked'))
    await expect(offering).rejects.toThrow('revoked')
    const again = client.offer(1, new Uint8Array(8), claim, { signal })
    await expect(again).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    const pulling = offer.pull(new Uint8Array(8), { signal })
    await expect(pulling).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.unknownLease })
    offer.refuse(RefusalCode.leaseRevoked)
    take((next) => next.accept(receipt))
    expect(await client.offer(2, new Uint8Array(8), claim, { signal })).toEqual({ outcome: 'receipted', receipt })
    expect(await client.offer(1, new Uint8Array(8), claim, { signal })).toEqual({ outcome: 'receipted', receipt })
  })

  test('a range outside the result is refused', async () => {
    const { bulk, frames } = await rawSubmitter()
    const client = await open()
    const offering = client.offer(1, new Uint8Array(8), claim, { signal })
    await frames(FrameType.offer)
    bulk().send(header(FrameType.pull, { offset: 4, byteLength: 8 }))
    expect(await frames(FrameType.refuse)).toMatchObject({ code: RefusalCode.rangeInvalid, offset: 4, byteLength: 8 })
    bulk().send(header(FrameType.receipt, { byteLength: receipt.byteLength }), receipt)
    await offering
  })

  test('a killed connection ends pulls and offers', async () => {
    const arrived = nextOffer()
    const client = await open()
    const offering = client.offer(1, new Uint8Array(RANGE_BYTES_MAX * 20), claim, { signal })
    const offer = await arrived
    const pulling = offer.pull(new Uint8Array(offer.resultBytes), {
      signal,
      onBytes: () => nodes.connection.abort(new Error('pulled the plug'))
    })
    await expect(pulling).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    await expect(offering).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    expect(offer.signal.aborted).toBe(true)
    offer.accept(receipt)
    offer.refuse(RefusalCode.duplicate)
    const late = client.offer(2, new Uint8Array(8), claim, { signal })
    await expect(late).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('a worker that answers no pull times out', async () => {
    const arrived = nextOffer()
    const bulk = await rawWorker()
    bulk.send(header(FrameType.offer, { offset: 8, byteLength: 3 }), claim)
    const pulling = (await arrived).pull(new Uint8Array(8), { signal })
    await expect(pulling).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })

  test('refuses to offer or accept what is too long, or to pull into another length', async () => {
    const arrived = nextOffer()
    const client = await open()
    const long = client.offer(1, new Uint8Array(1), new Uint8Array(CLAIM_BYTES_MAX + 1), { signal })
    await expect(long).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    const offering = client.offer(1, new Uint8Array(8), claim, { signal })
    const offer = await arrived
    expect(() => offer.accept(new Uint8Array(RECEIPT_BYTES_MAX + 1))).toThrow(RangeError)
    await expect(offer.pull(new Uint8Array(7), { signal })).rejects.toThrow(RangeError)
    offer.accept(receipt)
    expect(await offering).toEqual({ outcome: 'receipted', receipt })
  })

  test('bounds the offers without a verdict at both ends', async () => {
    const offers: IncomingOffer[] = []
    take((offer) => offers.push(offer))
    const client = await open()
    const open256 = Array.from({ length: OFFERS_OPEN_MAX }, (_, index) =>
      client.offer(index + 1, new Uint8Array(1), claim, { signal })
    )
    const over = client.offer(OFFERS_OPEN_MAX + 1, new Uint8Array(1), claim, { signal })
    await expect(over).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await client.close()
    const outcomes = await Promise.allSettled(open256)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)

    await ended(client.signal)
    const bulk = await rawWorker()
    for (let lease = 1; lease <= OFFERS_OPEN_MAX + 1; lease += 1) {
      bulk.send(header(FrameType.offer, { leaseNumber: lease, offset: 8, byteLength: 3 }), claim)
    }
    expect(await ended(bulk.signal)).toMatchObject({ cause: { name: 'StreamResetError' } })
  })

  test('a second stream is busy, and a peer without a job refuses', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.unknownJob })
    take(() => undefined)
    await open()
    await expect(open()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
  })

  test('an error in the handler resets the stream and not the process', async () => {
    take(() => {
      throw new Error('a bug of ours')
    })
    const client = await open()
    await expect(client.offer(1, new Uint8Array(8), claim, { signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  for (const [what, frame, payload] of [
    ['a lease twice', header(FrameType.offer, { offset: 8, byteLength: 3 }), claim],
    ['data that was not asked for', header(FrameType.data, { byteLength: 3 }), claim],
    ['a pull', header(FrameType.pull, { byteLength: 3 }), undefined],
    ['a receipt', header(FrameType.receipt, { byteLength: 3 }), claim],
    ['a refusal of nothing', header(FrameType.refuse, { code: 3 }), undefined]
  ] as const) {
    test(`a worker that sends ${what} is cut off`, async () => {
      take(() => undefined)
      const bulk = await rawWorker()
      bulk.send(header(FrameType.offer, { offset: 8, byteLength: 3 }), claim)
      bulk.send(frame, payload)
      expect(await ended(bulk.signal)).toMatchObject({ cause: { name: 'StreamResetError' } })
    })
  }

  for (const [what, frame, payload] of [
    ['a verdict on nothing', header(FrameType.receipt, { leaseNumber: 2, byteLength: 3 }), claim],
    ['a refusal of nothing', header(FrameType.refuse, { leaseNumber: 2, code: 3 }), undefined],
    ['data', header(FrameType.data, { byteLength: 3 }), claim],
    ['an offer', header(FrameType.offer, { byteLength: 3 }), claim],
    ['that all was pulled, when nothing was', header(FrameType.pulled), undefined]
  ] as const) {
    test(`a submitter that sends ${what} is cut off`, async () => {
      const { bulk, frames } = await rawSubmitter()
      const client = await open()
      const offering = client.offer(1, new Uint8Array(8), claim, { signal })
      const outcome = expect(offering).rejects.toMatchObject({ code: 'FRAME_MALFORMED' })
      await frames(FrameType.offer)
      bulk().send(frame, payload)
      await outcome
      expect(client.signal.reason).toMatchObject({ code: 'FRAME_MALFORMED' })
    })
  }

  /** A worker that sends raw frames. */
  async function rawWorker(): Promise<BulkStream> {
    const bulk = new BulkStream(await nodes.connection.newStream(RESULT_PROTOCOL), nodes.connection)
    await bulk.whenReady({ signal })
    bulk.attach({
      isWaiting: () => false,
      onData: () => ({ into: undefined, onReceived() {}, onWhole() {} }),
      onFrame() {}
    })
    return bulk
  }

  /** A submitter that sends raw frames; `frames` waits for one of a type. */
  async function rawSubmitter(): Promise<{
    bulk: () => BulkStream
    frames: (type: FrameType) => Promise<FrameHeader>
  }> {
    let bulk: BulkStream | undefined
    const waiting = new Map<FrameType, PromiseWithResolvers<FrameHeader>>()
    const frames = (type: FrameType): PromiseWithResolvers<FrameHeader> => {
      const found = waiting.get(type) ?? Promise.withResolvers<FrameHeader>()
      waiting.set(type, found)
      return found
    }
    await nodes.listener.handle(
      RESULT_PROTOCOL,
      (stream, connection) => {
        bulk = new BulkStream(stream, connection)
        bulk.attach({
          isWaiting: () => false,
          onData: () => ({ into: undefined, onReceived() {}, onWhole() {} }),
          onFrame: (frame) => frames(frame.type).resolve(frame)
        })
        stream.send(encodeHeaders([header(FrameType.ready, { leaseNumber: 0 })]))
      },
      { force: true }
    )
    return {
      bulk: () => {
        if (bulk === undefined) throw new Error('no stream arrived')
        return bulk
      },
      frames: (type) => frames(type).promise
    }
  }
})
