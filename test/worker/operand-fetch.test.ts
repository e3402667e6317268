import { describe, expect, test } from 'vitest'
import { OPERAND_BYTES_MAX } from '../../src/tasks/matrix/matrix-plan.ts'
import { ASK_AGAIN_MAX } from '../../src/worker/operand-block-fetch.ts'
import { FETCHES_MAX, FETCHES_PER_PEER_MAX } from '../../src/worker/operand-fetch.ts'
import { OPERAND_BEHIND_MS } from '../../src/worker/operand-peers.ts'
import { OPERAND_STALL_MS } from '../../src/worker/operand-stall-watch.ts'
import { settle } from '../support/virtual-clock.ts'
import { JOB_ID } from './fake-submitter.ts'
import { BLOCK_BYTES, blockBytes, FakeHolders, operand, SUBMITTER } from './operand-harness.ts'

function contentOf({ buffer, byteLength }: { buffer: SharedArrayBuffer; byteLength: number }): Uint8Array {
  return new Uint8Array(buffer, 0, byteLength).slice()
}

function askedPeers(world: FakeHolders): readonly string[] {
  return world.order.map(({ peerId }) => peerId)
}

describe('fetching operand blocks', () => {
  test('asks the first holder, and neither the others nor the submitter', async () => {
    const world = new FakeHolders({ a: 'honest', b: 'honest' })
    const loan = await world.acquire([operand(1, ['a', 'b'])])
    expect(loan.blocks.map(contentOf)).toEqual([blockBytes(1)])
    expect(loan.moved).toEqual({ submitterBytes: 0, peerBytes: BLOCK_BYTES, cacheBytes: 0 })
    expect(askedPeers(world)).toEqual(['a'])
    expect(world.clock.sleeping).toBe(0)
  })

  test('never asks itself, and asks the submitter when nobody else has the block', async () => {
    const world = new FakeHolders({ self: 'honest' })
    const loan = await world.acquire([operand(1, ['self'])])
    expect(loan.moved).toEqual({ submitterBytes: BLOCK_BYTES, peerBytes: 0, cacheBytes: 0 })
  })

  test('names a holder of false bytes and does not ask it again for this job', async () => {
    const world = new FakeHolders({ liar: 'lying', b: 'honest' })
    const loan = await world.acquire([operand(1, ['liar', 'b'])])
    expect(loan.blocks.map(contentOf)).toEqual([blockBytes(1)])
    expect(world.events).toEqual([
      { event: 'operand-refused', jobId: JOB_ID, peerId: 'liar', reason: expect.stringContaining('another hash') }
    ])
    await world.acquire([operand(2, ['liar']), operand(3, ['liar', 'b'])])
    expect(askedPeers(world).filter((peerId) => peerId === 'liar')).toHaveLength(1)
    world.store.forgetJob(JOB_ID)
    await world.acquire([operand(4, ['liar'])])
    expect(askedPeers(world).filter((peerId) => peerId === 'liar')).toHaveLength(2)
  })

  test('fails with INPUT_MISMATCH when the submitter gives false bytes, which names it', async () => {
    const world = new FakeHolders({ [SUBMITTER]: 'lying' })
    await expect(world.acquire([operand(1)])).rejects.toMatchObject({ name: 'SwarmError', code: 'INPUT_MISMATCH' })
    expect(world.events.map(({ peerId }) => peerId)).toEqual([SUBMITTER])
  })

  test.each(['refusing', 'dying', 'closed'] as const)(
    'goes to the next source when a holder is %s',
    async (conduct) => {
      const world = new FakeHolders({ a: conduct, b: 'honest' })
      const loan = await world.acquire([operand(1, ['a', 'b'])])
      expect(loan.blocks.map(contentOf)).toEqual([blockBytes(1)])
      expect(world.events).toEqual([])
      expect(world.store.totals.peerBytes).toBe(BLOCK_BYTES * (conduct === 'dying' ? 1.5 : 1))
    }
  )

  test('leaves a holder that gives no byte for five seconds', async () => {
    const world = new FakeHolders({ a: 'stalling', b: 'honest' })
    const acquired = world.acquire([operand(1, ['a', 'b'])])
    await world.clock.advance(OPERAND_STALL_MS - 1)
    expect(askedPeers(world)).toEqual(['a'])
    await world.clock.advance(1)
    expect((await acquired).moved.peerBytes).toBe(BLOCK_BYTES)
    expect(world.clock.sleeping).toBe(0)
  })

  test('does not leave a holder that is slow but gives bytes', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const acquired = world.acquire([operand(1, ['a'])])
    await world.clock.advance(1_000)
    expect((await acquired).moved.peerBytes).toBe(BLOCK_BYTES)
  })

  test('puts a holder that failed behind others for ten seconds, the submitter included', async () => {
    const world = new FakeHolders({ a: 'closed', b: 'honest' })
    await world.acquire([operand(1, ['a'])])
    world.holder('a').conduct = 'honest'
    await world.acquire([operand(2, ['a', 'b'])])
    await world.acquire([operand(3, ['a'])])
    expect(askedPeers(world)).toEqual([SUBMITTER, 'b', SUBMITTER])
    await world.clock.advance(OPERAND_BEHIND_MS)
    await world.acquire([operand(4, ['a', 'b'])])
    expect(askedPeers(world).at(-1)).toBe('a')
  })

  test('asks a holder that failed when no other is left', async () => {
    const world = new FakeHolders({ a: 'closed' })
    await world.acquire([operand(1, ['a'])])
    world.holder('a').conduct = 'honest'
    world.holder(SUBMITTER).conduct = 'refusing'
    expect((await world.acquire([operand(2, ['a'])])).moved.peerBytes).toBe(BLOCK_BYTES)
  })

  test('keeps a holder in its place that only lacked one block', async () => {
    const world = new FakeHolders({ a: 'refusing', b: 'honest' })
    await world.acquire([operand(1, ['a', 'b'])])
    world.holder('a').conduct = 'honest'
    await world.acquire([operand(2, ['a', 'b'])])
    expect(askedPeers(world)).toEqual(['a', 'b', 'a'])
  })

  test('asks a holder again that waits for the block itself, but not for ever', async () => {
    const world = new FakeHolders({ a: 'late' })
    expect((await world.acquire([operand(1, ['a'])])).moved.peerBytes).toBe(BLOCK_BYTES)
    expect(world.holder('a').asked).toHaveLength(4)
    world.holder('a').asked.splice(0, Number.POSITIVE_INFINITY)
    world.holder('a').lateTimes = Number.POSITIVE_INFINITY
    expect((await world.acquire([operand(2, ['a'])])).moved.submitterBytes).toBe(BLOCK_BYTES)
    expect(world.holder('a').asked).toHaveLength(ASK_AGAIN_MAX + 1)
  })

  test('fails with REFUSED when no source gives the block, with the last reason as cause', async () => {
    const world = new FakeHolders({ a: 'refusing', [SUBMITTER]: 'closed' })
    await expect(world.acquire([operand(1, ['a'])])).rejects.toMatchObject({
      name: 'WireError',
      code: 'REFUSED',
      cause: expect.objectContaining({ code: 'STREAM_ENDED' })
    })
    expect(world.store.bytes).toBe(BLOCK_BYTES)
  })

  test('fails with what the hash thread says, and blames nobody', async () => {
    const world = new FakeHolders({}, { hash: async () => Promise.reject(new Error('no threads')) })
    await expect(world.acquire([operand(1)])).rejects.toThrow('no threads')
    expect(world.events).toEqual([])
  })

  test('fetches a bounded number at once, few of them from one peer', async () => {
    const peers = ['a', 'b', 'c', 'd', 'e', 'f']
    const world = new FakeHolders(Object.fromEntries(peers.map((name) => [name, 'slow'])))
    const acquired = world.acquire(Array.from({ length: 30 }, (_, index) => operand(index, peers)))
    await settle()
    expect(peers.map((name) => world.holder(name).pulling).reduce((sum, count) => sum + count, 0)).toBe(
      FETCHES_MAX - FETCHES_PER_PEER_MAX
    )
    await world.clock.advance(10_000)
    await acquired
    expect(Math.max(...peers.map((name) => world.holder(name).pullingMost))).toBe(FETCHES_PER_PEER_MAX)
    expect(askedPeers(world)).not.toContain(SUBMITTER)
  })

  test('keeps some of what it fetches at once for the submitter, since holders may wait for it themselves', async () => {
    const names = Array.from({ length: FETCHES_MAX }, (_, index) => `stalling-${index}`)
    const world = new FakeHolders(Object.fromEntries(names.map((name) => [name, 'stalling' as const])))
    const stuck = names.map((name, index) => world.acquire([operand(index, [name])]))
    for (const loan of stuck) loan.catch(() => undefined)
    const loan = await world.acquire([operand(40)])
    expect(loan.moved.submitterBytes).toBe(BLOCK_BYTES)
    expect(askedPeers(world).filter((peerId) => peerId !== SUBMITTER)).toHaveLength(FETCHES_MAX - FETCHES_PER_PEER_MAX)
    await world.store.close()
  })

  test('waits for a busy holder rather than asking the submitter', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const acquired = world.acquire([1, 2, 3, 4, 5].map((index) => operand(index, ['a'])))
    await world.clock.advance(3_000)
    expect((await acquired).moved).toEqual({ submitterBytes: 0, peerBytes: 5 * BLOCK_BYTES, cacheBytes: 0 })
  })

  test('begins with the oldest lease, and in a lease with what the fewest hold', async () => {
    const world = new FakeHolders({ a: 'slow', b: 'slow' }, { open: async (peerId) => world.holder(peerId).client() })
    for (const name of ['a', 'b']) world.holder(name).conduct = 'slow'
    const first = world.acquire([operand(1, ['a', 'b']), operand(2, ['a', 'b']), operand(3, ['a'])])
    const second = world.acquire([operand(4, ['a'])])
    await world.clock.advance(4_000)
    await Promise.all([first, second])
    const keys = world.order.map(({ key }) => key)
    const keyOf = (index: number) => Buffer.from(operand(index).hash).toString('hex')
    expect(keys[0]).toBe(keyOf(3))
    expect(keys.indexOf(keyOf(4))).toBe(3)
  })

  test('refuses a grant with blocks of no possible size', async () => {
    const world = new FakeHolders({})
    for (const byteLength of [0, OPERAND_BYTES_MAX + 1]) {
      await expect(world.acquire([{ ...operand(1), byteLength }])).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    }
    const twice = [operand(1), { ...operand(1), byteLength: 12 }]
    await expect(world.acquire(twice)).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
  })
})
