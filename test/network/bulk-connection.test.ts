import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BulkConnections } from '../../src/network/bulk-connection.ts'
import { TestNodes } from './support/nodes.ts'

const BULK_PROTOCOL = '/swarm/test/bulk/1'
const { signal } = new AbortController()

let nodes: TestNodes
beforeEach(() => {
  nodes = new TestNodes()
})
afterEach(async () => {
  await nodes[Symbol.asyncDispose]()
})

async function connect(listenA: string[] = ['/ip4/127.0.0.1/tcp/0']) {
  const [a, b] = [await nodes.member(1, { listen: listenA }), await nodes.member()]
  const identified = new Promise((resolve) => b.addEventListener('peer:identify', resolve, { once: true }))
  const fromA = await a.dial(b.getMultiaddrs())
  await identified
  const fromB = b.getConnections(a.peerId)[0]
  if (fromB === undefined) {
    throw new Error('not connected')
  }
  return { a, b, fromA, fromB }
}

describe('bulk connection', () => {
  test('is a second one, and both ends can tell which it is', async () => {
    const { a, b, fromA, fromB } = await connect()
    const [dialling, listening] = [new BulkConnections(), new BulkConnections()]
    const seen = Promise.withResolvers<Connection>()
    await b.handle(BULK_PROTOCOL, (_, connection) => {
      listening.mark(connection)
      seen.resolve(connection)
    })
    const bulk = await dialling.open(a, fromA, { signal })
    await bulk.connection.newStream(BULK_PROTOCOL)
    expect(bulk.dedicated).toBe(true)
    expect(bulk.connection.id).not.toBe(fromA.id)
    expect(listening.isBulk(await seen.promise)).toBe(true)
    expect(dialling.control(a, b.peerId)?.id).toBe(fromA.id)
    expect(listening.control(b, a.peerId)?.id).toBe(fromB.id)
  })

  test('is opened by the end that was dialled, too', async () => {
    const { b, fromB } = await connect()
    expect((await new BulkConnections().open(b, fromB, { signal })).dedicated).toBe(true)
  })

  test('falls back to the first one when the peer listens nowhere', async () => {
    const { b, fromB } = await connect([])
    const bulk = await new BulkConnections().open(b, fromB, { signal })
    expect(bulk).toMatchObject({ dedicated: false })
    expect(bulk.connection.id).toBe(fromB.id)
    expect(bulk.cause).toBeInstanceOf(Error)
  })

  test('is not opened once the caller has given up', async () => {
    const { a, fromA } = await connect()
    const reason = new Error('given up')
    await expect(new BulkConnections().open(a, fromA, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
