import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface'
import type { BulkConnections } from '../network/bulk-connection.ts'
import type { SwarmNode } from '../network/create-node.ts'
import type { PeerStore } from '../store/peer-store.ts'
import type { PeerView } from './api-types.ts'
import { rememberedPeers } from './remembered-peers.ts'

/** What identify tells of a peer of this program: `swarm/<version> <name>`. */
const AGENT = /^swarm\/\S+ (?<name>.+)$/

/** How often connected peers that did not say who they are get asked, in ms. */
const LOOK_AGAIN_MS = 2_000
/** Longest wait for the answer, in ms. */
const IDENTIFY_MS = 5_000

/** What a member's coming and going sets off. */
export interface MembersListener {
  /** A member is connected and known by name; `control` is where control streams go. */
  onJoined(peerId: PeerId, name: string, control: Connection): void
  onLeft(peerId: string, name: string): void
}

/** @returns what this peer tells others about itself through identify */
export function agentOf(version: string, name: string): string {
  return `swarm/${version} ${name}`
}

/** Owns who is connected, by name, and what the home remembers of them. Driven by libp2p's events. */
export class Members {
  readonly #node: SwarmNode
  readonly #bulk: BulkConnections
  readonly #peers: PeerStore
  readonly #listener: MembersListener
  readonly #names = new Map<string, string>()
  readonly #asking = new Set<string>()
  readonly #lookAgain: NodeJS.Timeout

  constructor(node: SwarmNode, bulk: BulkConnections, peers: PeerStore, listener: MembersListener) {
    this.#node = node
    this.#bulk = bulk
    this.#peers = peers
    this.#listener = listener
    node.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => this.#onIdentified(detail))
    this.#lookAgain = setInterval(() => this.#identifyMissing(), LOOK_AGAIN_MS).unref()
    node.addEventListener('peer:disconnect', ({ detail }: CustomEvent<PeerId>) => this.#onLeft(detail.toString()))
  }

  /** Ends its watch. */
  stop(): void {
    clearInterval(this.#lookAgain)
  }

  /** Connected members that said who they are. */
  get count(): number {
    return this.#names.size
  }

  nameOf(peerId: string): string {
    return this.#names.get(peerId) ?? this.#peers.get(peerId)?.name ?? ''
  }

  /** Open control connections, one a member. */
  connections(): Connection[] {
    const peerIds = this.#node.getPeers().filter((peerId) => this.#names.has(peerId.toString()))
    return peerIds.flatMap((peerId) => this.#bulk.control(this.#node, peerId) ?? [])
  }

  /** Connected members first, then remembered ones. */
  list(): PeerView[] {
    const connected = this.connections().map((control): PeerView => {
      const peerId = control.remotePeer.toString()
      // The port that a peer dialled from leads nowhere: what it listens on does.
      const listening = control.direction === 'inbound' ? this.#peers.get(peerId)?.addresses : undefined
      const addresses = listening?.length ? listening : [control.remoteAddr.toString()]
      const latency = control.rtt === undefined ? {} : { latencyMs: control.rtt }
      return { peerId, name: this.nameOf(peerId), connected: true, addresses, ...latency, lastSeenMs: Date.now() }
    })
    const here = new Set(connected.map(({ peerId }) => peerId))
    return [...connected, ...rememberedPeers(this.#peers).filter(({ peerId }) => !here.has(peerId))]
  }

  /** Identify runs by itself when a connection opens, once; on a busy machine it may fail, and the peer stay unknown. */
  #identifyMissing(): void {
    for (const peerId of this.#node.getPeers()) {
      const text = peerId.toString()
      const connection = this.#bulk.control(this.#node, peerId)
      const isFresh = connection === undefined || Date.now() - connection.timeline.open < LOOK_AGAIN_MS
      if (isFresh || this.#names.has(text) || this.#asking.has(text)) continue
      this.#asking.add(text)
      this.#node.services.identify
        .identify(connection, { signal: AbortSignal.timeout(IDENTIFY_MS) })
        .then(
          (result) => this.#onIdentified(result),
          // Tried again at the next look for as long as the peer is connected.
          () => undefined
        )
        .finally(() => this.#asking.delete(text))
    }
  }

  #onIdentified({ peerId, agentVersion, listenAddrs, connection }: IdentifyResult): void {
    const text = peerId.toString()
    const name = AGENT.exec(agentVersion ?? '')?.groups?.name ?? ''
    const dialled = connection.direction === 'outbound' ? [connection.remoteAddr.toString()] : []
    const addresses = [...dialled, ...listenAddrs.map((address) => withPeer(address.toString(), text))]
    this.#peers.remember({ peerId: text, name, addresses, seenAtMs: Date.now() })
    if (this.#names.has(text)) return
    this.#names.set(text, name)
    const control = this.#bulk.control(this.#node, peerId) ?? connection
    this.#listener.onJoined(peerId, name, control)
  }

  #onLeft(peerId: string): void {
    const name = this.#names.get(peerId)
    if (name === undefined) return
    this.#names.delete(peerId)
    this.#listener.onLeft(peerId, name)
  }
}

function withPeer(address: string, peerId: string): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${peerId}`
}
