import { setImmediate as immediate } from 'node:timers/promises'
import { type GossipSub, gossipsub, type PublishResult } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type FeedHead,
  LEDGER_PROTOCOL,
  type LedgerHandler,
  type LedgerService,
  ledgerService,
  ledgerTopic
} from '../../../protocols/ledger/index.ts'
import {
  encodeAsk,
  encodeEntries,
  encodeExchange,
  encodeRefusal,
  parseEntries
} from '../../../protocols/ledger/messages.ts'
import { LedgerRequest } from '../../../protocols/ledger/pb/ledger.ts'
import { ControlStream } from '../../../protocols/wire/control-stream.ts'
import type { GossipPubsub } from '../../../protocols/wire/gossip-topic.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'

type Services = { ledger: LedgerService; pubsub: GossipSub; identify: Identify }
type Proof = readonly [Uint8Array, Uint8Array]

const SWARM = 'test-swarm'
const AUTHOR = '12D3KooWAuthor'
const { signal } = new AbortController()
const BYTES = { decode: (bytes: Uint8Array) => bytes, encode: (bytes: Uint8Array) => bytes }
let pair: NodePair<Services>
let here: FakeStore
let there: FakeStore

class FakeStore implements LedgerHandler {
  mine: FeedHead[] = []
  feed: Uint8Array[] = []
  proofs: Proof[] = []
  readonly reads: number[] = []
  readonly headsFrom = Promise.withResolvers<{ heads: readonly FeedHead[]; from: string }>()
  readonly forkFrom = Promise.withResolvers<{ proof: Proof; from: string }>()

  heads(): readonly FeedHead[] {
    return this.mine
  }

  entries(_author: string, from: number, limit: number): readonly Uint8Array[] {
    this.reads.push(from)
    return this.feed.slice(from - 1, from - 1 + limit)
  }

  forkProofs(): readonly Proof[] {
    return this.proofs
  }

  onHeads(heads: readonly FeedHead[], from: PeerId): void {
    this.headsFrom.resolve({ heads, from: from.toString() })
  }

  onForkProof(proof: Proof, from: PeerId): void {
    this.forkFrom.resolve({ proof, from: from.toString() })
  }
}

beforeAll(async () => {
  pair = await connectNodes<Services>({
    identify: identify(),
    pubsub: gossipsub({ floodPublish: true }),
    ledger: ledgerService({ swarmId: SWARM })
  })
  await subscribed(pair.listener.services.pubsub)
})
afterAll(() => pair.stop())

beforeEach(() => {
  here = new FakeStore()
  there = new FakeStore()
  pair.dialer.services.ledger.setHandler(here)
  pair.listener.services.ledger.setHandler(there)
})

/** Gossipsub says that a peer subscribed before it can send to it: what tells is a message that gets a recipient. */
async function subscribed(pubsub: GossipPubsub): Promise<void> {
  const probe = (): Promise<PublishResult> =>
    pubsub.publish(ledgerTopic(SWARM), Uint8Array.of(255), { allowPublishToZeroTopicPeers: true })
  while ((await probe()).recipients.length === 0) await immediate()
}

const head = (sequence: number): FeedHead => ({ author: AUTHOR, sequence, hash: new Uint8Array(32).fill(sequence) })
const heads = (count: number): FeedHead[] => Array.from({ length: count }, (_, index) => head(index + 1))
const envelope = (fill: number, byteLength = 700): Uint8Array => new Uint8Array(byteLength).fill(fill)
const openRaw = async () =>
  new ControlStream<Uint8Array, Uint8Array>(await pair.connection.newStream(LEDGER_PROTOCOL), BYTES)

describe('by gossip', () => {
  test('heads reach the other peers', async () => {
    expect(await pair.listener.services.ledger.publishHeads([head(4)])).toBe(1)
    const { heads: received, from } = await here.headsFrom.promise
    expect(received).toEqual([head(4)])
    expect(from).toBe(pair.listener.peerId.toString())
  })

  test('more heads than fit go in several messages', async () => {
    expect(await pair.listener.services.ledger.publishHeads(heads(100))).toBe(1)
    expect((await here.headsFrom.promise).heads).toHaveLength(80)
  })

  test('a fork proof reaches the other peers, after garbage was dropped', async () => {
    await pair.listener.services.pubsub.publish(ledgerTopic(SWARM), Uint8Array.of(9, 9, 9))
    expect(await pair.listener.services.ledger.publishForkProof([envelope(1), envelope(2)])).toBe(1)
    expect((await here.forkFrom.promise).proof).toEqual([envelope(1), envelope(2)])
  })

  test('a fork proof that is too long for gossip is handed to nobody', async () => {
    expect(await pair.listener.services.ledger.publishForkProof([envelope(1, 10_000), envelope(2, 10_000)])).toBe(0)
  })
})

