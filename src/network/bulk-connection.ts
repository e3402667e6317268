import type { Connection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { SwarmNode } from './create-node.ts'

/** Time for the second connection; past it, bulk takes the first. */
export const BULK_DIAL_TIMEOUT_MS = 3_000

/** The connection that bulk streams to a peer are opened on. */
export interface BulkConnection {
  readonly connection: Connection
  /** False when the peer could not be dialled, so that control and bulk share one connection. */
  readonly dedicated: boolean
  /** Why it is shared. */
  readonly cause?: unknown
}

/**
 * Owns the knowledge which connections carry bulk. Both ends need it, because libp2p gives out any open connection when
 * it is asked for a peer: the dialling end knows from {@link BulkConnections.open}, the other from the first stream of a
 * bulk protocol, whose handler calls {@link BulkConnections.mark}.
 */
export class BulkConnections {
  readonly #bulk = new WeakSet<Connection>()

  /**
   * Opens a second connection to a peer that is already connected, or falls back to the first.
   *
   * @throws the signal's reason when it aborts
   */
  async open(node: SwarmNode, control: Connection, options: { signal: AbortSignal }): Promise<BulkConnection> {
    options.signal.throwIfAborted()
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(BULK_DIAL_TIMEOUT_MS)])
    try {
      const addresses = await dialableAddresses(node, control)
      const connection = await node.dial(addresses, { force: true, signal })
      if (connection.id === control.id) {
        return { connection: control, dedicated: false, cause: new Error('the dial joined one that was under way') }
      }
      this.mark(connection)
      return { connection, dedicated: true }
    } catch (cause) {
      options.signal.throwIfAborted()
      return { connection: control, dedicated: false, cause }
    }
  }

  /** Called for each inbound stream of a bulk protocol. A connection that also carries control is not marked. */
  mark(connection: Connection): void {
    this.#bulk.add(connection)
  }

  isBulk(connection: Connection): boolean {
    return this.#bulk.has(connection)
  }

  /** The open connection that control streams go on: never a bulk one unless there is no other. */
  control(node: SwarmNode, peerId: PeerId): Connection | undefined {
    const open = node.getConnections(peerId).filter((connection) => connection.status === 'open')
    return open.find((connection) => !this.isBulk(connection)) ?? open[0]
  }
}

/** The address that worked when we dialled; what the peer says it listens on when it dialled us. */
async function dialableAddresses(node: SwarmNode, control: Connection): Promise<Multiaddr[]> {
  if (control.direction === 'outbound' && control.limits === undefined) {
    return [control.remoteAddr]
  }
  const { addresses } = await node.peerStore.get(control.remotePeer)
  if (addresses.length === 0) {
    throw new Error(`peer ${control.remotePeer.toString()} told no address to dial`)
  }
  const suffix = `/p2p/${control.remotePeer.toString()}`
  return addresses.map(({ multiaddr }) =>
    multiaddr.toString().endsWith(suffix) ? multiaddr : multiaddr.encapsulate(suffix)
  )
}
