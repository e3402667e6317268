import { describe, expect, test } from 'vitest'
import { OPERAND_CHANGES_MAX } from '../../protocols/lease/constants.ts'
import { RANGE_BYTES_MAX } from '../../protocols/wire/frame.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { OPERAND_STALL_MS } from '../../src/worker/operand-stall-watch.ts'
import { OPERAND_WAIT_MS, READS_WAITING_MAX } from '../../src/worker/operand-store.ts'
import { settle } from '../support/virtual-clock.ts'
import { JOB_ID } from './fake-submitter.ts'
import { BLOCK_BYTES, blockBytes, FakeHolders, operand, SUBMITTER } from './operand-harness.ts'

const UNAVAILABLE = { code: 'REFUSED', refusal: RefusalCode.inputUnavailable }

describe('an operand store', () => {
  test('lends blocks in the order of the grant, the same one for the same content', async () => {
    const world = new FakeHolders({})
    const twice = { ...operand(1), index: 7 }
    const loan = await world.acquire([operand(2), operand(1), twice])
    expect(loan.blocks.map(({ buffer }) => new Uint8Array(buffer)[1])).toEqual([2, 1, 1])
    expect(loan.blocks[1]?.buffer).toBe(loan.blocks[2]?.buffer)
    expect(loan.moved.submitterBytes).toBe(2 * BLOCK_BYTES)
    expect(world.changes).toEqual([{ jobId: JOB_ID, added: expect.any(Array), dropped: [] }])
    expect(world.changes[0]?.added.toSorted()).toEqual([1, 2, 7])
  })

  test('takes a block that is here from memory', async () => {
    const world = new FakeHolders({})
    const first = await world.acquire([operand(1)])
    first.release()
    const second = await world.acquire([operand(1), operand(2)])
    expect(second.moved).toEqual({ submitterBytes: BLOCK_BYTES, peerBytes: 0, cacheBytes: BLOCK_BYTES })
    expect(world.store.totals).toEqual({
      servedBytes: 0,
      submitterBytes: 2 * BLOCK_BYTES,
      peerBytes: 0,
      cacheBytes: BLOCK_BYTES
    })
  })

  test('fetches a block once for two leases, and tells both what comes', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const received: number[][] = [[], []]
    const leases = received.map((list) => world.acquire([operand(1, ['a'])], { onBytes: (bytes) => list.push(bytes) }))
    await world.clock.advance(1_000)
    const [first, second] = await Promise.all(leases)
    expect(world.holder('a').asked).toHaveLength(1)
    expect(first?.moved.peerBytes).toBe(BLOCK_BYTES)
    expect(second?.moved).toEqual({ submitterBytes: 0, peerBytes: 0, cacheBytes: BLOCK_BYTES })
    expect(received).toEqual([
      [BLOCK_BYTES / 2, BLOCK_BYTES],
      [BLOCK_BYTES / 2, BLOCK_BYTES]
    ])
  })

  test('asks those that the second lease knows when the sources of the first fail', async () => {
    const world = new FakeHolders({ a: 'stalling', b: 'honest', [SUBMITTER]: 'refusing' })
    const leases = [world.acquire([operand(1, ['a'])]), world.acquire([operand(1, ['b'])])]
    await world.clock.advance(5_000)
    expect((await Promise.all(leases)).map(({ blocks }) => blocks.length)).toEqual([1, 1])
  })

  test('goes on for the second lease when the first is lost', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const lost = new AbortController()
    const first = world.acquire([operand(1, ['a'])], { signal: lost.signal })
    const second = world.acquire([operand(1, ['a'])])
    await settle()
    lost.abort(new Error('revoked'))
    await expect(first).rejects.toThrow('revoked')
    await world.clock.advance(1_000)
    expect((await second).moved.peerBytes).toBe(BLOCK_BYTES)
    expect(world.holder('a').asked).toHaveLength(1)
  })

  test('leaves nothing reserved or under way when a lease is lost in the middle of a fetch', async () => {
    const world = new FakeHolders({ a: 'slow' }, { bytesMax: 4 * BLOCK_BYTES })
    const lost = new AbortController()
    const first = world.acquire(
      [0, 1, 2, 3].map((index) => operand(index, ['a'])),
      { signal: lost.signal }
    )
    await settle()
    lost.abort(new Error('revoked'))
    await expect(first).rejects.toThrow('revoked')
    await settle()
    expect([world.holder('a').pulling, world.clock.sleeping]).toEqual([0, 0])
    const loan = await world.acquire([4, 5, 6, 7].map((index) => operand(index)))
    expect(loan.blocks).toHaveLength(4)
    expect(world.store.bytes).toBe(4 * BLOCK_BYTES)
  })

  test('fetches a block anew that was given up a moment before', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const lost = new AbortController()
    const first = world.acquire([operand(1, ['a'])], { signal: lost.signal })
    await settle()
    lost.abort(new Error('revoked'))
    const second = world.acquire([operand(1, ['a'])])
    await expect(first).rejects.toThrow('revoked')
    await world.clock.advance(1_000)
    const { blocks } = await second
    expect(new Uint8Array(blocks[0]?.buffer ?? new ArrayBuffer(0), 0, BLOCK_BYTES).slice()).toEqual(blockBytes(1))
  })

  test('refuses at once what can never fit, and says what to do', async () => {
    const world = new FakeHolders({}, { bytesMax: 2 * BLOCK_BYTES })
    const acquired = world.acquire([operand(1), operand(2), operand(3)])
    await expect(acquired).rejects.toMatchObject({
      code: 'GRANT_TOO_LARGE',
      message: expect.stringMatching(/196608.*131072.*join --max-memory/)
    })
  })

  test('tells many blocks in messages of a bounded length', async () => {
    const world = new FakeHolders({})
    const everywhere = Array.from({ length: 256 }, (_, index) => ({ ...operand(1), index }))
    await world.acquire([...everywhere, { ...operand(1), index: 256 }])
    expect(world.changes.map(({ added }) => added.length)).toEqual([OPERAND_CHANGES_MAX, 1])
  })

  test('drops the blocks of a job that is over, but not those on loan or of another job', async () => {
    const world = new FakeHolders({})
    const lent = await world.acquire([operand(1)])
    const idle = await world.acquire([operand(2), operand(3)])
    idle.release()
    const options = { signal: new AbortController().signal }
    const other = await world.store.acquire({ jobId: 'other', operands: [operand(3)], submitter: SUBMITTER }, options)
    other.release()
    world.store.forgetJob(JOB_ID)
    await expect(world.read('p', 2)).rejects.toMatchObject(UNAVAILABLE)
    await expect(world.read('p', 3)).resolves.toEqual(blockBytes(3))
    await expect(world.read('p', 1)).resolves.toEqual(blockBytes(1))
    lent.release()
    lent.release()
    await expect(world.read('p', 1)).rejects.toMatchObject(UNAVAILABLE)
  })

  test('ends all that waits when it is closed', async () => {
    const world = new FakeHolders({ a: 'stalling' }, { bytesMax: 2 * BLOCK_BYTES })
    const fetching = world.acquire([operand(1, ['a']), operand(2, ['a'])])
    const waiting = world.acquire([operand(3)])
    await settle()
    const reading = world.read('p', 1)
    const outcomes = Promise.allSettled([fetching, waiting, reading])
    await world.store.close()
    const codes = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code)
    expect(codes).toEqual(['WORKER_STOPPED', 'WORKER_STOPPED', 'REFUSED'])
    await expect(world.acquire([operand(4)])).rejects.toMatchObject({ code: 'WORKER_STOPPED' })
    expect(world.clock.sleeping).toBe(0)
  })
})

