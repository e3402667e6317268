// One end of the bulk benchmark, run as its own process: `echo` listens and returns what it gets; `client ADDRESS`
// sends, receives and prints one JSON line of figures.
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { STREAM_WINDOW_BYTES_MAX } from '../../src/network/create-node.ts'
import { recycle } from '../../src/network/recycle.ts'
import { swarmNoise } from '../../src/network/swarm-noise.ts'

const PROTOCOL = '/swarm/bench/1'

interface Setup {
  readonly role: 'echo' | 'client'
  readonly tuned: boolean
  readonly recycle: boolean
  readonly address: string
  readonly totalBytes: number
  readonly chunkBytes: number
  readonly depth: number
  readonly pieceBytes: number
}

/** Receives into and sends from a fixed ring of chunk buffers, as the bulk protocols do. */
class ChunkPipe {
  readonly #stream: Stream
  readonly #pieceBytes: number
  readonly #queue: Uint8Array[] = []
  #sending: Uint8Array | undefined
  #offset = 0

  constructor(stream: Stream, pieceBytes: number) {
    this.#stream = stream
    this.#pieceBytes = pieceBytes
    stream.addEventListener('drain', () => queueMicrotask(() => this.#pump()))
  }

  send(chunk: Uint8Array): void {
    this.#queue.push(chunk)
    this.#pump()
  }

  #pump(): void {
    while (true) {
      if (this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > 0) {
        return
      }
      if (this.#sending === undefined) {
        this.#sending = this.#queue.shift()
        this.#offset = 0
        if (this.#sending === undefined) {
          return
        }
      }
      const end = Math.min(this.#offset + this.#pieceBytes, this.#sending.byteLength)
      const piece = this.#sending.subarray(this.#offset, end)
      this.#offset = end
      if (end === this.#sending.byteLength) {
        this.#sending = undefined
      }
      this.#stream.send(piece)
    }
  }
}

function receiveChunks(stream: Stream, total: number, buffers: Uint8Array[], onChunk: (index: number) => void): void {
  let index = 0
  let offset = 0
  let received = 0
  stream.addEventListener('message', ({ data }) => {
    for (const part of data instanceof Uint8Array ? [data] : data) {
      let taken = 0
      while (taken < part.byteLength) {
        const buffer = buffers[index % buffers.length] as Uint8Array
        const chunkEnd = Math.min(buffer.byteLength, total - received + offset)
        const count = Math.min(part.byteLength - taken, chunkEnd - offset)
        buffer.set(part.subarray(taken, taken + count), offset)
        taken += count
        offset += count
        received += count
        if (offset === chunkEnd) {
          onChunk(index++)
          offset = 0
        }
      }
    }
    if (setup.recycle) {
      recycle(data)
    }
  })
}

async function createPeer(setup: Setup) {
  return createLibp2p({
    addresses: { listen: setup.role === 'echo' ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [setup.tuned ? swarmNoise(new Uint8Array(0)) : noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX } })],
    connectionMonitor: { enabled: false }
  })
}

function chunkLength(setup: Setup, index: number): number {
  return Math.min(setup.chunkBytes, setup.totalBytes - index * setup.chunkBytes)
}

function ring(setup: Setup): Uint8Array[] {
  return Array.from({ length: setup.depth }, () => new Uint8Array(setup.chunkBytes))
}

async function runEcho(setup: Setup): Promise<void> {
  const node = await createPeer(setup)
  await node.handle(PROTOCOL, (stream) => {
    const buffers = ring(setup)
    const pipe = new ChunkPipe(stream, setup.pieceBytes)
    receiveChunks(stream, setup.totalBytes, buffers, (index) => {
      pipe.send((buffers[index % setup.depth] as Uint8Array).subarray(0, chunkLength(setup, index)))
    })
  })
  console.log(JSON.stringify({ address: node.getMultiaddrs()[0]?.toString() }))
  process.once('SIGTERM', () => {
    console.log(JSON.stringify(figures()))
    process.exit(0)
  })
}

async function runClient(setup: Setup): Promise<void> {
  const node = await createPeer(setup)
  const stream = await node.dialProtocol(multiaddr(setup.address), PROTOCOL)
  const buffers = ring(setup)
  for (const [index, buffer] of buffers.entries()) {
    buffer.fill(index + 1)
  }
  const chunkCount = Math.ceil(setup.totalBytes / setup.chunkBytes)
  const pipe = new ChunkPipe(stream, setup.pieceBytes)
  const { promise, resolve } = Promise.withResolvers<void>()
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  let sent = 0
  const sendNext = () => {
    if (sent < chunkCount) {
      const buffer = buffers[sent % setup.depth] as Uint8Array
      pipe.send(buffer.subarray(0, chunkLength(setup, sent++)))
    }
  }
  receiveChunks(stream, setup.totalBytes, buffers, (index) => (index === chunkCount - 1 ? resolve() : sendNext()))
  for (let index = 0; index < setup.depth; index++) {
    sendNext()
  }
  await promise
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  for (const [index, buffer] of buffers.entries()) {
    if (buffer.some((byte) => byte !== index + 1)) {
      throw new Error('the echo differs from what was sent')
    }
  }
  console.log(JSON.stringify({ ...figures(), wallMs, cpuMs: (user + system) / 1000 }))
  process.exit(0)
}

function figures() {
  const { user, system } = process.cpuUsage()
  return { rssMB: process.resourceUsage().maxRSS / 1000, cpuMs: (user + system) / 1000 }
}

const setup = JSON.parse(process.argv[2] ?? '') as Setup
await (setup.role === 'echo' ? runEcho(setup) : runClient(setup))
