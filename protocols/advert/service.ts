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
import { type GossipPubsub, GossipTopic, type GossipVerdict } from '../wire/gossip-topic.ts'
import { asWireError } from '../wire/stream-life.ts'
import { BYTES_CODEC, pullAdverts } from './client.ts'
import { ADVERT_PROTOCOL, ADVERT_STREAMS_MAX, advertTopic } from './constants.ts'
import { FreshnessTable } from './freshness.ts'
import { encodeAdvert, parseAdvert } from './messages.ts'
import { answerPull } from './server.ts'
import type { Advert, AdvertService, ReceivedAdvert } from './types.ts'

/** What the service needs of libp2p; `pubsub` is the node's gossipsub service of that name. */
export interface AdvertComponents extends ProtocolComponents {
  readonly peerId: PeerId
  readonly pubsub: GossipPubsub
  readonly logger: ComponentLogger
}

/** Options of the service. */
export interface AdvertInit {
  /** Public id of the swarm; scopes the gossip topic. */
  readonly swarmId: string
}

/** The advert protocol as a libp2p service. Owns the subscription and what is known of each job's newest advert. */
export class Adverts implements AdvertService, Startable {
  readonly [Symbol.toStringTag] = '@swarm/advert'
  readonly [serviceDependencies]: string[] = ['@libp2p/pubsub']
  readonly #components: AdvertComponents
  readonly #log: Logger
  readonly #self: string
  readonly #topicName: string
  readonly #freshness = new FreshnessTable()
  #topic: GossipTopic | undefined
  #source: () => readonly Advert[] = () => []
  #listener: ((received: ReceivedAdvert) => void) | undefined

  constructor(components: AdvertComponents, init: AdvertInit) {
    this.#components = components
    this.#log = components.logger.forComponent('swarm:advert')
    this.#self = components.peerId.toString()
    this.#topicName = advertTopic(init.swarmId)
  }

  async start(): Promise<void> {
    await this.#components.registrar.handle(ADVERT_PROTOCOL, (stream) => this.#onStream(stream), {
      maxInboundStreams: ADVERT_STREAMS_MAX,
      maxOutboundStreams: ADVERT_STREAMS_MAX,
      runOnLimitedConnection: true
    })
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
    await this.#components.registrar.unhandle(ADVERT_PROTOCOL)
  }

  setSource(source: () => readonly Advert[]): void {
    this.#source = source
  }

  setListener(listener: (received: ReceivedAdvert) => void): void {
    this.#listener = listener
  }

  async publish(advert: Advert): Promise<number> {
    const bytes = encodeAdvert(advert, this.#self)
    return (await this.#topic?.publish(bytes)) ?? 0
  }

  async pull(connection: Connection, options: { signal: AbortSignal }): Promise<readonly ReceivedAdvert[]> {
    const received = await pullAdverts(connection, options)
    for (const one of received) this.#take(one)
    return received
  }

  #onStream(stream: Stream): void {
    const control = new ControlStream(stream, BYTES_CODEC)
    answerPull(control, this.#source, this.#self).catch((error) => {
      this.#log.error('pull of adverts failed - %e', error)
      control.abort(asWireError(error))
    })
  }

  #onGossip(data: Uint8Array, from: PeerId): GossipVerdict {
    const sender = from.toString()
    if (sender === this.#self) return 'ignore'
    try {
      return this.#take({ advert: parseAdvert(data, sender), from })
    } catch (error) {
      this.#log.error('advert from %p refused - %e', from, error)
      return 'reject'
    }
  }

  /** Tells the listener when the advert is new. An error of the listener is no fault of the sender. */
  #take(received: ReceivedAdvert): GossipVerdict {
    if (this.#listener === undefined) return 'accept'
    const freshness = this.#freshness.note(received.advert)
    if (freshness === 'stale') return 'ignore'
    if (freshness === 'current') return 'accept'
    try {
      this.#listener(received)
    } catch (error) {
      this.#log.error('the listener for adverts failed - %e', error)
    }
    return 'accept'
  }
}
