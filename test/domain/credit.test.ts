import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../src/domain/bytes.ts'
import { type PeerCredit, rankPeers } from '../../src/domain/credit.ts'
import { GENESIS_HASH, placeEntry } from '../../src/domain/feed.ts'
import { peerName } from '../../src/domain/ids.ts'
import { canEarn, earnsBefore } from '../../src/domain/ledger.ts'

function peer(name: string, units: Record<string, number>): PeerCredit {
  return {
    peerId: peerName(name),
    name,
    chunks: 1,
    jobs: 1,
    units: Object.entries(units).map(([unit, amount]) => ({ unit, units: amount, chunks: 1 })),
    computeMs: 1,
    bytesIn: 1,
    bytesOut: 1,
    lastSeenMs: 1,
    verifications: []
  }
}

function medals(peers: readonly PeerCredit[]): string[] {
  return rankPeers(peers).map(({ name, units }) => `${name} ${units.map(({ medal }) => medal ?? '-').join(' ')}`)
}

describe('medals', () => {
  test('go to the first three by each unit', () => {
    const peers = [
      peer('d', { samples: 1 }),
      peer('b', { samples: 30 }),
      peer('c', { samples: 20 }),
      peer('a', { samples: 40 })
    ]
    expect(medals(peers)).toEqual(['a gold', 'b silver', 'c bronze', 'd -'])
  })

  test('are shared by equals, and the place after them stays empty', () => {
    const peers = ['a', 'b', 'c', 'd'].map((name, index) => peer(name, { samples: [9, 9, 5, 5][index] ?? 0 }))
    expect(medals(peers)).toEqual(['a gold', 'b gold', 'c bronze', 'd bronze'])
  })

  test('are given for each unit apart, and none for nothing', () => {
    const peers = [peer('b', { samples: 9, flops: 1 }), peer('a', { flops: 5 }), peer('c', { samples: 0 })]
    expect(medals(peers)).toEqual(['b gold silver', 'a gold', 'c -'])
  })

  test('do not depend on the order of the peers', () => {
    const peers = ['a', 'b', 'c', 'd', 'e'].map((name, index) => peer(name, { samples: index % 3, flops: index % 2 }))
    fc.assert(
      fc.property(fc.shuffledSubarray(peers, { minLength: 5 }), (order) => {
        expect(medals(order)).toEqual(medals(peers))
      })
    )
  })
})

describe('earning order', () => {
  const hash = fc.uint8Array({ minLength: 2, maxLength: 2 })
  const receipt = fc.record({ acceptedAtMs: fc.nat(3), hash })

  test('is total: of two different receipts exactly one earns', () => {
    fc.assert(
      fc.property(receipt, receipt, (left, right) => {
        const same = left.acceptedAtMs === right.acceptedAtMs && compareBytes(left.hash, right.hash) === 0
        expect(Number(earnsBefore(left, right)) + Number(earnsBefore(right, left))).toBe(same ? 0 : 1)
      })
    )
  })

  test('compares bytes as numbers, and a prefix first', () => {
    expect(compareBytes(Uint8Array.of(2), Uint8Array.of(200))).toBeLessThan(0)
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0)
  })

  test('knows no credit for work done for oneself', () => {
    expect(canEarn({ submitter: peerName('a'), worker: peerName('a') })).toBe(false)
    expect(canEarn({ submitter: peerName('a'), worker: peerName('b') })).toBe(true)
  })
})

describe('place of an entry', () => {
  const hash = new Uint8Array(32).fill(1)
  test.each([
    [undefined, { sequence: 1, previousHash: GENESIS_HASH }, 'next'],
    [undefined, { sequence: 1, previousHash: hash }, 'other-branch'],
    [undefined, { sequence: 2, previousHash: hash }, 'gap'],
    [{ sequence: 4, hash }, { sequence: 5, previousHash: hash }, 'next'],
    [{ sequence: 4, hash }, { sequence: 5, previousHash: GENESIS_HASH }, 'other-branch'],
    [{ sequence: 4, hash }, { sequence: 6, previousHash: hash }, 'gap'],
    [{ sequence: 4, hash }, { sequence: 4, previousHash: hash }, 'known']
  ])('after %j of %j is %s', (head, entry, place) => {
    expect(placeEntry(head, entry)).toBe(place)
  })
})
