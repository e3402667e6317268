import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, backoffMs } from '../../src/network/backoff.ts'
import type { SwarmNode } from '../../src/network/create-node.ts'
import { type DiscoveryEvent, stayConnected } from '../../src/network/discovery.ts'
import { TestNodes, testKeys } from './support/nodes.ts'

let nodes: TestNodes
let stop: AbortController
beforeEach(() => {
  nodes = new TestNodes()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await nodes[Symbol.asyncDispose]()
})

/** Runs discovery with a clock that hardly sleeps, and lets a test wait for an event. */
class Watch {
  readonly events: DiscoveryEvent[] = []
  readonly sleepsMs: number[] = []
  readonly done: Promise<void>
  readonly #waiting = new Set<() => void>()

  constructor(node: SwarmNode, addresses: readonly Multiaddr[]) {
    this.done = stayConnected(node, {
      keys: testKeys(1),
      addresses,
      random: () => 0.5,
      signal: stop.signal,
      clock: { nowMs: () => 0, wallMs: () => 0, sleep: async (delayMs, { signal }) => this.#sleep(delayMs, signal) },
      onEvent: (event) => {
        this.events.push(event)
        for (const check of this.#waiting) {
          check()
        }
      }
    })
  }

  async next(name: DiscoveryEvent['event'], count = 1): Promise<DiscoveryEvent> {
    const { promise, resolve } = Promise.withResolvers<DiscoveryEvent>()
    const check = (): void => {
      const found = this.events.filter(({ event }) => event === name)[count - 1]
      if (found !== undefined) {
        resolve(found)
      }
    }
    this.#waiting.add(check)
    check()
    return promise
  }

  async #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    this.sleepsMs.push(delayMs)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(delayMs / 100, 20))
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
    await promise
  }
}

describe('discovery', () => {
  test('connects to the addresses of the code, and again when a connection is lost', async () => {
    const [a, b] = [await nodes.member(), await nodes.member()]
    const watch = new Watch(a, b.getMultiaddrs())
    await watch.next('connected')
    await a.hangUp(b.peerId)
    await watch.next('disconnected')
    expect(await watch.next('connected', 2)).toMatchObject({ peerId: b.peerId.toString() })
  })

  test('tries a dead address again with growing waits', async () => {
    const a = await nodes.member()
    const watch = new Watch(a, [multiaddr('/ip4/127.0.0.1/tcp/1')])
    expect(await watch.next('dial-failed', 4)).toMatchObject({ retryMs: BACKOFF_FIRST_MS * 8 * 0.75 })
    expect(watch.sleepsMs.slice(0, 3)).toEqual([1, 2, 4].map((factor) => BACKOFF_FIRST_MS * factor * 0.75))
  })

  test('reports a refusal as NOT_A_MEMBER', async () => {
    const [a, stranger] = [await nodes.member(1), await nodes.member(2)]
    const watch = new Watch(a, stranger.getMultiaddrs())
    const refused = await watch.next('refused')
    expect(refused).toMatchObject({ address: String(stranger.getMultiaddrs()[0]), error: { code: 'NOT_A_MEMBER' } })
  })

  test('finds the other members through the one that it knows', async () => {
    const [hub, a, b] = [await nodes.member(), await nodes.member(), await nodes.member()]
    const [fromA, fromB] = [new Watch(a, hub.getMultiaddrs()), new Watch(b, hub.getMultiaddrs())]
    await Promise.race([fromA.next('found'), fromB.next('found')])
    await Promise.all([fromA.next('connected', 2), fromB.next('connected', 2)])
    expect(a.getConnections(b.peerId).length).toBeGreaterThan(0)
  })

  test('dials what mDNS sees, gives up on what is gone, and never dials itself', async () => {
    const [a, b] = [await nodes.member(), await nodes.member()]
    const watch = new Watch(a, [])
    const gone = await nodes.member()
    await gone.stop()
    for (const { peerId } of [a, gone]) {
      dispatchFound(a, peerId, [multiaddr('/ip4/127.0.0.1/tcp/1')])
    }
    await a.peerStore.merge(b.peerId, { multiaddrs: b.getMultiaddrs() })
    dispatchFound(a, b.peerId, [])
    expect(await watch.next('connected')).toMatchObject({ peerId: b.peerId.toString() })
    expect(await watch.next('dial-failed', 6)).toMatchObject({ address: gone.peerId.toString(), retryMs: undefined })
    expect(watch.events.filter(({ event }) => event === 'found').length).toBe(2)
  })

  test('ends when it is told to', async () => {
    const a = await nodes.member()
    const watch = new Watch(a, [multiaddr('/ip4/127.0.0.1/tcp/1')])
    await watch.next('dial-failed')
    stop.abort()
    await watch.done
  })
})

function dispatchFound(node: SwarmNode, id: SwarmNode['peerId'], multiaddrs: Multiaddr[]): void {
  node.dispatchEvent(new CustomEvent('peer:discovery', { detail: { id, multiaddrs } }))
}

describe('back-off', () => {
  test('is bounded, never shrinks with attempts and spreads over half its size', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
        const waitMs = backoffMs(attempt, () => random)
        expect(waitMs).toBeGreaterThanOrEqual(BACKOFF_FIRST_MS / 2)
        expect(waitMs).toBeLessThanOrEqual(BACKOFF_MAX_MS)
        expect(backoffMs(attempt + 1, () => random)).toBeGreaterThanOrEqual(waitMs)
      })
    )
  })
})