describe('serving operand blocks', () => {
  test('keeps a block for as long as another peer pulls it, and lets it go then', async () => {
    const world = new FakeHolders({}, { bytesMax: BLOCK_BYTES })
    const loan = await world.acquire([operand(1)])
    const pulled = new AbortController()
    const bytes = await world.read('p', 1, { offset: 0, byteLength: 8, held: pulled.signal })
    loan.release()
    const next = world.acquire([operand(2)])
    await settle()
    expect([...bytes]).toEqual([0, 1, 1, 1, 1, 1, 1, 1])
    expect(world.store.totals.servedBytes).toBe(8)
    pulled.abort()
    expect((await next).blocks).toHaveLength(1)
  })

  test('refuses blocks that are not here and ranges that are none', async () => {
    const world = new FakeHolders({})
    await world.acquire([operand(1)])
    await expect(world.read('p', 2)).rejects.toMatchObject(UNAVAILABLE)
    const ranges = [
      { offset: -1, byteLength: 8 },
      { offset: 0.5, byteLength: 8 },
      { offset: 0, byteLength: 0 },
      { offset: 1, byteLength: BLOCK_BYTES },
      { offset: 0, byteLength: RANGE_BYTES_MAX + 1 }
    ]
    for (const range of ranges) {
      await expect(world.read('p', 1, range)).rejects.toMatchObject({ refusal: RefusalCode.rangeInvalid })
    }
  })

  test('waits for a block that is on its way, and gives it once its hash is right', async () => {
    const world = new FakeHolders({ liar: 'lying', a: 'slow' })
    const acquired = world.acquire([operand(1, ['liar', 'a'])])
    await settle()
    const reading = world.read('p', 1)
    await world.clock.advance(1_000)
    await acquired
    expect(await reading).toEqual(blockBytes(1))
    expect(world.clock.sleeping).toBe(0)
  })

  test('says to ask again before the other takes silence for a stall, and refuses what will not come', async () => {
    const world = new FakeHolders({ a: 'stalling', b: 'stalling' })
    const lost = new AbortController()
    const acquired = world.acquire([operand(1, ['a', 'b'])], { signal: lost.signal })
    await settle()
    const late = expect(world.read('p', 1)).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.busy })
    await world.clock.advance(OPERAND_WAIT_MS)
    await late
    expect(OPERAND_WAIT_MS).toBeLessThan(OPERAND_STALL_MS)
    const never = expect(world.read('p', 1)).rejects.toMatchObject(UNAVAILABLE)
    const lostLease = expect(acquired).rejects.toThrow('revoked')
    lost.abort(new Error('revoked'))
    await Promise.all([never, lostLease])
    await settle()
    expect(world.clock.sleeping).toBe(0)
  })

  test('refuses the very peer that it is asking for the block', async () => {
    const world = new FakeHolders({ a: 'slow' })
    const acquired = world.acquire([operand(1, ['a'])])
    await settle()
    await expect(world.read('a', 1)).rejects.toMatchObject(UNAVAILABLE)
    await world.clock.advance(1_000)
    await acquired
    await expect(world.read('a', 1)).resolves.toEqual(blockBytes(1))
  })

  test('stops waiting when the stream ends, and lets only so many wait', async () => {
    const world = new FakeHolders({ a: 'stalling' })
    const lost = new AbortController()
    world.acquire([operand(1, ['a'])], { signal: lost.signal }).catch(() => undefined)
    await settle()
    const ended = new AbortController()
    const reads = Array.from({ length: READS_WAITING_MAX }, () => world.read('p', 1, { signal: ended.signal }))
    const outcomes = Promise.allSettled(reads)
    await expect(world.read('p', 1)).rejects.toMatchObject({ refusal: RefusalCode.busy })
    ended.abort(new Error('stream ended'))
    expect(new Set((await outcomes).map(({ status }) => status))).toEqual(new Set(['rejected']))
    lost.abort()
    await settle()
    expect(world.clock.sleeping).toBe(0)
  })
})
