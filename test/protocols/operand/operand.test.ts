import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OPERAND_FIRST_RANGE_BYTES, OPERAND_NAMES_MAX, OPERAND_WAIT_MS } from '../../../protocols/operand/constants.ts'
import { STALL_MS as STALL_MS_DEFAULT } from '../../../protocols/wire/bulk-stream.ts'
import { OPERAND_BYTES_MAX } from '../../../protocols/wire/constants.ts'
import { FRAME_HEADER_BYTES, RANGE_BYTES_MAX } from '../../../protocols/wire/frame.ts'
import { PULL_BYTES_OUTSTANDING_MAX, PULLS_OUTSTANDING_MAX } from '../../../protocols/wire/range-puller.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import { blockOf, ended, nameOf, OperandPair, refusal, signal } from './operand-fixtures.ts'

let pair: OperandPair
beforeEach(async () => {
  pair = await OperandPair.make()
})
afterEach(() => pair.stop())

const number = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

const isBlock = (block: number, bytes: Uint8Array): boolean =>
  Buffer.compare(bytes, pair.blocks.get(block) ?? new Uint8Array()) === 0

describe('a pull', () => {
  test.each([1, OPERAND_FIRST_RANGE_BYTES, OPERAND_FIRST_RANGE_BYTES + 1, OPERAND_BYTES_MAX])(
    'brings a whole block of %i bytes, and reports it',
    async (byteLength) => {
      pair.blocks.set(1, blockOf(1, byteLength))
      pair.serve()
      const client = await pair.open()
      const into = new Uint8Array(byteLength)
      const reported: number[] = []
      await client.pull(nameOf(1), into, { signal, onBytes: (received) => reported.push(received) })
      expect(Buffer.compare(into, blockOf(1, byteLength))).toBe(0)
      expect(reported.at(-1)).toBe(byteLength)
      expect(client.peerId.toString()).toBe(pair.nodes.listener.peerId.toString())
      expect(pair.reads[0]?.hash).toEqual(nameOf(1))
      await client.close()
      await ended(client.signal)
    }
  )

  test('brings several blocks at once, as many as may be named', async () => {
    for (const block of number(OPERAND_NAMES_MAX)) pair.blocks.set(block, blockOf(block, RANGE_BYTES_MAX + block * 4))
    pair.serve()
    const client = await pair.open()
    const got = await Promise.all(number(OPERAND_NAMES_MAX).map((block) => pair.pull(client, block)))
    for (const [index, bytes] of got.entries()) expect(isBlock(index + 1, bytes)).toBe(true)
    expect(await pair.pull(client, 1)).toHaveLength(RANGE_BYTES_MAX + 4)
  })

  test('moves bytes from and to memory that threads share', async () => {
    const held = new Uint8Array(new SharedArrayBuffer(OPERAND_BYTES_MAX))
    held.set(blockOf(1, OPERAND_BYTES_MAX))
    pair.blocks.set(1, held)
    pair.serve()
    const into = new Uint8Array(new SharedArrayBuffer(OPERAND_BYTES_MAX))
    await (await pair.open()).pull(nameOf(1), into, { signal })
    expect(Buffer.compare(into, held)).toBe(0)
  })

  test('of blocks that are on their way holds up no other', async () => {
    const gate = Promise.withResolvers<void>()
    const waiting = number(OPERAND_NAMES_MAX - 1).map((block) => block + 100)
    for (const block of waiting) {
      pair.blocks.set(block, blockOf(block, RANGE_BYTES_MAX))
      pair.gates.set(block, gate.promise)
    }
    pair.blocks.set(1, blockOf(1, OPERAND_BYTES_MAX))
    pair.serve()
    const client = await pair.open()
    const late = Promise.all(waiting.map((block) => pair.pull(client, block)))
    for (const _ of number(3)) expect(Buffer.compare(await pair.pull(client, 1), blockOf(1, OPERAND_BYTES_MAX))).toBe(0)
    gate.resolve()
    const got = await late
    for (const [index, bytes] of got.entries()) expect(isBlock(index + 101, bytes)).toBe(true)
  })

  test('of a block that is not held is refused alone, and names peer and block', async () => {
    pair.blocks.set(1, blockOf(1, OPERAND_BYTES_MAX))
    pair.serve()
    const client = await pair.open()
    const [good, bad] = await Promise.allSettled([pair.pull(client, 1), pair.pull(client, 171)])
    expect(good.status).toBe('fulfilled')
    expect(bad).toMatchObject({ reason: { code: 'REFUSED', refusal: RefusalCode.inputUnavailable } })
    expect(String(bad.status === 'rejected' && bad.reason.message)).toContain(
      `${client.peerId} does not give block abab`
    )
    pair.blocks.set(171, blockOf(171, 8))
    expect(await pair.pull(client, 171)).toEqual(blockOf(171, 8))
  })

  test('beyond the end of a block is refused alone', async () => {
    pair.blocks.set(1, blockOf(1, RANGE_BYTES_MAX))
    pair.serve()
    const client = await pair.open()
    const pulling = client.pull(nameOf(1), new Uint8Array(RANGE_BYTES_MAX + 4), { signal })
    await expect(pulling).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.rangeInvalid })
    expect(await pair.pull(client, 1)).toHaveLength(RANGE_BYTES_MAX)
  })

  test('of a block that is dropped half-way is refused alone', async () => {
    pair.nodes.listener.services.operand.setHandler({
      read: async (_peerId, { hash, offset, byteLength }) => {
        if (hash[0] === 2 && offset > 0) throw refusal(RefusalCode.inputUnavailable)
        return blockOf(1, OPERAND_BYTES_MAX).subarray(offset, offset + byteLength)
      }
    })
    const client = await pair.open()
    const into = () => new Uint8Array(OPERAND_BYTES_MAX)
    const [good, bad] = await Promise.allSettled([1, 2].map((block) => client.pull(nameOf(block), into(), { signal })))
    expect(good?.status).toBe('fulfilled')
    expect(bad).toMatchObject({ reason: { code: 'REFUSED', refusal: RefusalCode.inputUnavailable } })
  })

  test('that meets an error of the handler, or bytes of a wrong length, is refused', async () => {
    pair.nodes.listener.services.operand.setHandler({
      read: async (_peerId, { hash }) => {
        if (hash[0] === 1) throw new Error('a bug of ours')
        return new Uint8Array(1)
      }
    })
    const client = await pair.open()
    for (const block of [1, 2]) {
      const pulling = client.pull(nameOf(block), new Uint8Array(8), { signal })
      await expect(pulling).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.inputUnavailable })
    }
  })

  test('that is given up writes nothing more, tells the other side, and the stream goes on', async () => {
    const gate = Promise.withResolvers<void>()
    const reading = Promise.withResolvers<AbortSignal>()
    pair.nodes.listener.services.operand.setHandler({
      read: async (_peerId, { hash, offset, byteLength }, options) => {
        if (hash[0] === 1 && offset > 0) {
          reading.resolve(options.signal)
          await gate.promise
        }
        return new Uint8Array(byteLength).fill(7)
      }
    })
    const client = await pair.open()
    const into = new Uint8Array(OPERAND_BYTES_MAX)
    const given = new AbortController()
    const pulling = client.pull(nameOf(1), into, { signal: given.signal })
    const waiting = await reading.promise
    given.abort(new Error('lease lost'))
    await expect(pulling).rejects.toThrow('lease lost')
    const written = into.slice()
    await ended(waiting)
    gate.resolve()
    await client.pull(nameOf(2), new Uint8Array(OPERAND_BYTES_MAX), { signal })
    expect(Buffer.compare(into, written)).toBe(0)
    expect(into.subarray(OPERAND_FIRST_RANGE_BYTES).every((byte) => byte === 0)).toBe(true)
    await client.pull(nameOf(1), into, { signal })
  })

  test('that was given up before names nothing', async () => {
    pair.serve()
    const client = await pair.open()
    const given = AbortSignal.abort(new Error('too late'))
    await expect(client.pull(nameOf(1), new Uint8Array(8), { signal: given })).rejects.toThrow('too late')
    expect(pair.reads).toEqual([])
  })

  test('of one block more than may be named is refused here, until another is over', async () => {
    const gate = Promise.withResolvers<void>()
    for (const block of number(OPERAND_NAMES_MAX + 1)) pair.blocks.set(block, blockOf(block, 8))
    for (const block of number(OPERAND_NAMES_MAX)) pair.gates.set(block, gate.promise)
    pair.serve()
    const client = await pair.open()
    const pulls = number(OPERAND_NAMES_MAX).map((block) => pair.pull(client, block))
    await expect(pair.pull(client, OPERAND_NAMES_MAX + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    gate.resolve()
    await Promise.all(pulls)
    await pair.pull(client, OPERAND_NAMES_MAX + 1)
  })

  test.each([
    ['a short hash', new Uint8Array(31), 8],
    ['an empty block', nameOf(1), 0],
    ['a block above the limit', nameOf(1), OPERAND_BYTES_MAX + 1]
  ])('of %s is a bug of the caller', async (_name, hash, byteLength) => {
    pair.serve()
    const client = await pair.open()
    await expect(client.pull(hash, new Uint8Array(byteLength), { signal })).rejects.toBeInstanceOf(RangeError)
  })
})

