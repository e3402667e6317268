import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { PEER_ADDRESSES_MAX, PEERS_MAX, PeerStore } from '../../src/store/peer-store.ts'

describe('remembered peers', () => {
  test('keep their best addresses, last name and the time they were seen', () => {
    const peers = new PeerStore(openDatabase(''))
    const addresses = Array.from({ length: PEER_ADDRESSES_MAX + 4 }, (_, index) => `/ip4/10.0.0.${index}/tcp/1`)
    peers.remember({ peerId: 'a', name: 'ann', addresses: [...addresses, ...addresses], seenAtMs: 10 })
    peers.remember({ peerId: 'a', addresses: [], seenAtMs: 5 })
    expect(peers.get('a')).toEqual({
      peerId: 'a',
      name: 'ann',
      addresses: addresses.slice(0, PEER_ADDRESSES_MAX),
      lastSeenMs: 10,
      jobs: 0,
      speeds: {}
    })
    peers.remember({ peerId: 'b', name: 'bob', addresses: ['/ip4/10.0.1.1/tcp/2'], seenAtMs: 20 })
    expect(peers.list().map(({ peerId }) => peerId)).toEqual(['b', 'a'])
    expect(peers.list(1)).toHaveLength(1)
    peers.forget('b')
    expect(peers.get('b')).toBeUndefined()
  })

  test('have speeds that follow what was measured, and nothing absurd', () => {
    const peers = new PeerStore(openDatabase(''))
    peers.remember({ peerId: 'a', addresses: [], seenAtMs: 1 })
    peers.addJob('a', { invert: 100 })
    peers.addJob('a', { invert: 300, matrix: 7, wav: Number.NaN, silence: 0 })
    peers.addJob('unknown', { invert: 1 })
    expect(peers.get('a')).toMatchObject({ jobs: 2, speeds: { invert: 200, matrix: 7 } })
    expect(peers.get('unknown')).toBeUndefined()
  })

  test('are bounded: the ones not seen for longest are forgotten', () => {
    const database = openDatabase('')
    const peers = new PeerStore(database)
    database.transaction(
      () => {
        for (let index = 0; index < PEERS_MAX + 3; index++) {
          peers.remember({ peerId: `peer ${index}`, addresses: [], seenAtMs: index })
        }
      },
      { durable: false }
    )
    expect(peers.list(PEERS_MAX + 10)).toHaveLength(PEERS_MAX)
    expect(peers.get('peer 2')).toBeUndefined()
    expect(peers.get('peer 3')).toBeDefined()
  })
})
