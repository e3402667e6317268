import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  leaseWindowBytes,
  WINDOW_BYTES,
  WINDOW_BYTES_MAX,
  WINDOW_CHUNKS_MIN
} from '../../src/submitter/lease-window.ts'

const MIB = 1024 * 1024

describe('leaseWindowBytes', () => {
  test('is the least window for nobody, and for two peers of two threads', () => {
    for (const peerThreads of [undefined, [], [8], [2, 2]]) {
      expect(leaseWindowBytes({ chunkBytesMax: 4 * MIB, peerThreads })).toBe(
        Math.max(WINDOW_BYTES, peerThreads?.[0] === 8 ? 28 * MIB : 16 * MIB)
      )
    }
  })

  test('has a chunk for each thread of many peers', () => {
    expect(leaseWindowBytes({ chunkBytesMax: 8 * MIB, peerThreads: [4, 4, 4] })).toBe(13 * 8 * MIB)
  })

  test('never exceeds its bound but for the least chunks, whatever peers say of themselves', () => {
    const threads = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 300 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 * MIB }), threads, (chunkBytesMax, peerThreads) => {
        const bytes = leaseWindowBytes({ chunkBytesMax, peerThreads })
        const least = Math.max(WINDOW_BYTES, WINDOW_CHUNKS_MIN * chunkBytesMax)
        expect(bytes).toBeGreaterThanOrEqual(least)
        expect(bytes).toBeLessThanOrEqual(Math.max(least, WINDOW_BYTES_MAX))
      })
    )
  })
})
