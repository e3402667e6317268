import { Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, MessageStream, Startable, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ChunkService, chunkService } from '../../protocols/chunk/index.ts'
import type { LanePort } from '../../protocols/wire/lane.ts'
import { lanesOf } from '../../src/network/connection-lanes.ts'
import { markRecyclable, recycle } from '../../src/network/recycle.ts'
import { swarmNoise } from '../../src/network/swarm-noise.ts'
import { type Tuning, tuneConnection } from '../../src/network/tuned-connection.ts'
import { TestNodes } from './support/nodes.ts'

const PROTOCOL = '/swarm/test/echo/1'
const PROLOGUE = new Uint8Array(32).fill(9)
const MIB = 1024 * 1024

type Encrypter = ReturnType<typeof noise>
const stock: Encrypter = (components) => noise({ prologueBytes: PROLOGUE })(components)
const tuned: Encrypter = (components) => swarmNoise(PROLOGUE)(components)

let nodes: TestNodes
beforeEach(() => {
  nodes = new TestNodes()
})
afterEach(async () => {
  await nodes[Symbol.asyncDispose]()
})

async function start(encrypter: Encrypter, listen: string) {
  return nodes.add(
    await createLibp2p({
      addresses: { listen: [listen] },
      transports: [tcp(), webSockets()],
      connectionEncrypters: [encrypter],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false }
    })
  )
}

interface EchoStream {
  readonly connection: Connection
  readonly stream: Stream
}

async function openEcho(dialler: Encrypter, listener: Encrypter, listen = '/ip4/127.0.0.1/tcp/0'): Promise<EchoStream> {
  const [from, to] = [await start(dialler, '/ip4/127.0.0.1/tcp/0'), await start(listener, listen)]
  await to.handle(PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      stream.send(data.slice())
      recycle(data)
    })
  })
  const connection = await from.dial(to.getMultiaddrs())
  return { connection, stream: await connection.newStream(PROTOCOL) }
}

async function echo(stream: Stream, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const total = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
  const received = Buffer.alloc(total)
  let offset = 0
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed')))
  stream.addEventListener('message', ({ data }) => {
    for (const part of data instanceof Uint8Array ? [data] : data) {
      received.set(part, offset)
      offset += part.byteLength
    }
    recycle(data)
    if (offset === total) {
      resolve()
    }
  })
  for (const piece of pieces) {
    stream.send(piece)
  }
  await promise
  return received
}

/** Sizes around every boundary on the way, twelve MiB in all. */
function samplePieces(): Uint8Array[] {
  const sizes = [1, 17, 1_199, 1_200, 1_201, 65_506, 65_507, 65_508, 65_519, 65_520, 131_038, 262_144, 1_048_292, MIB]
  let state = 1
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
  const randomSizes = Array.from({ length: 120 }, () => random() % 130_000)
  return [...sizes, ...randomSizes].map((byteLength) => {
    const bytes = new Uint8Array(byteLength)
    for (let index = 0; index < byteLength; index += 13) {
      bytes[index] = random()
    }
    return bytes
  })
}

describe('tuned connection', () => {
  test.each([
    ['tuned to tuned', tuned, tuned, '/ip4/127.0.0.1/tcp/0'],
    ['tuned to stock', tuned, stock, '/ip4/127.0.0.1/tcp/0'],
    ['stock to tuned', stock, tuned, '/ip4/127.0.0.1/tcp/0'],
    ['tuned to tuned over WebSockets', tuned, tuned, '/ip4/127.0.0.1/tcp/0/ws']
  ])('carries bytes of any size unchanged both ways: %s', async (_, dialler, listener, listen) => {
    const { stream } = await openEcho(dialler, listener, listen)
    const pieces = samplePieces()
    const sent = Buffer.concat(pieces)
    expect(sent.equals(await echo(stream, pieces))).toBe(true)
  })

  test('is closed by a byte changed on the way', async () => {
    const { raw, stream } = await capture(tuned)
    const closed = onceClosed(stream)
    raw.send(Uint8Array.of(0, 40, ...new Array(40).fill(7)))
    await closed
    expect(stream.status).not.toBe('open')
  })

  test('gives sent memory back once it is written, and never when the write failed', async () => {
    const { raw } = await capture(stock)
    const written = markRecyclable(new Uint8Array(50_000))
    raw.send(written)
    await vi.waitUntil(() => written.byteLength === 0, { interval: 1 })
    const failed = markRecyclable(new Uint8Array(50_000))
    const { socket } = raw as unknown as { socket: Socket }
    const socketClosed = new Promise((resolve) => socket.once('close', resolve))
    socket.destroy()
    ;(raw as unknown as RawSends).sendData(new Uint8ArrayList(failed))
    await socketClosed
    expect(failed.byteLength).toBe(50_000)
  })
})

