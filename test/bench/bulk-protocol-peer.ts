// One end of the bulk protocol benchmark, run as its own process: `serve` holds the input and takes results, as a
// submitter does; `{"address",…}` is the worker's end, which measures and prints one JSON line per measurement.
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { type ChunkService, chunkService } from '../../protocols/chunk/index.ts'
import { type ResultService, resultService } from '../../protocols/result/index.ts'
import { StreamLife } from '../../protocols/wire/stream-life.ts'
import { lanesOf } from '../../src/network/connection-lanes.ts'
import { STREAM_WINDOW_BYTES_MAX } from '../../src/network/create-node.ts'
import { recycle } from '../../src/network/recycle.ts'
import { swarmNoise } from '../../src/network/swarm-noise.ts'
import {
  type BulkFigure,
  type BulkSetup,
  type BulkWay,
  type Direction,
  LARGE_BYTES,
  SMALL_BYTES
} from './bulk-figures.ts'

const BARE_IN = '/swarm/bench/in/1'
const BARE_OUT = '/swarm/bench/out/1'
/** Fills whole Noise messages (LIBP2P.md). */
const PIECE_BYTES = 1_048_292
/** Chunks under way at once: what the program's workers have. */
const DEPTH = 3
const RING_BYTES = DEPTH * LARGE_BYTES
/** What a bare stream may have waiting: as much as the bulk protocols. */
const QUEUE_BYTES = 4 * PIECE_BYTES
const RECEIPT = new Uint8Array(700)
const CLAIM = new Uint8Array(500)

type Services = { chunk: ChunkService; result: ResultService }

const source = new Uint8Array(LARGE_BYTES).fill(7)
const ring = new Uint8Array(RING_BYTES)
/** The process ends when it was measured. */
const unlimited = { signal: new AbortController().signal }

async function createPeer(listen: string[]): Promise<Libp2p<Services>> {
  const services = {
    chunk: chunkService({ recycle, lanes: lanesOf }),
    result: resultService({ recycle, lanes: lanesOf })
  }
  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [swarmNoise(new Uint8Array(32))],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX } })],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
    services: services as unknown as ServiceFactoryMap<Services>
  })
  return node as unknown as Libp2p<Services>
}

async function serve(totalBytes: number): Promise<void> {
  const node = await createPeer(['/ip4/127.0.0.1/tcp/0'])
  const buffers: Uint8Array[] = []
  node.services.chunk.setHandler({
    read: async (_peer, range) => source.subarray(range.offset, range.offset + range.byteLength),
    onRead: () => undefined
  })
  node.services.result.setHandler({
    onOffer(offer) {
      const buffer = buffers.pop() ?? new Uint8Array(LARGE_BYTES)
      offer.pull(buffer.subarray(0, offer.resultBytes), unlimited).then(() => {
        buffers.push(buffer)
        offer.accept(RECEIPT)
      }, fail)
    }
  })
  await node.handle(BARE_IN, (stream) => {
    sendAll(stream, totalBytes).catch(fail)
  })
  await node.handle(BARE_OUT, (stream) => {
    receiveAll(stream, totalBytes, true).then(() => stream.send(new Uint8Array(1)), fail)
  })
  console.log(JSON.stringify({ address: node.getMultiaddrs()[0]?.toString() }))
}

async function measureAll({ address, rounds, totalBytes }: BulkSetup): Promise<void> {
  const node = await createPeer([])
  const connection = await node.dial(multiaddr(address))
  for (let round = 0; round < rounds; round++) {
    for (const direction of ['in', 'out'] as const) {
      for (const way of ['bare', 'copied', 'large', 'small'] as const) {
        if (direction === 'out' && way === 'bare') continue
        const ms = await measure(node, connection, way, direction, totalBytes)
        console.log(JSON.stringify({ way, direction, ms } satisfies BulkFigure))
      }
    }
  }
  process.exit(0)
}

async function measure(
  node: Libp2p<Services>,
  connection: Connection,
  way: BulkWay,
  direction: Direction,
  totalBytes: number
): Promise<number> {
  if (way === 'bare' || way === 'copied') {
    const stream = await connection.newStream(direction === 'in' ? BARE_IN : BARE_OUT)
    const startedMs = performance.now()
    if (direction === 'in') await receiveAll(stream, totalBytes, way === 'copied')
    else await Promise.all([receiveAll(stream, 1, false), sendAll(stream, totalBytes)])
    const ms = performance.now() - startedMs
    stream.abort(new Error('measured'))
    return ms
  }
  const chunkBytes = way === 'large' ? LARGE_BYTES : SMALL_BYTES
  return direction === 'in'
    ? pullChunks(node, connection, totalBytes, chunkBytes)
    : offerResults(node, connection, totalBytes, chunkBytes)
}

async function pullChunks(
  node: Libp2p<Services>,
  connection: Connection,
  totalBytes: number,
  chunkBytes: number
): Promise<number> {
  const client = await node.services.chunk.open(connection, unlimited)
  const count = Math.ceil(totalBytes / chunkBytes)
  let lease = 0
  const startedMs = performance.now()
  const lanes = Array.from({ length: DEPTH }, async (_, lane) => {
    const into = ring.subarray(lane * LARGE_BYTES, lane * LARGE_BYTES + chunkBytes)
    while (lease < count) await client.pull(++lease, into, unlimited)
  })
  await Promise.all(lanes)
  const ms = performance.now() - startedMs
  await client.close()
  return ms
}

async function offerResults(
  node: Libp2p<Services>,
  connection: Connection,
  totalBytes: number,
  chunkBytes: number
): Promise<number> {
  const client = await node.services.result.open(connection, unlimited)
  const count = Math.ceil(totalBytes / chunkBytes)
  const result = source.subarray(0, chunkBytes)
  let lease = 0
  const startedMs = performance.now()
  const lanes = Array.from({ length: DEPTH }, async () => {
    while (lease < count) await client.offer(++lease, result, CLAIM, unlimited)
  })
  await Promise.all(lanes)
  const ms = performance.now() - startedMs
  await client.close()
  return ms
}

/** As fast as the stream takes it, a few pieces waiting at most. */
async function sendAll(stream: Stream, totalBytes: number): Promise<void> {
  const life = new StreamLife(stream)
  for (let sent = 0; sent < totalBytes; sent += PIECE_BYTES) {
    const start = sent % (LARGE_BYTES - PIECE_BYTES)
    life.send(source.subarray(start, start + Math.min(PIECE_BYTES, totalBytes - sent)))
    await life.whenWritable(QUEUE_BYTES)
  }
}

function receiveAll(stream: Stream, totalBytes: number, copies: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let received = 0
  let offset = 0
  stream.addEventListener('message', ({ data }) => {
    if (copies) {
      for (const part of data instanceof Uint8Array ? [data] : data) {
        if (offset + part.byteLength > ring.byteLength) offset = 0
        ring.set(part, offset)
        offset += part.byteLength
      }
    }
    received += data.byteLength
    recycle(data)
    if (received >= totalBytes) resolve()
  })
  return promise
}

function fail(error: unknown): never {
  console.error(error)
  process.exit(1)
}

const [role = '', argument = ''] = process.argv.slice(2)
await (role === 'serve' ? serve(Number(argument)) : measureAll(JSON.parse(argument)))
