import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { peerName } from '../../src/domain/ids.ts'
import { OperandHolders } from '../../src/domain/operand-holders.ts'

const ada = peerName('ada')
const bob = peerName('bob')
const eve = peerName('eve')
const BLOCK = 3

describe('who holds an operand', () => {
  test('names who has it before who is to have it, and never the asker', () => {
    const holders = new OperandHolders()
    holders.expect(ada, [BLOCK])
    holders.change(bob, { added: [BLOCK], dropped: [] })
    expect(holders.sources(BLOCK, eve, 8)).toEqual([bob, ada])
    expect(holders.sources(BLOCK, bob, 8)).toEqual([ada])
    expect(holders.sources(BLOCK + 1, eve, 8)).toEqual([])
  })

  test('names who was asked least so far among equals, and no more than are wanted', () => {
    const holders = new OperandHolders()
    for (const peer of [ada, bob]) holders.change(peer, { added: [BLOCK], dropped: [] })
    expect(holders.sources(BLOCK, eve, 1)).toEqual([ada])
    expect(holders.sources(BLOCK, eve, 1)).toEqual([bob])
  })

  test('of those who are to have it, names only those who were to before the asker', () => {
    const holders = new OperandHolders()
    for (const peer of [ada, bob, eve]) holders.expect(peer, [BLOCK])
    expect(holders.sources(BLOCK, ada, 8)).toEqual([])
    expect(holders.sources(BLOCK, bob, 8)).toEqual([ada])
    expect(new Set(holders.sources(BLOCK, eve, 8))).toEqual(new Set([ada, bob]))
    holders.change(eve, { added: [BLOCK], dropped: [] })
    expect(holders.sources(BLOCK, ada, 8)).toEqual([eve])
  })

  test('forgets a peer that lost its lease, dropped the block or left', () => {
    const holders = new OperandHolders()
    holders.expect(ada, [BLOCK])
    holders.change(bob, { added: [BLOCK], dropped: [] })
    holders.unexpect(ada, [BLOCK])
    holders.unexpect(bob, [BLOCK])
    expect(holders.sources(BLOCK, eve, 8)).toEqual([bob])
    holders.change(bob, { added: [], dropped: [BLOCK] })
    expect(holders.count(BLOCK)).toBe(0)
    holders.expect(ada, [BLOCK])
    holders.forget(ada)
    expect(holders.has(BLOCK, ada)).toBe(false)
  })

  test('lets nobody wait in a circle for a block that none of them has, whatever is granted in which order', () => {
    const peers = Array.from({ length: 6 }, (_, index) => peerName(`peer-${index}`))
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...peers), { minLength: 1, maxLength: 40 }), (grants) => {
        const holders = new OperandHolders()
        const waitsFor = new Map<string, Set<string>>()
        for (const peer of grants) {
          const named = waitsFor.get(peer) ?? new Set()
          for (const holder of holders.sources(BLOCK, peer, peers.length)) named.add(holder)
          waitsFor.set(peer, named)
          holders.expect(peer, [BLOCK])
        }
        const settled = new Set<string>()
        for (let before = -1; before < settled.size; ) {
          before = settled.size
          for (const [peer, named] of waitsFor) if ([...named].every((one) => settled.has(one))) settled.add(peer)
        }
        expect(settled.size).toBe(waitsFor.size)
      })
    )
  })
})
