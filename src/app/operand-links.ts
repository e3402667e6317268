import { peerIdFromString } from '@libp2p/peer-id'
import type { SwarmServices } from '../../protocols/index.ts'
import type { OperandClient } from '../../protocols/operand/types.ts'
import { SwarmError } from '../errors.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import type { SwarmNode } from '../network/create-node.ts'

/** Longest wait for the stream to a peer, in ms; another holder may be quicker. */
const OPEN_MS = 5_000

/** Owns one operand stream per peer, each on a bulk connection of its own: opened when it is first asked for. */
export class OperandLinks {
  readonly #node: SwarmNode<SwarmServices>
  readonly #bulk: BulkConnections
  readonly #links = new Map<string, Promise<OperandClient>>()

  constructor(node: SwarmNode<SwarmServices>, bulk: BulkConnections) {
    this.#node = node
    this.#bulk = bulk
  }

  /** @throws SwarmError PEER_NOT_CONNECTED; WireError; or the signal's reason */
  async open(peerId: string, { signal }: { signal: AbortSignal }): Promise<OperandClient> {
    signal.throwIfAborted()
    let link = this.#links.get(peerId)
    if (link === undefined) {
      // Others may want the same link, so it does not end with the one who asked first.
      link = this.#dial(peerId)
      this.#links.set(peerId, link)
      const forget = (): void => void this.#links.delete(peerId)
      link.then((client) => client.signal.addEventListener('abort', forget, { once: true }), forget)
    }
    return Promise.race([link, rejection(signal)])
  }

  async #dial(peerId: string): Promise<OperandClient> {
    const signal = AbortSignal.timeout(OPEN_MS)
    const control = this.#bulk.control(this.#node, peerIdFromString(peerId))
    if (control === undefined) throw new SwarmError('PEER_NOT_CONNECTED', `peer ${peerId} is not connected`)
    const { connection, dedicated } = await this.#bulk.open(this.#node, control, { signal })
    try {
      const client = await this.#node.services.operand.open(connection, { signal })
      if (dedicated) client.signal.addEventListener('abort', () => void connection.close().catch(() => undefined))
      return client
    } catch (error) {
      if (dedicated) connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
