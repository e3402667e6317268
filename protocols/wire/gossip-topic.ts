import { type GossipSub, type Message, type PublishResult, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'

/** What becomes of a gossip message: `accept` passes it on, `ignore` drops it, `reject` also counts against its sender. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/** The part of gossipsub that is used here; the libp2p service named `pubsub`. */
export interface GossipPubsub extends Pick<GossipSub, 'topicValidators' | 'subscribe' | 'unsubscribe'> {
  /** Gossipsub takes the option, though its interface leaves it out; without it, nobody to hand to is an error. */
  publish(
    topic: string,
    data: Uint8Array,
    options: { readonly allowPublishToZeroTopicPeers: boolean }
  ): Promise<PublishResult>
}

/** Longest gossip message, in bytes; longer ones reach nobody, without an error. @see LIBP2P.md */
export const GOSSIP_BYTES_MAX = 16_384

const VERDICTS: Readonly<Record<GossipVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

/**
 * One gossip topic. Messages are taken in the validator, not in an event after it: so what is forged or malformed is
 * not passed on either. Driven by the service that owns it.
 */
export class GossipTopic {
  readonly #pubsub: GossipPubsub
  readonly #topic: string
  readonly #onMessage: (data: Uint8Array, from: PeerId) => GossipVerdict

  /** @param onMessage must not throw; `from` is the proven author of `data` */
  constructor(pubsub: GossipPubsub, topic: string, onMessage: (data: Uint8Array, from: PeerId) => GossipVerdict) {
    this.#pubsub = pubsub
    this.#topic = topic
    this.#onMessage = onMessage
  }

  /** Subscribes; gossipsub must be started. */
  start(): void {
    this.#pubsub.topicValidators.set(this.#topic, (_propagator, message) => VERDICTS[this.#judge(message)])
    this.#pubsub.subscribe(this.#topic)
  }

  stop(): void {
    this.#pubsub.unsubscribe(this.#topic)
    this.#pubsub.topicValidators.delete(this.#topic)
  }

  /** @returns the number of peers that it was handed to. */
  async publish(data: Uint8Array): Promise<number> {
    const { recipients } = await this.#pubsub.publish(this.#topic, data, { allowPublishToZeroTopicPeers: true })
    return recipients.length
  }

  /** Gossipsub has verified the signature of a signed message, which is by `from`; it hands out views of its buffers. */
  #judge(message: Message): GossipVerdict {
    if (message.type !== 'signed' || message.data.byteLength > GOSSIP_BYTES_MAX) return 'reject'
    return this.#onMessage(new Uint8Array(message.data), message.from)
  }
}
