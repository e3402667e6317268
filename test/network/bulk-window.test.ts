import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BULK_WINDOW_BYTES, widenBulkWindow } from '../../src/network/bulk-window.ts'
import { TestNodes } from './support/nodes.ts'

const PROTOCOL = '/swarm/test/window/1'
const MIB = 1024 * 1024

let nodes: TestNodes
beforeEach(() => {
  nodes = new TestNodes()
})
afterEach(async () => {
  await nodes[Symbol.asyncDispose]()
})

async function start() {
  return nodes.add(
    await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false }
    })
  )
}

/** Sends `total` bytes from one node to another, whose end of the stream `prepare` sees first. */
async function receive(total: number, prepare: (stream: Stream) => void): Promise<number[]> {
  const [from, to] = [await start(), await start()]
  const sizes: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  await to.handle(PROTOCOL, (stream) => {
    prepare(stream)
    let received = 0
    stream.addEventListener('message', ({ data }) => {
      sizes.push(data.byteLength)
      received += data.byteLength
      if (received === total) resolve()
    })
    stream.addEventListener('close', () => reject(new Error('closed')))
  })
  const stream = await from.dialProtocol(to.getMultiaddrs(), PROTOCOL)
  const opened = Promise.withResolvers<void>()
  // The window that the other end opens comes with its first answer.
  setImmediate(() => setImmediate(opened.resolve))
  await opened.promise
  for (let sent = 0; sent < total; sent += MIB) stream.send(new Uint8Array(Math.min(MIB, total - sent)))
  await promise
  return sizes
}

describe('the window of a bulk stream', () => {
  test('has every field that it reaches into: this fails on an upgrade that moves one', async () => {
    const widened: boolean[] = []
    await receive(1, (stream) => widened.push(widenBulkWindow(stream)))
    expect(widened).toEqual([true])
  })

  test('lets more through than was ever opened at once, so freed window is told to the sender', async () => {
    const total = 3 * BULK_WINDOW_BYTES
    const sizes = await receive(total, (stream) => widenBulkWindow(stream))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total)
  })

  test('leaves a stream alone that is not yamux’s', () => {
    const other = { addEventListener: () => undefined } as unknown as Stream
    expect(widenBulkWindow(other)).toBe(false)
  })
})
