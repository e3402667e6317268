import { describe, expect, test } from 'vitest'
import { deriveSwarmKeys } from '../../src/network/swarm-keys.ts'

const secret = Uint8Array.from({ length: 32 }, (_, index) => index)

describe('swarm keys', () => {
  test('are the same on every machine and release', () => {
    const keys = deriveSwarmKeys(secret)
    expect({ ...keys, noisePrologue: hex(keys.noisePrologue), rendezvousDigest: hex(keys.rendezvousDigest) }).toEqual({
      advertTopic: '/swarm/5axf3wma6erfworvd3oal6b4ty/advert/1',
      kadProtocol: '/swarm/5axf3wma6erfworvd3oal6b4ty/kad/1.0.0',
      ledgerTopic: '/swarm/5axf3wma6erfworvd3oal6b4ty/ledger/1',
      mdnsServiceTag: '_5axf3wma6erfworvd3oal6b4ty._swarm._udp.local',
      noisePrologue: 'c3734f1229393775f244a95941097f2846b7cc85fa571a8acde906ba0f61a092',
      rendezvousDigest: '02d31deab0230c0083fd8c8d026645f68fe49e93960aa0d955b46d39a96e7501',
      swarmId: '5axf3wma6erfworvd3oal6b4ty'
    })
  })

  test('have nothing in common with those of another swarm or with each other', () => {
    const keys = deriveSwarmKeys(secret)
    const other = deriveSwarmKeys(secret.map((byte) => byte ^ 1))
    const all = [keys, other].flatMap((each) => [each.swarmId, hex(each.noisePrologue), hex(each.rendezvousDigest)])
    expect(new Set(all).size).toBe(6)
  })

  test('scope every public name by the swarm id', () => {
    const { swarmId, ...keys } = deriveSwarmKeys(secret)
    expect(swarmId).toMatch(/^[a-z2-7]{26}$/)
    for (const name of [keys.advertTopic, keys.ledgerTopic, keys.kadProtocol, keys.mdnsServiceTag]) {
      expect(name).toContain(swarmId)
    }
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
