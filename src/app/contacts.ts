import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { SwarmNode } from '../network/create-node.ts'
import { DIAL_TIMEOUT_MS, type DiscoveryEvent, stayConnected } from '../network/discovery.ts'
import { asRefusal } from '../network/membership.ts'
import type { SwarmKeys } from '../network/swarm-keys.ts'
import type { Waiting } from './api-types.ts'
import type { OpenHome } from './open-home.ts'
import { systemClock } from './system-clock.ts'

/** Remembered peers that are dialled at start; those seen last come first. */
const REMEMBERED_DIALLED_MAX = 32

/** Owns the search for the swarm: named addresses, remembered peers, mDNS and the DHT. */
export class Contacts {
  readonly #node: SwarmNode
  readonly #keys: SwarmKeys
  readonly #home: OpenHome
  readonly #notice: (message: string) => void
  readonly #stopped = new AbortController()
  #searching: Promise<void> = Promise.resolve()

  constructor(node: SwarmNode, keys: SwarmKeys, home: OpenHome, notice: (message: string) => void) {
    this.#node = node
    this.#keys = keys
    this.#home = home
    this.#notice = notice
  }

  /** Dials what the user named, then keeps looking in the background. @throws SwarmError NOT_A_MEMBER, ADDRESS_MALFORMED */
  async start(named: readonly string[], waiting: Waiting): Promise<void> {
    const wanted = named.map(parseAddress)
    await this.#dialAll(wanted, waiting)
    const remembered = this.#home.peers.list(REMEMBERED_DIALLED_MAX).map(({ addresses }) => addresses[0])
    const known = [...this.#home.membership.bootstrap, ...remembered.filter((address) => address !== undefined)]
    this.#searching = stayConnected(this.#node, {
      keys: this.#keys,
      addresses: distinct([...wanted, ...known.map(parseAddress)], this.#home.identity.peerId),
      clock: systemClock,
      random: Math.random,
      onEvent: (event) => this.#report(event),
      signal: this.#stopped.signal
    })
  }

  /** Dials multiaddrs that the user named. @throws SwarmError NOT_A_MEMBER when one is in another swarm */
  async dial(named: readonly string[], waiting: Waiting): Promise<void> {
    await this.#dialAll(named.map(parseAddress), waiting)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#searching
  }

  async #dialAll(addresses: readonly Multiaddr[], { signal }: Waiting): Promise<void> {
    await Promise.all(addresses.map((address) => this.#dialOne(address, signal)))
  }

  async #dialOne(address: Multiaddr, signal: AbortSignal): Promise<void> {
    try {
      const patience = AbortSignal.any([signal, this.#stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      await this.#node.dial(address, { signal: patience })
    } catch (error) {
      signal.throwIfAborted()
      const refusal = asRefusal(error, address.toString())
      if (refusal !== undefined) throw refusal
      const why = error instanceof Error ? error.message : String(error)
      this.#notice(`${address.toString()} could not be reached: ${why}; it is tried again`)
    }
  }

  #report(event: DiscoveryEvent): void {
    if (event.event === 'refused') this.#notice(event.error.message)
    if (event.event === 'too-many') this.#notice(`${event.address} is not dialled: too many peers are already`)
  }
}

/** @throws SwarmError ADDRESS_MALFORMED */
function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (error) {
    const message = `${JSON.stringify(text)} is no multiaddr; expected something like /ip4/192.168.1.7/tcp/4001/p2p/12D3…`
    throw new SwarmError('ADDRESS_MALFORMED', message, { cause: error, exitCode: EXIT_CODES.usage })
  }
}

/** Each address once, without this peer's own. */
function distinct(addresses: readonly Multiaddr[], self: string): Multiaddr[] {
  const byText = new Map(addresses.map((address) => [address.toString(), address]))
  return [...byText.values()].filter((address) => !address.toString().endsWith(`/p2p/${self}`))
}
