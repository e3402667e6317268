import type { Startable, Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CHUNK_PROTOCOL, type ChunkClient, type ChunkService, chunkService } from '../../../protocols/chunk/index.ts'
import { BulkStream } from '../../../protocols/wire/bulk-stream.ts'
import { encodeHeaders, type FrameHeader, FrameType, RANGE_BYTES_MAX } from '../../../protocols/wire/frame.ts'
import { PULL_BYTES_OUTSTANDING_MAX } from '../../../protocols/wire/range-puller.ts'
import { PULLS_QUEUED_MAX, SEND_LOW_BYTES } from '../../../protocols/wire/range-server.ts'
import { RefusalCode, WireError } from '../../../protocols/wire/wire-error.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'

type Services = { chunk: ChunkService & Startable }
const STALL_MS = 400
const signal = new AbortController().signal

/** The byte at a place of a lease's input, so that a misplaced byte is noticed. */
const byteAt = (leaseNumber: number, offset: number): number => (leaseNumber * 31 + offset + (offset >>> 8)) & 0xff

function inputOf(leaseNumber: number, byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, offset) => byteAt(leaseNumber, offset))
}

function header(type: FrameType, fields: Partial<FrameHeader>): FrameHeader {
  return { type, code: 0, leaseNumber: 1, offset: 0, byteLength: 0, ...fields }
}

/** Resolves with the reason once a signal aborts. */
function ended(aborting: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (aborting.aborted) resolve(aborting.reason)
    else aborting.addEventListener('abort', () => resolve(aborting.reason), { once: true })
  })
}

