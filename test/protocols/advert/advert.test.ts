import { setImmediate as immediate } from 'node:timers/promises'
import { type GossipSub, gossipsub, type PublishResult } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ADVERT_PROTOCOL,
  type AdvertService,
  advertService,
  advertTopic,
  type ReceivedAdvert
} from '../../../protocols/advert/index.ts'
import { encodeAdvert, encodeAdvertCount } from '../../../protocols/advert/messages.ts'
import type { Advert } from '../../../protocols/advert/types.ts'
import { ControlStream } from '../../../protocols/wire/control-stream.ts'
import type { GossipPubsub } from '../../../protocols/wire/gossip-topic.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'
import { advert } from './advert-fixtures.ts'

type Services = { advert: AdvertService; pubsub: GossipSub; identify: Identify }

const SWARM = 'test-swarm'
const { signal } = new AbortController()
let pair: NodePair<Services>
let submitter: string
const heard = new Set<(received: ReceivedAdvert) => void>()

beforeAll(async () => {
  pair = await connectNodes<Services>({
    identify: identify(),
    pubsub: gossipsub({ floodPublish: true }),
    advert: advertService({ swarmId: SWARM })
  })
  submitter = pair.listener.peerId.toString()
  pair.dialer.services.advert.setListener((received) => {
    for (const listener of heard) listener(received)
  })
  await subscribed(pair.listener.services.pubsub)
})
afterAll(() => pair.stop())

/** Gossipsub says that a peer subscribed before it can send to it: what tells is a message that gets a recipient. */
async function subscribed(pubsub: GossipPubsub): Promise<void> {
  const probe = (): Promise<PublishResult> =>
    pubsub.publish(advertTopic(SWARM), Uint8Array.of(255), { allowPublishToZeroTopicPeers: true })
  while ((await probe()).recipients.length === 0) await immediate()
}

/** The next advert that the dialer's listener hears of a job. */
function hears(jobId: string): Promise<ReceivedAdvert> {
  const next = Promise.withResolvers<ReceivedAdvert>()
  const listener = (received: ReceivedAdvert): void => {
    if (received.advert.jobId === jobId) next.resolve(received)
  }
  heard.add(listener)
  return next.promise.finally(() => heard.delete(listener))
}

const job = (letter: string): string => letter.repeat(26)

describe('by gossip', () => {
  test('an advert reaches the other peers, and its publisher learns how many', async () => {
    const mine = advert(submitter, { jobId: job('a') })
    const arrived = hears(mine.jobId)
    expect(await pair.listener.services.advert.publish(mine)).toBe(1)
    const { advert: received, from } = await arrived
    expect(received).toEqual(mine)
    expect(from.toString()).toBe(submitter)
  })

  test('a forged, a malformed and a stale advert are dropped', async () => {
    const received: number[] = []
    const listener = (one: ReceivedAdvert): void => {
      received.push(one.advert.sequence)
    }
    heard.add(listener)
    const { pubsub, advert: adverts } = pair.listener.services
    const mine = (sequence: number): Advert => advert(submitter, { jobId: job('b'), sequence })
    const last = new Promise<void>((resolve) => {
      heard.add((one) => {
        if (one.advert.sequence === 6) resolve()
      })
    })
    const victim = pair.dialer.peerId.toString()
    await adverts.publish(mine(5))
    await pubsub.publish(advertTopic(SWARM), encodeAdvert(advert(victim, { jobId: job('b'), sequence: 100 }), victim))
    await pubsub.publish(advertTopic(SWARM), Uint8Array.of(1, 2, 3))
    await pubsub.publish(advertTopic(SWARM), new Uint8Array(20_000))
    await adverts.publish(mine(4))
    await adverts.publish(mine(5))
    await adverts.publish(mine(6))
    await last
    heard.delete(listener)
    expect(received).toEqual([5, 6])
  })

  test('a peer publishes no advert in the name of another', async () => {
    const other = advert(pair.dialer.peerId.toString())
    await expect(pair.listener.services.advert.publish(other)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
})

describe('by pull', () => {
  const pull = () => pair.dialer.services.advert.pull(pair.connection, { signal })

  test('all adverts come, and the listener hears the fresh ones', async () => {
    const jobs = [job('c'), job('d')].map((jobId) => advert(submitter, { jobId, params: new Uint8Array(8_000) }))
    pair.listener.services.advert.setSource(() => jobs)
    const arrived = hears(job('d'))
    expect((await pull()).map((received) => received.advert)).toEqual(jobs)
    await arrived
    let again = 0
    const count = (): void => {
      again += 1
    }
    heard.add(count)
    expect(await pull()).toHaveLength(2)
    heard.delete(count)
    expect(again).toBe(0)
  })

  test('at most 64 come', async () => {
    const one = advert(submitter, { jobId: job('e') })
    pair.listener.services.advert.setSource(() => Array.from({ length: 70 }, () => one))
    expect(await pull()).toHaveLength(64)
  })

  test('a peer without jobs answers with none', async () => {
    pair.listener.services.advert.setSource(() => [])
    expect(await pull()).toEqual([])
  })

  test('a peer that says anything in its pull is reset', async () => {
    const stream = await pair.connection.newStream(ADVERT_PROTOCOL)
    const control = new ControlStream<Uint8Array, Uint8Array>(stream, { decode: (b) => b, encode: (b) => b })
    control.send(Uint8Array.of(1))
    await expect(control.read({ signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test.each([
    [
      'an advert of another peer',
      'SIGNATURE_INVALID',
      [encodeAdvertCount(1), encodeAdvert(advert('QmOther'), 'QmOther')]
    ],
    ['fewer adverts than announced', 'STREAM_ENDED', [encodeAdvertCount(1)]],
    ['garbage', 'MESSAGE_MALFORMED', [Uint8Array.of(8)]],
    ['too many adverts', 'MESSAGE_MALFORMED', [Uint8Array.of(8, 65)]]
  ])('%s is refused', async (_name, code, messages) => {
    await pair.listener.unhandle(ADVERT_PROTOCOL)
    await pair.listener.handle(ADVERT_PROTOCOL, async (stream) => {
      const control = new ControlStream<Uint8Array, Uint8Array>(stream, { decode: (b) => b, encode: (b) => b })
      await control.read({ signal })
      for (const message of messages) control.send(message)
      await control.close()
    })
    await expect(pull()).rejects.toMatchObject({ code })
  })
})
