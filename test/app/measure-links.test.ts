import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isThisMachine, measureLinks, PROBE_BYTES } from '../../src/app/measure-links.ts'
import { BulkConnections } from '../../src/network/bulk-connection.ts'
import { TestNodes } from '../network/support/nodes.ts'

const PING = '/ipfs/ping/1.0.0'
const { signal } = new AbortController()
let nodes: TestNodes
beforeEach(() => {
  nodes = new TestNodes()
})
afterEach(async () => {
  await nodes[Symbol.asyncDispose]()
})

async function connect() {
  const [a, b] = [await nodes.member(), await nodes.member()]
  return { a, b, control: await a.dial(b.getMultiaddrs()) }
}

describe('a link', () => {
  test('is measured on a connection of its own, which is closed again', async () => {
    const { a, b, control } = await connect()
    const links = await measureLinks(a, new BulkConnections(), [control], { signal })
    // A machine that is busy may need longer than a probe takes; then the link is assumed.
    for (const { bytesPerSecond, latencyMs } of links.values()) {
      expect(bytesPerSecond).toBeGreaterThan(1e5)
      expect(latencyMs).toBeGreaterThan(0)
    }
    expect([...links.keys()].every((peerId) => peerId === b.peerId.toString())).toBe(true)
    expect(a.getConnections(b.peerId).filter(({ status }) => status === 'open')).toEqual([control])
  })

  test('of a peer that says nothing is not there', async () => {
    const { a, b, control } = await connect()
    await b.unhandle(PING)
    let receivedBytes = 0
    await b.handle(PING, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        receivedBytes += data.byteLength
      })
    })
    expect(await measureLinks(a, new BulkConnections(), [control], { signal })).toEqual(new Map())
    // libp2p's own pings are counted too.
    expect(receivedBytes).toBeLessThan(PROBE_BYTES + 1_024)
  })

  test('is not measured once the caller has given up', async () => {
    const { a, control } = await connect()
    const leaving = measureLinks(a, new BulkConnections(), [control], { signal: AbortSignal.abort(new Error('left')) })
    await expect(leaving).rejects.toThrow('left')
  })
})

describe('an address', () => {
  test('is of this machine when it loops back or is one of its own', () => {
    const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    for (const address of ['/ip4/127.0.0.1/tcp/1', '/ip4/127.1.2.3/tcp/1', '/ip6/::1/tcp/1']) {
      expect(isThisMachine(address)).toBe(true)
    }
    for (const { address, family } of own) {
      expect(isThisMachine(`/${family === 'IPv4' ? 'ip4' : 'ip6'}/${address}/tcp/1`)).toBe(true)
    }
    for (const address of ['/ip4/192.0.2.7/tcp/1', '/ip6/2001:db8::7/tcp/1', '/dns4/example.org/tcp/1']) {
      expect(isThisMachine(address)).toBe(false)
    }
  })
})
