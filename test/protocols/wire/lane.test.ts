import type { Startable, Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CHUNK_PROTOCOL, type ChunkService, chunkService, type InputRange } from '../../../protocols/chunk/index.ts'
import { type ResultService, resultService } from '../../../protocols/result/index.ts'
import { LANE_OFFER_BYTES } from '../../../protocols/wire/constants.ts'
import { encodeHeaders, type FrameHeader, FrameType, RANGE_BYTES_MAX } from '../../../protocols/wire/frame.ts'
import { FrameParser } from '../../../protocols/wire/frame-parser.ts'
import { encodeLaneOffer, type LaneOffer, parseLaneOffer } from '../../../protocols/wire/lane.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'
import { FakeLanes } from './fake-lanes.ts'

type Services = { chunk: ChunkService & Startable; result: ResultService & Startable }
const signal = new AbortController().signal
const BYTES = RANGE_BYTES_MAX * 2 + 12

const input = Uint8Array.from({ length: BYTES }, (_, offset) => (offset * 7 + (offset >>> 8)) & 0xff)

describe('lanes of bulk streams', () => {
  let lanes: FakeLanes
  let nodes: NodePair<Services>
  let readRanges: InputRange[]
  beforeEach(async () => {
    readRanges = []
    lanes = new FakeLanes()
    nodes = await connectNodes<Services>({ chunk: chunkService(lanes), result: resultService(lanes) })
  })
  afterEach(() => nodes.stop())

  const serve = (): void =>
    nodes.listener.services.chunk.setHandler({
      read: async (_peerId, { offset, byteLength }) => input.subarray(offset, offset + byteLength),
      onRead: (_peerId, range) => readRanges.push(range)
    })

  /** Replaces the submitter by one that answers each frame as the test says. */
  async function serveRaw(onFrame: (stream: Stream, header: FrameHeader, payload: Uint8Array) => void): Promise<void> {
    await nodes.listener.handle(
      CHUNK_PROTOCOL,
      (stream) => {
        const parser = new FrameParser({
          onData: () => {
            throw new Error('data came')
          },
          onFrame: (header, payload) => onFrame(stream, header, payload)
        })
        stream.addEventListener('message', ({ data }) => parser.push(data))
        stream.send(encodeHeaders([frame(FrameType.ready, { leaseNumber: 0 })]))
      },
      { force: true }
    )
  }

  function frame(type: FrameType, fields: Partial<FrameHeader> = {}): FrameHeader {
    return { type, code: 0, leaseNumber: 1, offset: 0, byteLength: 0, ...fields }
  }

  test('take the input of a chunk', async () => {
    serve()
    const client = await nodes.dialer.services.chunk.open(nodes.connection, { signal })
    const into = new Uint8Array(BYTES)
    const received: number[] = []
    await client.pull(1, into, { signal, onBytes: (bytes) => received.push(bytes) })
    expect(Buffer.compare(into, input)).toBe(0)
    expect(received.at(-1)).toBe(BYTES)
    expect(lanes.sentBytes).toBe(BYTES)
    expect(readRanges.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(BYTES)
    await client.close()
  })

  test('take a result, whose puller is the end that accepts the stream', async () => {
    const into = new Uint8Array(BYTES)
    nodes.listener.services.result.setHandler({
      onOffer: (offer) => {
        void offer.pull(into, { signal }).then(() => offer.accept(Uint8Array.of(1)))
      }
    })
    const client = await nodes.dialer.services.result.open(nodes.connection, { signal })
    const outcome = await client.offer(1, input, Uint8Array.of(9), { signal, onPulled: () => undefined })
    expect(outcome.outcome).toBe('receipted')
    expect(Buffer.compare(into, input)).toBe(0)
    expect(lanes.sentBytes).toBe(BYTES)
  })

  test('are not needed: an end without them answers on the stream', async () => {
    const offered: FrameType[] = []
    await serveRaw((stream, header) => {
      offered.push(header.type)
      if (header.type !== FrameType.pull) return
      const { offset, byteLength } = header
      stream.send(
        Buffer.concat([
          encodeHeaders([{ ...header, type: FrameType.data }]),
          input.subarray(offset, offset + byteLength)
        ])
      )
    })
    const client = await nodes.dialer.services.chunk.open(nodes.connection, { signal })
    const into = new Uint8Array(BYTES)
    await client.pull(1, into, { signal })
    expect(Buffer.compare(into, input)).toBe(0)
    expect(offered.slice(0, 2)).toEqual([FrameType.lane, FrameType.pull])
    expect(offered.filter((type) => type === FrameType.lane)).toHaveLength(1)
    expect(lanes.sentBytes).toBe(0)
  })

  test('are closed with their stream', async () => {
    serve()
    const client = await nodes.dialer.services.chunk.open(nodes.connection, { signal })
    await client.pull(1, new Uint8Array(8), { signal })
    expect(lanes.closedCount).toBe(0)
    const ended = new Promise((resolve) => client.signal.addEventListener('abort', resolve))
    nodes.connection.abort(new Error('gone'))
    await ended
    expect(lanes.closedCount).toBe(1)
  })

  /** Pulls from a submitter that misuses the lane it was offered, and gives the reason why the stream ended. */
  async function misuse(use: (offer: LaneOffer, pull: FrameHeader) => void): Promise<unknown> {
    let offer: LaneOffer | undefined
    await serveRaw((_stream, header, payload) => {
      if (header.type === FrameType.lane) offer = parseLaneOffer(header.offset, payload)
      else if (offer !== undefined) use(offer, header)
    })
    const client = await nodes.dialer.services.chunk.open(nodes.connection, { signal })
    return client.pull(1, new Uint8Array(8), { signal }).catch((error: unknown) => error)
  }

  test.each<[string, Partial<FrameHeader>]>([
    ['DATA that nobody asked for', { offset: 4, byteLength: 4 }],
    ['DATA of another lease', { leaseNumber: 2 }],
    ['a frame that is no DATA', { type: FrameType.pull }],
    ['a header that is malformed', { code: 1 }]
  ])('end their stream when they bring %s', async (_, fields) => {
    const reason = await misuse((offer, pull) => {
      const header = { ...pull, type: FrameType.data, ...fields }
      lanes.sender(offer).send(encodeHeaders([header]), new Uint8Array(header.byteLength))
    })
    expect(reason).toMatchObject({ code: 'FRAME_MALFORMED' })
  })

  async function endOf(frames: readonly { header: FrameHeader; payload: Uint8Array }[]): Promise<unknown> {
    serve()
    const stream = await nodes.connection.newStream(CHUNK_PROTOCOL)
    const closed = new Promise<unknown>((resolve) => stream.addEventListener('close', ({ error }) => resolve(error)))
    for (const { header, payload } of frames) stream.send(Buffer.concat([encodeHeaders([header]), payload]))
    return closed
  }

  const payload = encodeLaneOffer({ laneNumber: 1, quickSuites: 1, secret: new Uint8Array(32) })
  const laneFrame = (offset: number): FrameHeader =>
    frame(FrameType.lane, { leaseNumber: 0, offset, byteLength: LANE_OFFER_BYTES })

  test('are refused a second time on one stream, and without a number', async () => {
    expect(await endOf([1, 2].map((offset) => ({ header: laneFrame(offset), payload })))).toBeInstanceOf(Error)
    expect(await endOf([{ header: laneFrame(0), payload }])).toBeInstanceOf(Error)
  })

  test('are offered in a form that says what was offered', () => {
    const offer = { laneNumber: 5, quickSuites: 3, secret: Uint8Array.from({ length: 32 }, (_, index) => index) }
    expect(parseLaneOffer(5, encodeLaneOffer(offer))).toEqual(offer)
  })
})
