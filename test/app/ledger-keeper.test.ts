import { describe, expect, test } from 'vitest'
import type { FeedHead, LedgerService } from '../../protocols/ledger/types.ts'
import { LedgerKeeper, type LedgerKeeperPorts } from '../../src/app/ledger-keeper.ts'
import { fakeConnection, fakePeerId } from '../support/fake-peer.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

function head(sequence: number, author = 'ann'): FeedHead {
  return { author, sequence, hash: new Uint8Array(32) }
}

function make() {
  const clock = new VirtualClock()
  const state = {
    known: 0,
    pulls: [] as string[],
    pullGate: Promise.resolve() as Promise<void>,
    told: 0,
    appended: 0,
    busy: false,
    handler: undefined as unknown,
    appendFailure: undefined as Error | undefined,
    publishFailure: undefined as Error | undefined
  }
  const troubles: string[] = []
  const service: LedgerService = {
    setHandler: (handler) => {
      state.handler = handler
    },
    publishHeads: async () => {
      if (state.publishFailure !== undefined) throw state.publishFailure
      return ++state.told
    },
    publishForkProof: async () => 0,
    exchange: async () => [],
    pull: async function* (_connection, { from, to }) {
      state.pulls.push(`${from}-${to}`)
      await state.pullGate
      state.known = Math.max(state.known, to)
      yield new Uint8Array(1)
    }
  }
  const store = {
    self: 'me',
    heads: () => [head(1, 'me')],
    entries: () => [],
    forkProofs: () => [],
    missing: (heads: readonly FeedHead[]) =>
      heads
        .filter(({ sequence }) => sequence > state.known)
        .map(({ author, sequence }) => ({ author, from: state.known + 1, to: sequence })),
    ingest: async () => ({}),
    ingestForkProof: async () => true,
    setListener: () => undefined,
    appendWaiting: async () => {
      if (state.appendFailure !== undefined) throw state.appendFailure
      state.appended++
    }
  }
  const ports: LedgerKeeperPorts = {
    service,
    // Only what the keeper calls; the real one owns a database.
    store: store as unknown as LedgerKeeperPorts['store'],
    clock,
    connectionTo: (peerId) => fakeConnection(peerId.toString()),
    connections: () => [],
    isBusy: () => state.busy,
    onTrouble: (message) => void troubles.push(message)
  }
  const keeper = new LedgerKeeper(ports)
  keeper.start()
  return { keeper, clock, state, troubles }
}

describe('the keeper of the ledger', () => {
  test('pulls what a peer tells, one pull from it at a time, and then what it told meanwhile', async () => {
    const { keeper, state } = make()
    const gate = Promise.withResolvers<void>()
    state.pullGate = gate.promise
    keeper.onHeads([head(2)], fakePeerId('ann'))
    await settle()
    keeper.onHeads([head(3)], fakePeerId('ann'))
    keeper.onHeads([head(5)], fakePeerId('ann'))
    await settle()
    expect(state.pulls).toEqual(['1-2'])
    gate.resolve()
    await settle()
    expect(state.pulls).toEqual(['1-2', '3-5'])
    await keeper.stop()
  })

  test('pulls what is told while it works once the work is over, the newest of each author', async () => {
    const { keeper, clock, state } = make()
    state.busy = true
    keeper.onHeads([head(2)], fakePeerId('ann'))
    keeper.onHeads([head(5)], fakePeerId('ann'))
    await clock.advance(3_000)
    expect(state.pulls).toEqual([])
    state.busy = false
    await clock.advance(1_000)
    expect(state.pulls).toEqual(['1-5'])
    await keeper.stop()
  })

  test('keeps its ledger in step though its work never ends', async () => {
    const { keeper, clock, state } = make()
    state.busy = true
    keeper.onHeads([head(2)], fakePeerId('ann'))
    await clock.advance(61_000)
    expect(state.pulls).toEqual(['1-2'])
    await keeper.stop()
    expect(clock.sleeping).toBe(0)
  })

  test('pulls a feed of which several peers tell from one of them', async () => {
    const { keeper, state } = make()
    const gate = Promise.withResolvers<void>()
    state.pullGate = gate.promise
    keeper.onHeads([head(2)], fakePeerId('ann'))
    keeper.onHeads([head(2)], fakePeerId('bob'))
    await settle()
    gate.resolve()
    await settle()
    expect(state.pulls).toEqual(['1-2'])
    await keeper.stop()
  })

  test('pulls nothing that it has', async () => {
    const { keeper, state } = make()
    state.known = 9
    keeper.onHeads([head(9)], fakePeerId('ann'))
    await settle()
    expect(state.pulls).toEqual([])
    await keeper.stop()
  })

  test('tells its own head again and again, though gossip fails at times', async () => {
    const { keeper, clock, state, troubles } = make()
    state.publishFailure = new Error('no topic')
    await clock.advance(11_000)
    expect(troubles).toEqual(['heads could not be told: no topic'])
    state.publishFailure = undefined
    await clock.advance(20_000)
    expect(state.told).toBe(2)
    await keeper.stop()
  })

  test('leaves nothing running when it stops, even when its last entries cannot be written', async () => {
    const { keeper, clock, state } = make()
    await settle()
    state.appendFailure = new Error('the disk is full')
    await expect(keeper.stop()).rejects.toThrow('the disk is full')
    expect(clock.sleeping).toBe(0)
    expect(state.handler).toBeUndefined()
  })
})