describe('an exchange', () => {
  const exchange = () => pair.dialer.services.ledger.exchange(pair.connection, { signal })

  test('carries heads and fork proofs both ways', async () => {
    here.mine = [head(1)]
    there.mine = heads(200)
    here.proofs = [[envelope(1, 60_000), envelope(2, 60_000)]]
    there.proofs = [[envelope(3), envelope(4)]]
    expect(await exchange()).toEqual(heads(200))
    expect((await there.headsFrom.promise).heads).toEqual([head(1)])
    expect((await there.forkFrom.promise).proof).toEqual(here.proofs[0])
    expect((await here.forkFrom.promise).proof).toEqual(there.proofs[0])
  })

  test('sends no more than its limits', async () => {
    there.mine = heads(5_000).map((one) => ({ ...one, sequence: one.sequence + 1 }))
    there.proofs = Array.from({ length: 9 }, () => [envelope(1), envelope(2)] as const)
    expect(await exchange()).toHaveLength(4_096)
  })

  test('with a peer that holds no ledger yields nothing', async () => {
    pair.listener.services.ledger.setHandler(undefined)
    expect(await exchange()).toEqual([])
  })

  test.each([
    [
      'heads without end',
      'LIMIT_EXCEEDED',
      Array.from({ length: 52 }, () => encodeExchange({ type: 'heads', heads: heads(80) }))
    ],
    [
      'half a fork proof',
      'MESSAGE_MALFORMED',
      [encodeExchange({ type: 'fork-entry', entry: envelope(1) }), encodeExchange({ type: 'end' })]
    ],
    ['garbage', 'MESSAGE_MALFORMED', [Uint8Array.of(255)]],
    ['no end', 'STREAM_ENDED', [encodeExchange({ type: 'heads', heads: heads(1) })]]
  ])('is refused with %s', async (_name, code, messages) => {
    const restore = await impersonate(messages)
    await expect(exchange()).rejects.toMatchObject({ code })
    await restore()
  })
})

describe('a pull', () => {
  const pull = async (from: number, to: number): Promise<Uint8Array[]> => {
    const taken: Uint8Array[] = []
    for await (const entry of pair.dialer.services.ledger.pull(
      pair.connection,
      { author: AUTHOR, from, to },
      { signal }
    )) {
      taken.push(entry)
    }
    return taken
  }

  test('brings a range in order', async () => {
    there.feed = Array.from({ length: 500 }, (_, index) => envelope(index % 251, 100 + index))
    expect(await pull(2, 400)).toEqual(there.feed.slice(1, 400))
  })

  test('brings entries of full length, in several answers', async () => {
    there.feed = Array.from({ length: 20 }, (_, index) => envelope(index, 61_440))
    expect(await pull(1, 20)).toEqual(there.feed)
    expect(there.reads).toContain(9)
  })

  test('ends early when the other side has no more', async () => {
    there.feed = [envelope(1), envelope(2)]
    expect(await pull(2, 50)).toEqual([envelope(2)])
    expect(await pull(7, 9)).toEqual([])
  })

  test('may be left off', async () => {
    there.feed = Array.from({ length: 100 }, (_, index) => envelope(index))
    for await (const entry of pair.dialer.services.ledger.pull(
      pair.connection,
      { author: AUTHOR, from: 1, to: 100 },
      { signal }
    )) {
      expect(entry).toEqual(envelope(0))
      break
    }
    expect(await pull(1, 1)).toEqual([envelope(0)])
  })

  test('of a range that cannot be is refused, here and there', async () => {
    await expect(pull(3, 2)).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.rangeInvalid })
    const control = await openRaw()
    control.send(LedgerRequest.encode({ pull: { author: AUTHOR, from: 3, to: 2 } }))
    const answer = await control.read({ signal })
    expect(() => parseEntries(answer ?? new Uint8Array(0))).toThrow(
      expect.objectContaining({ refusal: RefusalCode.rangeInvalid })
    )
    await control.close()
  })

  test.each([
    [
      'more entries than asked for',
      'LIMIT_EXCEEDED',
      [encodeEntries({ entries: [envelope(1), envelope(2)], last: true })]
    ],
    ['an empty part', 'MESSAGE_MALFORMED', [encodeEntries({ entries: [], last: false })]],
    ['a refusal', 'REFUSED', [encodeRefusal(RefusalCode.busy)]],
    ['no last part', 'STREAM_ENDED', [encodeEntries({ entries: [envelope(1)], last: false })]]
  ])('fails on %s', async (_name, code, messages) => {
    const restore = await impersonate(messages)
    await expect(pull(1, 1)).rejects.toMatchObject({ code })
    await restore()
  })
})

describe('a stream is reset when the other side', () => {
  test.each([
    ['sends garbage', [Uint8Array.of(255, 255)]],
    [
      'asks for an exchange after a pull',
      [encodeAsk({ type: 'pull', author: AUTHOR, from: 1, to: 1 }), encodeAsk({ type: 'exchange' })]
    ],
    ['says something else in an exchange', [encodeAsk({ type: 'exchange' }), Uint8Array.of(255)]]
  ])('%s', async (_name, messages) => {
    const control = await openRaw()
    for (const message of messages) control.send(message)
    const drain = async (): Promise<void> => {
      for await (const _message of control.messages({ signal }));
    }
    await expect(drain()).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })
})

/** Lets the listener answer any request with these messages. @returns what puts the service back */
async function impersonate(messages: readonly Uint8Array[]): Promise<() => Promise<void>> {
  await pair.listener.handle(
    LEDGER_PROTOCOL,
    async (stream) => {
      const control = new ControlStream<Uint8Array, Uint8Array>(stream, BYTES)
      await control.read({ signal })
      for (const message of messages) control.send(message)
      await control.close()
    },
    { force: true }
  )
  const service = pair.listener.services.ledger as LedgerService & { start(): Promise<void> }
  return async () => {
    await pair.listener.unhandle(LEDGER_PROTOCOL)
    await service.start()
  }
}
