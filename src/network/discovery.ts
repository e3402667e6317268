import type { Connection, PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { type Clock, sleepOrAbort } from '../domain/clock.ts'
import { backoffMs } from './backoff.ts'
import type { SwarmNode } from './create-node.ts'
import { asRefusal } from './membership.ts'
import { findMembers } from './rendezvous.ts'
import type { SwarmKeys } from './swarm-keys.ts'

/** Time for one dial, all addresses of a peer together. */
export const DIAL_TIMEOUT_MS = 10_000
/** Tries for a peer that nobody named, such as one that mDNS saw once; named addresses are tried for ever. */
export const FOUND_PEER_ATTEMPTS_MAX = 6
/** Most peers that are dialled or watched at a time. */
export const TARGETS_MAX = 512

/** What happens while a peer finds its swarm. */
export type DiscoveryEvent =
  | { readonly event: 'found'; readonly peerId: string; readonly by: 'mdns' | 'dht' }
  | { readonly event: 'connected' | 'disconnected'; readonly peerId: string; readonly address: string }
  /** The address answered, but is not in our swarm: SwarmError with code NOT_A_MEMBER. */
  | { readonly event: 'refused'; readonly address: string; readonly error: Error; readonly retryMs: number | undefined }
  /** `retryMs` is undefined when it was the last try. */
  | {
      readonly event: 'dial-failed'
      readonly address: string
      readonly error: Error
      readonly retryMs: number | undefined
    }
  | { readonly event: 'provided' }
  | { readonly event: 'lookup-failed'; readonly error: Error; readonly retryMs: number }
  | { readonly event: 'too-many'; readonly address: string }

/** What {@link stayConnected} needs. */
export interface DiscoveryOptions {
  readonly keys: SwarmKeys
  /** From the join code, `--peer` and the memory of last time; each ends in `/p2p/<peer id>` or is dialled as it is. */
  readonly addresses: readonly Multiaddr[]
  readonly clock: Clock
  readonly random: () => number
  readonly onEvent: (event: DiscoveryEvent) => void
  readonly signal: AbortSignal
}

/** Dials and redials the swarm's members until the signal aborts; then resolves. Everything that fails is an event. */
export async function stayConnected(node: SwarmNode, options: DiscoveryOptions): Promise<void> {
  const discovery = new Discovery(node, options)
  await discovery.run()
}

/** Owns the list of peers being dialled or watched. Driven by libp2p's events and its own timers. */
class Discovery {
  readonly #node: SwarmNode
  readonly #options: DiscoveryOptions
  readonly #targets = new Map<string, Promise<void>>()

  constructor(node: SwarmNode, options: DiscoveryOptions) {
    this.#node = node
    this.#options = options
  }

  async run(): Promise<void> {
    const onFound = ({ detail }: CustomEvent<PeerInfo>): void => this.#onFound(detail.id, 'mdns')
    const onOpen = ({ detail }: CustomEvent<Connection>): void => this.#report('connected', detail)
    const onClose = ({ detail }: CustomEvent<Connection>): void => this.#onClose(detail)
    this.#node.addEventListener('peer:discovery', onFound)
    this.#node.addEventListener('connection:open', onOpen)
    this.#node.addEventListener('connection:close', onClose)
    try {
      for (const address of this.#options.addresses) {
        this.#pursue(address, Number.POSITIVE_INFINITY)
      }
      await this.#lookUp()
    } finally {
      this.#node.removeEventListener('peer:discovery', onFound)
      this.#node.removeEventListener('connection:open', onOpen)
      this.#node.removeEventListener('connection:close', onClose)
      await Promise.all(this.#targets.values())
    }
  }

  async #lookUp(): Promise<void> {
    const { keys, clock, random, signal, onEvent } = this.#options
    await findMembers(this.#node, {
      keys,
      clock,
      random,
      signal,
      onMember: (peerId) => this.#onFound(peerId, 'dht'),
      onProvided: () => onEvent({ event: 'provided' }),
      onFailure: (error, retryMs) => onEvent({ event: 'lookup-failed', error, retryMs })
    })
  }

  #onFound(peerId: PeerId, by: 'mdns' | 'dht'): void {
    const known = this.#targets.has(peerId.toString()) || this.#isConnected(peerId)
    if (!known && !peerId.equals(this.#node.peerId)) {
      this.#options.onEvent({ event: 'found', peerId: peerId.toString(), by })
      this.#pursue(peerId, FOUND_PEER_ATTEMPTS_MAX)
    }
  }

  #onClose(connection: Connection): void {
    this.#report('disconnected', connection)
    const { remotePeer } = connection
    if (!this.#isConnected(remotePeer)) {
      const named = this.#options.addresses.find((address) => targetPeer(address)?.equals(remotePeer))
      this.#pursue(named ?? remotePeer, named === undefined ? FOUND_PEER_ATTEMPTS_MAX : Number.POSITIVE_INFINITY)
    }
  }

  #report(event: 'connected' | 'disconnected', connection: Connection): void {
    const address = connection.remoteAddr.toString()
    this.#options.onEvent({ event, peerId: connection.remotePeer.toString(), address })
  }

  /** Starts a target's loop unless it has one. */
  #pursue(target: PeerId | Multiaddr, attemptsMax: number): void {
    const key = targetPeer(target)?.toString() ?? target.toString()
    if (this.#targets.has(key) || this.#options.signal.aborted) {
      return
    }
    if (this.#targets.size >= TARGETS_MAX) {
      this.#options.onEvent({ event: 'too-many', address: target.toString() })
      return
    }
    const loop = this.#dialUntilConnected(target, attemptsMax).finally(() => this.#targets.delete(key))
    this.#targets.set(key, loop)
  }

  async #dialUntilConnected(target: PeerId | Multiaddr, attemptsMax: number): Promise<void> {
    const { clock, random, signal, onEvent } = this.#options
    for (let attempt = 0; !signal.aborted; attempt++) {
      const error = await this.#dial(target)
      if (error === undefined || signal.aborted) {
        return
      }
      const address = target.toString()
      const retryMs = attempt + 1 < attemptsMax ? backoffMs(attempt, random) : undefined
      const refusal = asRefusal(error, address)
      if (refusal === undefined) {
        onEvent({ event: 'dial-failed', address, error, retryMs })
      } else {
        onEvent({ event: 'refused', address, error: refusal, retryMs })
      }
      if (retryMs === undefined) {
        return
      }
      await sleepOrAbort(clock, retryMs, signal)
    }
  }

  /** @returns undefined once connected, else why not. */
  async #dial(target: PeerId | Multiaddr): Promise<Error | undefined> {
    const peerId = targetPeer(target)
    if (peerId !== undefined && (peerId.equals(this.#node.peerId) || this.#isConnected(peerId))) {
      return undefined
    }
    try {
      const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      const connection = await this.#node.dial(target, { signal })
      // One that closed before the dial returned has had its close event already.
      return connection.status === 'open' ? undefined : new Error('the connection closed at once')
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #isConnected(peerId: PeerId): boolean {
    return this.#node.getConnections(peerId).some((connection) => connection.status === 'open')
  }
}

function targetPeer(target: PeerId | Multiaddr): PeerId | undefined {
  if (!('getComponents' in target)) {
    return target
  }
  const text = target.getComponents().findLast(({ code }) => code === CODE_P2P)?.value
  return text === undefined ? undefined : peerIdFromString(text)
}
