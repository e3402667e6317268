import {
  type ComponentLogger,
  type Connection,
  type Logger,
  type PeerId,
  type Startable,
  type Stream,
  serviceDependencies
} from '@libp2p/interface'
import type { ProtocolComponents } from '../wire/bulk-acceptor.ts'
import { ControlStream } from '../wire/control-stream.ts'
import { GOSSIP_BYTES_MAX, type GossipPubsub, GossipTopic, type GossipVerdict } from '../wire/gossip-topic.ts'
import { asWireError } from '../wire/stream-life.ts'
import { openExchange, pullEntries } from './client.ts'
import { LEDGER_PROTOCOL, LEDGER_STREAMS_MAX, ledgerTopic } from './constants.ts'
import { BYTES_CODEC, batchHeads } from './exchange.ts'
import { type EntryRange, encodeGossip, type ForkProof, type GossipMessage, parseGossip } from './messages.ts'
import { serveLedger } from './server.ts'
import type { FeedHead, LedgerHandler, LedgerService } from './types.ts'

/** What the service needs of libp2p; `pubsub` is the node's gossipsub service of that name. */
export interface LedgerComponents extends ProtocolComponents {
  readonly peerId: PeerId
  readonly pubsub: GossipPubsub
  readonly logger: ComponentLogger
}

/** Options of the service. */
export interface LedgerInit {
  /** Public id of the swarm; scopes the gossip topic. */
  readonly swarmId: string
}

/** The ledger protocol as a libp2p service. Owns the subscription; moves bytes, and checks no signatures of entries. */
export class Ledger implements LedgerService, Startable {
  readonly [Symbol.toStringTag] = '@swarm/ledger'
  readonly [serviceDependencies]: string[] = ['@libp2p/pubsub']
  readonly #components: LedgerComponents
  readonly #log: Logger
  readonly #self: string
  readonly #topicName: string
  #topic: GossipTopic | undefined
  #handler: LedgerHandler | undefined

  constructor(components: LedgerComponents, init: LedgerInit) {
    this.#components = components
    this.#log = components.logger.forComponent('swarm:ledger')
    this.#self = components.peerId.toString()
    this.#topicName = ledgerTopic(init.swarmId)
  }

  async start(): Promise<void> {
    await this.#components.registrar.handle(
      LEDGER_PROTOCOL,
      (stream, connection) => this.#onStream(stream, connection),
      {
        maxInboundStreams: LEDGER_STREAMS_MAX,
        maxOutboundStreams: LEDGER_STREAMS_MAX,
        runOnLimitedConnection: false
      }
    )
  }

  /** Services start side by side; only now is gossipsub known to run, and to exist. */
  afterStart(): void {
    this.#topic = new GossipTopic(this.#components.pubsub, this.#topicName, (data, from) => this.#onGossip(data, from))
    this.#topic.start()
  }

  beforeStop(): void {
    this.#topic?.stop()
    this.#topic = undefined
  }

  async stop(): Promise<void> {
    await this.#components.registrar.unhandle(LEDGER_PROTOCOL)
  }

  setHandler(handler: LedgerHandler | undefined): void {
    this.#handler = handler
  }

  async publishHeads(heads: readonly FeedHead[]): Promise<number> {
    const counts: number[] = []
    for (const batch of batchHeads(heads)) counts.push(await this.#publish({ type: 'heads', heads: batch }))
    return counts.length === 0 ? 0 : Math.min(...counts)
  }

  async publishForkProof(proof: ForkProof): Promise<number> {
    return await this.#publish({ type: 'fork', proof })
  }

  async exchange(connection: Connection, options: { signal: AbortSignal }): Promise<readonly FeedHead[]> {
    const handler = this.#handler
    const { heads, forkProofs } = await openExchange(connection, handler, options)
    for (const proof of forkProofs) handler?.onForkProof(proof, connection.remotePeer)
    return heads
  }

  pull(connection: Connection, range: EntryRange, options: { signal: AbortSignal }): AsyncIterable<Uint8Array> {
    return pullEntries(connection, range, options)
  }

  async #publish(message: GossipMessage): Promise<number> {
    const bytes = encodeGossip(message)
    if (bytes.byteLength > GOSSIP_BYTES_MAX) return 0
    return (await this.#topic?.publish(bytes)) ?? 0
  }

  #onStream(stream: Stream, connection: Connection): void {
    const control = new ControlStream(stream, BYTES_CODEC)
    serveLedger(control, connection.remotePeer, this.#handler).catch((error) => {
      this.#log.error('ledger stream of %p failed - %e', connection.remotePeer, error)
      control.abort(asWireError(error))
    })
  }

  #onGossip(data: Uint8Array, from: PeerId): GossipVerdict {
    if (from.toString() === this.#self) return 'ignore'
    try {
      this.#take(parseGossip(data), from)
      return 'accept'
    } catch (error) {
      this.#log.error('ledger gossip from %p refused - %e', from, error)
      return 'reject'
    }
  }

  /** An error of the handler is no fault of the sender. */
  #take(message: GossipMessage, from: PeerId): void {
    try {
      if (message.type === 'heads') this.#handler?.onHeads(message.heads, from)
      else this.#handler?.onForkProof(message.proof, from)
    } catch (error) {
      this.#log.error('the handler for ledger gossip failed - %e', error)
    }
  }
}