describe('bulk over lanes', () => {
  const BYTES = 3 * MIB + 4
  const input = Uint8Array.from({ length: BYTES }, (_, offset) => (offset * 13 + (offset >>> 8)) & 0xff)

  type Bulk = { chunk: ChunkService & Startable }

  async function member(encrypter: Encrypter, listen: string, sent: { bytes: number }) {
    const lanes = (connection: Connection): LanePort | undefined => {
      const port = lanesOf(connection)
      return port && countingSends(port, sent)
    }
    return nodes.add(
      await createLibp2p<Bulk>({
        addresses: { listen: [listen] },
        transports: [tcp(), webSockets()],
        connectionEncrypters: [encrypter],
        streamMuxers: [yamux()],
        connectionGater: { denyDialMultiaddr: () => false },
        services: { chunk: chunkService({ recycle, lanes }) }
      })
    )
  }

  /** Pulls while an echo goes over the same connection, and gives what went over lanes. */
  async function pullBeside(dialler: Encrypter, listener: Encrypter, listen = '/ip4/127.0.0.1/tcp/0'): Promise<number> {
    const sent = { bytes: 0 }
    const [from, to] = [await member(dialler, '/ip4/127.0.0.1/tcp/0', sent), await member(listener, listen, sent)]
    to.services.chunk.setHandler({
      read: async (_, { offset, byteLength }) => input.subarray(offset, offset + byteLength),
      onRead: () => undefined
    })
    await to.handle(PROTOCOL, (stream) => {
      stream.addEventListener('message', ({ data }) => stream.send(data.slice()))
    })
    const connection = await from.dial(to.getMultiaddrs())
    const client = await from.services.chunk.open(connection, { signal: AbortSignal.timeout(20_000) })
    const pulls = Array.from({ length: 12 }, async (_, lease) => {
      const into = new Uint8Array(BYTES)
      await client.pull(lease + 1, into, { signal: AbortSignal.timeout(20_000) })
      return Buffer.compare(into, input)
    })
    const pieces = samplePieces()
    const echoed = await echo(await connection.newStream(PROTOCOL), pieces)
    expect(Buffer.concat(pieces).equals(echoed)).toBe(true)
    expect(await Promise.all(pulls)).toEqual(new Array(12).fill(0))
    return sent.bytes
  }

  test('goes past the layers of libp2p, beside other streams of the connection', async () => {
    expect(await pullBeside(tuned, tuned)).toBe(12 * BYTES)
  })

  test.each([
    ['the peer has none', tuned, stock, '/ip4/127.0.0.1/tcp/0'],
    ['the peer offers none', stock, tuned, '/ip4/127.0.0.1/tcp/0'],
    ['the connection is no TCP connection', tuned, tuned, '/ip4/127.0.0.1/tcp/0/ws']
  ])('goes over its stream where %s', async (_, dialler, listener, listen) => {
    expect(await pullBeside(dialler, listener, listen)).toBe(0)
  })

  test("libp2p's connection has the timeline of the TCP connection below it", async () => {
    const { raw, connection } = await capture(stock)
    expect(connection.timeline).toBe((raw as unknown as { timeline: object }).timeline)
    expect(lanesOf(connection)).toBeDefined()
  })
})

function countingSends(port: LanePort, sent: { bytes: number }): LanePort {
  return {
    receive: (sink) => port.receive(sink),
    send: (offer, onWritten) => {
      const sender = port.send(offer, onWritten)
      return {
        get queuedBytes() {
          return sender.queuedBytes
        },
        send: (header, payload) => {
          sent.bytes += payload.byteLength
          sender.send(header, payload)
        }
      }
    }
  }
}

interface RawSends {
  sendData(data: Uint8ArrayList): void
}

// Each of these fails when an upgrade renames what tuned-connection.ts touches.
describe('fields that are not public', () => {
  test('both short cuts are taken over TCP', async () => {
    expect((await capture(stock)).tuning).toEqual({ sends: true, reads: true })
  })

  test('none is taken over WebSockets', async () => {
    expect((await capture(stock, '/ip4/127.0.0.1/tcp/0/ws')).tuning).toEqual({ sends: false, reads: false })
  })

  test("libp2p's TCP connection has its socket and sendData", async () => {
    const { raw } = await capture(stock)
    expect((raw as unknown as { socket: unknown }).socket).toBeInstanceOf(Socket)
    expect((raw as unknown as { sendData: unknown }).sendData).toBeTypeOf('function')
  })

  test("libp2p's TCP connection says when it waits for a drain, and can be told of one", async () => {
    const { raw } = await capture(stock)
    const { writableNeedsDrain, safeDispatchEvent } = raw as unknown as Record<string, unknown>
    expect(writableNeedsDrain).toBe(false)
    expect(safeDispatchEvent).toBeTypeOf('function')
  })

  test("libp2p's encrypted stream has a decoder with a buffer, and decrypt", async () => {
    const { secured } = await capture(stock)
    const { decoder, decrypt } = secured as unknown as Record<string, { buffer: { byteLength: number } }>
    expect(decoder?.buffer.byteLength).toBe(0)
    expect(decrypt).toBeTypeOf('function')
  })

  test("Node's socket takes a read buffer", () => {
    const names = Object.getOwnPropertySymbols(new Socket()).map(({ description }) => description)
    expect(names).toEqual(expect.arrayContaining(['kBuffer', 'kBufferCb']))
  })

  test('an unknown connection is left as it is', () => {
    const strange = { send: vi.fn() } as unknown as MessageStream
    expect(tuneConnection(strange, strange)).toEqual({ sends: false, reads: false })
  })
})

interface Captured extends EchoStream {
  readonly raw: MessageStream
  readonly secured: MessageStream
  readonly tuning: Tuning
}

/** Connects a stock dialling end that is tuned here, so that both sides of the encrypter can be seen. */
async function capture(listener: Encrypter, listen?: string): Promise<Captured> {
  let captured: Omit<Captured, keyof EchoStream> | undefined
  const spying: Encrypter = (components) => {
    const encrypter = stock(components)
    const original = encrypter.secureOutbound.bind(encrypter)
    const secureOutbound: typeof original = async (raw, options) => {
      const result = await original(raw, options)
      const secured: MessageStream = result.connection
      captured = { raw, secured, tuning: tuneConnection(raw, secured) }
      return result
    }
    return Object.assign(encrypter, { secureOutbound })
  }
  const echoing = await openEcho(spying, listener, listen)
  if (captured === undefined) {
    throw new Error('nothing captured')
  }
  return { ...captured, ...echoing }
}

async function onceClosed(stream: Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.addEventListener('close', () => resolve(), { once: true })
  await promise
}
