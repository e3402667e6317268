import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.ts'
import { CONNECTIONS_PER_PEER_MAX, GOSSIP_MESSAGE_BYTES_MAX } from '../../src/network/create-node.ts'
import { asRefusal } from '../../src/network/membership.ts'
import { TestNodes, testKeys } from './support/nodes.ts'

let nodes: TestNodes
beforeEach(() => {
  nodes = new TestNodes()
})
afterEach(async () => {
  await nodes[Symbol.asyncDispose]()
})

async function failure(dial: Promise<unknown>): Promise<unknown> {
  try {
    await dial
  } catch (error) {
    return error
  }
  throw new Error('the dial succeeded')
}

describe('swarm node', () => {
  test('connects members over TCP and WebSockets', async () => {
    const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
    const [a, b] = [await nodes.member(), await nodes.member(1, { listen })]
    for (const address of b.getMultiaddrs()) {
      const connection = await a.dial(address, { force: true })
      expect(connection.remotePeer.equals(b.peerId)).toBe(true)
    }
    expect(b.getMultiaddrs().length).toBe(2)
  })

  test('refuses a stranger at once, in both directions, and says what to do', async () => {
    const [member, stranger] = [await nodes.member(1), await nodes.member(2)]
    for (const [from, to] of [
      [stranger, member],
      [member, stranger]
    ] as const) {
      const startMs = performance.now()
      const refusal = asRefusal(await failure(from.dial(to.getMultiaddrs())), 'it')
      expect(performance.now() - startMs).toBeLessThan(900)
      expect(refusal).toMatchObject({ code: 'NOT_A_MEMBER', exitCode: EXIT_CODES.notAMember })
      expect(refusal?.message).toContain('swarm invite')
    }
  })

  test('does not take a dead address or a wrong peer id for a refusal', async () => {
    const [a, b, c] = [await nodes.member(), await nodes.member(), await nodes.member()]
    expect(asRefusal(await failure(a.dial(multiaddr('/ip4/127.0.0.1/tcp/1'))), 'it')).toBeUndefined()
    const wrong = String(b.getMultiaddrs()[0]).replace(b.peerId.toString(), c.peerId.toString())
    expect(asRefusal(await failure(a.dial(multiaddr(wrong))), 'it')).toBeUndefined()
  })

  test('refuses long gossip by name instead of losing it', async () => {
    const node = await nodes.member()
    const { advertTopic } = testKeys(1)
    await node.services.pubsub.publish(advertTopic, new Uint8Array(GOSSIP_MESSAGE_BYTES_MAX))
    const long = node.services.pubsub.publish(advertTopic, new Uint8Array(GOSSIP_MESSAGE_BYTES_MAX + 1))
    await expect(long).rejects.toMatchObject({ code: 'GOSSIP_TOO_LONG' })
  })

  test('runs the services of the caller beside its own', async () => {
    const node = await nodes.member<{ greeter: { greet(): string } }>(1, {
      services: { greeter: () => ({ greet: () => 'hello' }) }
    })
    expect(node.services.greeter.greet()).toBe('hello')
    expect(node.services.dht).toBeDefined()
  })

  test('lets one peer hold only so many connections', async () => {
    const [a, b] = [await nodes.member(), await nodes.member()]
    for (let count = 0; count < CONNECTIONS_PER_PEER_MAX + 2; count++) {
      await a.dial(b.getMultiaddrs(), { force: true }).catch(() => undefined)
    }
    expect(b.getConnections(a.peerId).length).toBeLessThanOrEqual(CONNECTIONS_PER_PEER_MAX)
  })
})
