import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { HEADROOM_BYTES, RecordSplitter } from '../../src/network/record-splitter.ts'

const arbitraryRecords = fc.array(
  fc
    .tuple(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 65_000, max: 65_535 })), fc.nat(255))
    .map(([byteLength, fill]) => new Uint8Array(byteLength).fill(fill)),
  { maxLength: 6 }
)

function frame(records: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(records.flatMap((record) => [Uint8Array.of(record.byteLength >> 8, record.byteLength), record]))
}

function reads(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let offset = 0, index = 0; offset < bytes.byteLength; index++) {
    const end = offset + (sizes[index % sizes.length] ?? 1)
    parts.push(bytes.subarray(offset, end))
    offset = end
  }
  return parts
}

describe('record splitter', () => {
  test('finds the records wherever reads begin and end, in a shared block or not', () => {
    const block = new Uint8Array(HEADROOM_BYTES + 100_000)
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1_000, max: 100_000 })), {
      minLength: 1
    })
    fc.assert(
      fc.property(arbitraryRecords, sizes, fc.boolean(), (records, readSizes, isShared) => {
        const splitter = new RecordSplitter()
        const found: Uint8Array[] = []
        for (const read of reads(frame(records), [...readSizes, 30_000])) {
          block.fill(0xee)
          block.set(read, HEADROOM_BYTES)
          const inBlock = block.subarray(HEADROOM_BYTES, HEADROOM_BYTES + read.byteLength)
          for (const record of isShared ? splitter.decode(inBlock, block) : splitter.decode(new Uint8ArrayList(read))) {
            found.push(record.slice())
          }
        }
        const expected = frame(records.filter((record) => record.byteLength > 0))
        expect(Buffer.from(expected).equals(frame(found))).toBe(true)
        expect(splitter.carriedBytes).toBe(0)
      }),
      { numRuns: 40 }
    )
  })
})