describe('chunk protocol', () => {
  let nodes: NodePair<Services>
  beforeEach(async () => {
    nodes = await connectNodes<Services>({ chunk: chunkService({ stallMs: STALL_MS }) })
  })
  afterEach(() => nodes.stop())

  const open = (): Promise<ChunkClient> => nodes.dialer.services.chunk.open(nodes.connection, { signal })
  const serve = (read: (lease: number, offset: number, byteLength: number) => Uint8Array | Promise<Uint8Array>): void =>
    nodes.listener.services.chunk.setHandler({
      read: async (_peerId, range) => read(range.leaseNumber, range.offset, range.byteLength),
      onRead: () => {
        throw new Error('a stream without a lane cannot say so')
      }
    })

  /** Replaces the submitter by raw frames. */
  async function serveRaw(onStream: (stream: Stream) => void): Promise<void> {
    await nodes.listener.handle(
      CHUNK_PROTOCOL,
      (stream) => {
        onStream(stream)
        stream.send(encodeHeaders([header(FrameType.ready, { leaseNumber: 0 })]))
      },
      { force: true }
    )
  }

  test('several leases at once get their own bytes, and report them', async () => {
    const inputs = new Map([1, 2, 3].map((lease) => [lease, inputOf(lease, RANGE_BYTES_MAX * 2 + lease * 4)]))
    serve((lease, offset, byteLength) => inputs.get(lease)?.subarray(offset, offset + byteLength) ?? new Uint8Array())
    const client = await open()
    const reported: number[] = []
    await Promise.all(
      [...inputs].map(async ([lease, input]) => {
        const into = new Uint8Array(input.byteLength)
        await client.pull(lease, into, { signal, onBytes: (received) => (reported[lease] = received) })
        expect(Buffer.compare(into, input)).toBe(0)
        expect(reported[lease]).toBe(input.byteLength)
      })
    )
    await client.pull(4, new Uint8Array(0), { signal })
    await client.close()
    await ended(client.signal)
  })

  test('a refused lease fails alone, with the reason, and may be pulled again', async () => {
    const input = inputOf(1, RANGE_BYTES_MAX * 3)
    let refusals = 0
    serve((lease, offset, byteLength) => {
      if (lease === 1 || refusals > 2) return input.subarray(offset, offset + byteLength)
      refusals += 1
      throw new WireError('REFUSED', 'no', { refusal: RefusalCode.leaseRevoked })
    })
    const client = await open()
    const into = new Uint8Array(input.byteLength)
    const [good, bad] = await Promise.allSettled([
      client.pull(1, into, { signal }),
      client.pull(2, new Uint8Array(input.byteLength), { signal })
    ])
    expect(good.status).toBe('fulfilled')
    expect(bad).toMatchObject({ reason: { code: 'REFUSED', refusal: RefusalCode.leaseRevoked } })
    expect(Buffer.compare(into, input)).toBe(0)
    await client.pull(2, into, { signal })
  })

  test('an error of the handler, or a wrong length, is a refusal and no crash', async () => {
    serve((lease) => {
      if (lease === 1) throw new Error('disk on fire')
      return new Uint8Array(1)
    })
    const client = await open()
    for (const lease of [1, 2]) {
      const pulling = client.pull(lease, new Uint8Array(8), { signal })
      await expect(pulling).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.inputUnavailable })
    }
  })

  test('a pull that is given up writes nothing more, and the stream goes on', async () => {
    const gate = Promise.withResolvers<void>()
    serve(async (lease, _offset, byteLength) => {
      if (lease === 1) await gate.promise
      return new Uint8Array(byteLength).fill(7)
    })
    const client = await open()
    const into = new Uint8Array(RANGE_BYTES_MAX * 2)
    const given = new AbortController()
    const pulling = client.pull(1, into, { signal: given.signal })
    const second = new Uint8Array(1000)
    await client.pull(2, second, { signal })
    given.abort(new Error('lease lost'))
    await expect(pulling).rejects.toThrow('lease lost')
    const again = client.pull(1, new Uint8Array(8), { signal })
    await expect(again).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    gate.resolve()
    await client.pull(3, new Uint8Array(RANGE_BYTES_MAX), { signal })
    expect(into.every((byte) => byte === 0)).toBe(true)
    await client.pull(1, into, { signal })
  })

  test('a second stream on one connection is busy; one on another connection is not', async () => {
    serve((_lease, _offset, byteLength) => new Uint8Array(byteLength))
    const client = await open()
    await expect(open()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    const other = await nodes.dialer.services.chunk.open(await nodes.dial(), { signal })
    await client.pull(1, new Uint8Array(10), { signal })
    await other.pull(1, new Uint8Array(10), { signal })
    await client.close()
    await ended(client.signal)
    await (await open()).close()
  })

  test('a peer without a job refuses the stream', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.unknownJob })
  })

  test('a killed connection ends all pulls', async () => {
    serve(() => new Promise(() => undefined))
    const client = await open()
    const pulls = [1, 2].map((lease) => client.pull(lease, new Uint8Array(100), { signal }))
    nodes.connection.abort(new Error('pulled the plug'))
    for (const pull of pulls) await expect(pull).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    expect(client.signal.aborted).toBe(true)
    await expect(client.pull(3, new Uint8Array(1), { signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('a stop of the service ends its streams', async () => {
    serve(() => new Promise(() => undefined))
    const client = await open()
    const pull = client.pull(1, new Uint8Array(100), { signal })
    await nodes.listener.services.chunk.stop()
    await expect(pull).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('a submitter that answers nothing times out', async () => {
    serve(() => new Promise(() => undefined))
    const client = await open()
    await expect(client.pull(1, new Uint8Array(100), { signal })).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })

  test('asks for no more than its limit ahead', async () => {
    let askedBytes = 0
    const asked = Promise.withResolvers<void>()
    serve((_lease, _offset, byteLength) => {
      askedBytes += byteLength
      if (askedBytes === PULL_BYTES_OUTSTANDING_MAX) asked.resolve()
      return new Promise(() => undefined)
    })
    const client = await open()
    const pull = client.pull(1, new Uint8Array(PULL_BYTES_OUTSTANDING_MAX * 2), { signal })
    await asked.promise
    await expect(pull).rejects.toMatchObject({ code: 'TIMED_OUT' })
    expect(askedBytes).toBe(PULL_BYTES_OUTSTANDING_MAX)
  })

  const bad: readonly (readonly [string, FrameHeader, number])[] = [
    ['data that nobody asked for', header(FrameType.data, { leaseNumber: 9, byteLength: 4 }), 4],
    ['data of another length', header(FrameType.data, { byteLength: 4 }), 4],
    ['data at another offset', header(FrameType.data, { offset: 4, byteLength: 8 }), 8],
    ['a refusal of what was not asked for', header(FrameType.refuse, { code: 1, offset: 1, byteLength: 8 }), 0],
    ['a second answer to the stream', header(FrameType.ready, { leaseNumber: 0 }), 0],
    ['a receipt', header(FrameType.receipt, { byteLength: 4 }), 4]
  ]
  for (const [what, frame, payload] of bad) {
    test(`a submitter that sends ${what} is cut off`, async () => {
      await serveRaw((stream) =>
        stream.addEventListener('message', () =>
          stream.send(new Uint8ArrayList(encodeHeaders([frame]), new Uint8Array(payload)))
        )
      )
      const client = await open()
      await expect(client.pull(1, new Uint8Array(8), { signal })).rejects.toMatchObject({ code: 'FRAME_MALFORMED' })
      expect(await ended(client.signal)).toMatchObject({ code: 'FRAME_MALFORMED' })
    })
  }

  test('data after its refusal, and the same range twice, are cut off', async () => {
    const range = { byteLength: 8 }
    const data = new Uint8ArrayList(encodeHeaders([header(FrameType.data, range)]), new Uint8Array(8))
    for (const first of [new Uint8ArrayList(encodeHeaders([header(FrameType.refuse, { ...range, code: 3 })])), data]) {
      await serveRaw((stream) => stream.addEventListener('message', () => stream.send(new Uint8ArrayList(first, data))))
      const client = await nodes.dialer.services.chunk.open(await nodes.dial(), { signal })
      const [outcome] = await Promise.allSettled([client.pull(1, new Uint8Array(8), { signal })])
      expect(outcome.status).toBe(first === data ? 'fulfilled' : 'rejected')
      expect(await ended(client.signal)).toMatchObject({ code: 'FRAME_MALFORMED' })
    }
  })

  /** A worker that sends raw frames; resolves with the submitter's verdict on its stream. */
  async function rawWorker(): Promise<{ raw: Stream; life: BulkStream }> {
    const raw = await nodes.connection.newStream(CHUNK_PROTOCOL)
    const life = new BulkStream(raw, nodes.connection)
    await life.whenReady({ signal })
    return { raw, life }
  }

  for (const [what, frame, payload] of [
    ['data', header(FrameType.data, { byteLength: 4 }), 4],
    ['an offer', header(FrameType.offer, { byteLength: 4 }), 4],
    ['ready', header(FrameType.ready, { leaseNumber: 0 }), 0]
  ] as const) {
    test(`a worker that sends ${what} is cut off`, async () => {
      serve((_lease, _offset, byteLength) => new Uint8Array(byteLength))
      const { life } = await rawWorker()
      life.send(frame, new Uint8Array(payload))
      expect(await ended(life.signal)).toMatchObject({ code: 'STREAM_ENDED', cause: { name: 'StreamResetError' } })
    })
  }

  test('a worker that pulls too much at once is cut off', async () => {
    serve(() => new Promise(() => undefined))
    const { life } = await rawWorker()
    const pull = header(FrameType.pull, { byteLength: 4 })
    life.sendHeaders(Array.from({ length: PULLS_QUEUED_MAX + 1 }, () => pull))
    expect(await ended(life.signal)).toMatchObject({ cause: { name: 'StreamResetError' } })
  })

  test('a worker that pulls but does not read costs little memory, and is cut off in the end', async () => {
    serve((_lease, _offset, byteLength) => new Uint8Array(byteLength))
    const { raw, life } = await rawWorker()
    const inbound = nodes.listener.getConnections().flatMap((connection) => connection.streams)
    const serving = inbound.find((stream) => stream.protocol === CHUNK_PROTOCOL)
    let queuedBytesMax = 0
    const send = serving?.send.bind(serving)
    if (serving === undefined || send === undefined) throw new Error('no inbound stream')
    serving.send = (bytes) => {
      const wasTaken = send(bytes)
      queuedBytesMax = Math.max(queuedBytesMax, serving.writeBufferLength)
      return wasTaken
    }
    raw.pause()
    const ranges = Array.from({ length: PULLS_QUEUED_MAX }, () =>
      header(FrameType.pull, { byteLength: RANGE_BYTES_MAX })
    )
    life.sendHeaders(ranges)
    await ended(life.signal)
    expect(queuedBytesMax).toBeGreaterThan(0)
    expect(queuedBytesMax).toBeLessThanOrEqual(SEND_LOW_BYTES + RANGE_BYTES_MAX + 16)
  })

  test('gives up opening when the signal aborts', async () => {
    await nodes.listener.handle(CHUNK_PROTOCOL, () => undefined, { force: true })
    const given = new AbortController()
    const opening = nodes.dialer.services.chunk.open(nodes.connection, { signal: given.signal })
    given.abort(new Error('never mind'))
    await expect(opening).rejects.toThrow('never mind')
  })
})
