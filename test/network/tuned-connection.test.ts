import { Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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

async function openEcho(dialler: Encrypter, listener: Encrypter, listen = '/ip4/127.0.0.1/tcp/0'): Promise<Stream> {
  const [from, to] = [await start(dialler, '/ip4/127.0.0.1/tcp/0'), await start(listener, listen)]
  await to.handle(PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      stream.send(data.slice())
      recycle(data)
    })
  })
  return from.dialProtocol(to.getMultiaddrs(), PROTOCOL)
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
    const stream = await openEcho(dialler, listener, listen)
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

interface Captured {
  readonly raw: MessageStream
  readonly secured: MessageStream
  readonly stream: Stream
  readonly tuning: Tuning
}

/** Connects a stock dialling end that is tuned here, so that both sides of the encrypter can be seen. */
async function capture(listener: Encrypter, listen?: string): Promise<Captured> {
  let captured: Omit<Captured, 'stream'> | undefined
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
  const stream = await openEcho(spying, listener, listen)
  if (captured === undefined) {
    throw new Error('nothing captured')
  }
  return { ...captured, stream }
}

async function onceClosed(stream: Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.addEventListener('close', () => resolve(), { once: true })
  await promise
}
