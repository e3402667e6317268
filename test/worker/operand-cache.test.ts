import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OperandChanges } from '../../protocols/lease/types.ts'
import { type CachedBlock, OperandCache } from '../../src/worker/operand-cache.ts'
import { settle } from '../support/virtual-clock.ts'
import { OperandCacheModel } from './operand-cache-model.ts'

const KIB = 1024
const UNIT = 64 * KIB
const never = new AbortController().signal

function wanted(...numbers: readonly number[]) {
  return numbers.map((number) => ({ key: `k${number}`, byteLength: UNIT, indexes: [number] }))
}

function makeCache(units: number) {
  const changes: OperandChanges[] = []
  const gone: (() => void)[] = []
  const collected = { count: 0 }
  const cache = new OperandCache({
    bytesMax: units * UNIT,
    onChanges: (told) => changes.push(told),
    watch: (_buffer, onGone) => gone.push(onGone),
    collect: () => {
      collected.count += 1
    }
  })
  const load = async (...numbers: readonly number[]): Promise<readonly CachedBlock[]> => {
    const { blocks, missing } = await cache.admit({ jobId: 'job', blocks: wanted(...numbers) }, { signal: never })
    for (const block of missing) cache.loaded(block)
    return blocks
  }
  const use = async (...numbers: readonly number[]): Promise<void> => {
    for (const block of await load(...numbers)) cache.giveBack(block)
  }
  return { cache, changes, gone, collected, load, use }
}

describe('an operand cache', () => {
  test('drops what was used least recently, and tells it', async () => {
    const { cache, changes, use } = makeCache(3)
    await use(1, 2, 3)
    cache.find('k1')
    await use(4)
    expect([1, 2, 3, 4].map((number) => cache.find(`k${number}`) !== undefined)).toEqual([true, false, true, true])
    await settle()
    expect(changes).toEqual([
      { jobId: 'job', added: [1, 2, 3], dropped: [] },
      { jobId: 'job', added: [], dropped: [2] },
      { jobId: 'job', added: [4], dropped: [] }
    ])
  })

  test('uses the memory of dropped blocks again', async () => {
    const { cache, load, use } = makeCache(1)
    const [first] = await load(1)
    if (first !== undefined) cache.giveBack(first)
    const [second] = await load(2)
    expect(second?.buffer).toBe(first?.buffer)
    if (second !== undefined) cache.giveBack(second)
    await use(3)
    expect(cache.bytes).toBe(UNIT)
  })

  test('counts memory of a size that is of no use any more until it has been collected', async () => {
    const { cache, gone, collected, use } = makeCache(2)
    await use(1, 2)
    const large = { jobId: 'job', blocks: [{ key: 'large', byteLength: 2 * UNIT, indexes: [9] }] }
    const admitted = cache.admit(large, { signal: never })
    await settle()
    expect([cache.bytes, cache.waitingCount, gone.length, collected.count]).toEqual([2 * UNIT, 1, 2, 1])
    gone[0]?.()
    await settle()
    expect(cache.waitingCount).toBe(1)
    gone[1]?.()
    expect((await admitted).blocks[0]?.byteLength).toBe(2 * UNIT)
    expect(cache.bytes).toBe(2 * UNIT)
  })

  test('never lets two leases wait for each other, and serves them in the order in which they came', async () => {
    const { cache, load } = makeCache(4)
    const [first, ...rest] = await load(1, 2, 3)
    const order: string[] = []
    const admit = async (name: string, ...numbers: number[]) => {
      const admission = await cache.admit({ jobId: 'job', blocks: wanted(...numbers) }, { signal: never })
      order.push(name)
      return admission
    }
    const large = admit('large', 4, 5, 6)
    const small = admit('small', 7)
    const cached = admit('cached', 1)
    await settle()
    expect(order).toEqual([])
    for (const block of rest) cache.giveBack(block)
    await settle()
    expect(order).toEqual(['large'])
    for (const block of (await large).blocks) {
      cache.loaded(block)
      cache.giveBack(block)
    }
    await Promise.all([small, cached])
    expect(order).toEqual(['large', 'small', 'cached'])
    expect(first?.state).toBe('here')
  })

  test('forgets a lease that stops waiting, and goes on with the next', async () => {
    const { cache, load } = makeCache(2)
    await load(1)
    const lost = new AbortController()
    const first = cache.admit({ jobId: 'job', blocks: wanted(2, 3) }, { signal: lost.signal })
    const second = cache.admit({ jobId: 'job', blocks: wanted(4) }, { signal: never })
    lost.abort(new Error('revoked'))
    await expect(first).rejects.toThrow('revoked')
    expect((await second).missing).toHaveLength(1)
    await expect(cache.admit({ jobId: 'job', blocks: [] }, { signal: lost.signal })).rejects.toThrow('revoked')
  })

  test('takes a block that failed for another than the one that is loaded anew', async () => {
    const { cache, load } = makeCache(2)
    const first = await cache.admit({ jobId: 'job', blocks: wanted(1) }, { signal: never })
    const [failed] = first.missing
    if (failed === undefined) throw new Error('nothing is missing')
    cache.abandon(failed)
    cache.reclaim(failed)
    const [anew] = await load(1)
    cache.giveBack(failed)
    await load(2)
    const waiting = cache.admit({ jobId: 'job', blocks: wanted(3) }, { signal: never })
    await settle()
    expect([anew?.state, cache.waitingCount]).toEqual(['here', 1])
    cache.close(new Error('over'))
    await expect(waiting).rejects.toThrow('over')
  })

  test('says nothing of what came and went in one turn', async () => {
    const { changes, use, cache } = makeCache(1)
    await use(1)
    cache.forgetJob('job')
    await settle()
    expect(changes.flatMap(({ dropped }) => dropped)).toEqual([])
  })

  test('keeps its promises whatever leases do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: 12 }),
        fc.array(OperandCacheModel.step, { minLength: 1, maxLength: 60 }),
        async (units, steps) => {
          const model = new OperandCacheModel(units * UNIT)
          for (const step of steps) await model.run(step)
          await model.finish()
        }
      ),
      { numRuns: 150 }
    )
  })
})
