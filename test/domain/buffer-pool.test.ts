import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BufferPool } from '../../src/domain/buffer-pool.ts'

const KIB = 1024
const MIB = 1024 * KIB

describe('a buffer pool', () => {
  test('gives a buffer that is long enough and wastes at most an eighth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 * MIB }), (byteLength) => {
        const { byteLength: taken } = new BufferPool(0).take(byteLength)
        expect(taken).toBeGreaterThanOrEqual(byteLength)
        expect(taken).toBeLessThanOrEqual(Math.max(64 * KIB, byteLength * 1.125 + 64 * KIB))
      })
    )
  })

  test('gives a buffer again that was given back, for any length of its class', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 * MIB }), (byteLength) => {
        const pool = new BufferPool(128 * MIB)
        const buffer = pool.take(byteLength)
        pool.give(buffer)
        expect(pool.take(buffer.byteLength)).toBe(buffer)
      }),
      { numRuns: 50 }
    )
  })

  test('never gives the same buffer to two holders', () => {
    const pool = new BufferPool(MIB)
    pool.give(pool.take(64 * KIB))
    expect(pool.take(64 * KIB)).not.toBe(pool.take(64 * KIB))
  })

  test('keeps no more than it may', () => {
    const pool = new BufferPool(256 * KIB)
    const buffers = Array.from({ length: 8 }, () => pool.take(64 * KIB))
    for (const buffer of buffers) pool.give(buffer)
    const again = Array.from({ length: 8 }, () => pool.take(64 * KIB))
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(4)
  })

  test('lets buffers of a former size go when the work changes', () => {
    const pool = new BufferPool(4 * MIB)
    const small = Array.from({ length: 64 }, () => pool.take(64 * KIB))
    for (const buffer of small) pool.give(buffer)
    const large = pool.take(4 * MIB)
    pool.give(large)
    expect(pool.take(4 * MIB)).toBe(large)
    expect(small).not.toContain(pool.take(64 * KIB))
  })

  test('frees at once what it does not keep, and all when it is cleared', () => {
    const pool = new BufferPool(64 * KIB)
    const [kept, freed] = [pool.take(64 * KIB), pool.take(64 * KIB)]
    pool.give(kept)
    pool.give(freed)
    expect([kept.byteLength, freed.byteLength]).toEqual([64 * KIB, 0])
    pool.clear()
    expect(kept.byteLength).toBe(0)
    expect(pool.take(64 * KIB).byteLength).toBe(64 * KIB)
  })

  test('lets go of what is detached, of an odd size, or larger than all it may keep', () => {
    const pool = new BufferPool(MIB)
    const detached = pool.take(64 * KIB)
    detached.transfer()
    for (const buffer of [detached, new ArrayBuffer(100_000), new ArrayBuffer(2 * MIB)]) {
      pool.give(buffer)
      expect(pool.take(Math.max(buffer.byteLength, 1))).not.toBe(buffer)
    }
  })
})
