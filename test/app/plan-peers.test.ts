import { describe, expect, test } from 'vitest'
import { type Candidate, LINK_ASSUMED, type PeerFacts, planPeer } from '../../src/app/plan-peers.ts'
import { openDatabase } from '../../src/store/database.ts'
import { MeasureStore } from '../../src/store/measure-store.ts'
import { PeerStore } from '../../src/store/peer-store.ts'

const ann: Candidate = { peerId: 'ann', name: 'Ann', address: '/ip4/192.0.2.7/tcp/1' }
const link = { bytesPerSecond: 5e6, latencyMs: 20 }

function facts(changes: Partial<PeerFacts> = {}): PeerFacts {
  const measures = new MeasureStore(openDatabase(''))
  const base = { inputBytes: 1e6, kernel: 'k', nsPerByte: 100, threads: 2, sinceMs: 0 }
  return { ...base, measured: new Map(), measures, remembered: () => undefined, ...changes }
}

describe('a peer of a plan', () => {
  test('of which nothing is known is assumed to be like this machine, and the plan says so', () => {
    expect(planPeer(ann, facts())).toEqual({
      peerId: 'ann',
      name: 'Ann',
      sameMachine: false,
      threads: 2,
      computeMs: 50,
      computeSource: 'assumed',
      linkBytesPerSecond: LINK_ASSUMED.bytesPerSecond,
      latencyMs: LINK_ASSUMED.latencyMs,
      linkSource: 'assumed'
    })
    expect(planPeer({ ...ann, threads: 4 }, facts())).toMatchObject({ threads: 4, computeMs: 25 })
  })

  test('has the kernel speed that earlier jobs showed', () => {
    const peers = new PeerStore(openDatabase(''))
    peers.remember({ peerId: 'ann', addresses: [], seenAtMs: 1 })
    peers.addJob('ann', { k: 1e6 })
    const remembered = (peerId: string) => peers.get(peerId)
    expect(planPeer(ann, facts({ remembered }))).toMatchObject({ computeMs: 1_000, computeSource: 'jobs' })
    expect(planPeer(ann, facts({ remembered, kernel: 'other' }))).toMatchObject({ computeSource: 'assumed' })
  })

  test('has the link that was measured, now rather than before', () => {
    const known = facts()
    const measures = new MeasureStore(openDatabase(''))
    measures.keepLink('ann', { ...link, measuredAtMs: 10 })
    expect(planPeer(ann, { ...known, measures })).toMatchObject({ linkBytesPerSecond: 5e6, linkSource: 'remembered' })
    expect(planPeer(ann, { ...known, measures, sinceMs: 11 }).linkSource).toBe('assumed')
    const measured = new Map([['ann', { ...link, bytesPerSecond: 7e6 }]])
    expect(planPeer(ann, { ...known, measures, measured })).toMatchObject({
      linkBytesPerSecond: 7e6,
      linkSource: 'measured'
    })
  })

  test('on this machine has no link to speak of', () => {
    const beside = planPeer({ ...ann, address: '/ip4/127.0.0.1/tcp/1' }, facts())
    expect(beside.sameMachine).toBe(true)
    expect(beside).not.toHaveProperty('linkSource')
  })
})