describe('a stream', () => {
  test('is refused by a peer that serves nothing, and as busy when there is one', async () => {
    await expect(pair.open()).rejects.toMatchObject({ code: 'REFUSED', refusal: RefusalCode.unknownJob })
    pair.serve()
    const client = await pair.open()
    await expect(pair.open()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    await client.close()
    await ended(client.signal)
    await (await pair.open()).close()
  })

  test('whose handler was taken away refuses what is pulled', async () => {
    pair.serve()
    const client = await pair.open()
    pair.nodes.listener.services.operand.setHandler(undefined)
    await expect(pair.pull(client, 1)).rejects.toMatchObject({ refusal: RefusalCode.inputUnavailable })
  })

  test('that is killed ends all pulls, and what was read for them', async () => {
    const reads = Promise.withResolvers<void>()
    const signals: AbortSignal[] = []
    pair.nodes.listener.services.operand.setHandler({
      read: (_peerId, _range, options) => {
        signals.push(options.signal)
        if (signals.length === 2) reads.resolve()
        return new Promise(() => undefined)
      }
    })
    const client = await pair.open()
    const pulls = [1, 2].map((block) => pair.pull(client, block))
    const outcomes = Promise.allSettled(pulls)
    await reads.promise
    pair.nodes.connection.abort(new Error('pulled the plug'))
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'STREAM_ENDED' } })
    await Promise.all(signals.map(ended))
    await expect(pair.pull(client, 3)).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('ends when the service of the serving end stops', async () => {
    pair.nodes.listener.services.operand.setHandler({ read: () => new Promise(() => undefined) })
    const client = await pair.open()
    const pulling = pair.pull(client, 1)
    await pair.nodes.listener.services.operand.stop()
    await expect(pulling).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('to a peer that answers nothing times out', async () => {
    pair.nodes.listener.services.operand.setHandler({ read: () => new Promise(() => undefined) })
    const client = await pair.open()
    await expect(pair.pull(client, 1)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })
})

describe('limits', () => {
  test('leave room for a full range when all named blocks wait', () => {
    expect(OPERAND_NAMES_MAX).toBeLessThan(PULLS_OUTSTANDING_MAX)
    const waitingBytes = OPERAND_NAMES_MAX * OPERAND_FIRST_RANGE_BYTES
    expect(PULL_BYTES_OUTSTANDING_MAX - waitingBytes).toBeGreaterThanOrEqual(RANGE_BYTES_MAX)
  })

  test('let the first range of a block be one Noise message', () => {
    const yamuxHeaderBytes = 12
    expect(OPERAND_FIRST_RANGE_BYTES + FRAME_HEADER_BYTES + yamuxHeaderBytes).toBeLessThanOrEqual(65_535 - 16)
  })

  test('end a wait for a block before the stream counts as stalled', () => {
    expect(OPERAND_WAIT_MS).toBeLessThan(STALL_MS_DEFAULT / 2)
  })
})
