import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { encodeLaneHead, LANE_BODY_BYTES_MIN, type LaneHead } from '../../src/network/lane-record.ts'
import { LaneSuite } from '../../src/network/lane-suite.ts'
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

  test('finds lane records between those of Noise, wherever reads begin and end', () => {
    const bodies = fc.oneof(
      fc.integer({ min: LANE_BODY_BYTES_MIN, max: 60 }),
      fc.integer({ min: 60_000, max: 300_000 })
    )
    const lanes = fc.array(
      bodies.map((bodyBytes) => ({ suite: LaneSuite.aes256Gcm, laneNumber: bodyBytes % 7, bodyBytes })),
      { maxLength: 6 }
    )
    const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 })
    const block = new Uint8Array(HEADROOM_BYTES + 100_000)
    fc.assert(
      fc.property(arbitraryRecords, lanes, sizes, (records, heads, readSizes) => {
        const seen: (LaneHead & { bytes: number })[] = []
        const splitter = new RecordSplitter({
          begin: (head) => seen.push({ ...head, bytes: 0 }),
          push: (bytes) => {
            const last = seen.at(-1)
            if (last !== undefined) last.bytes += bytes.byteLength
            expect(bytes.every((byte) => byte === 0xaa)).toBe(true)
          }
        })
        // A record of one byte is none of Noise's: its place is that of a lane's mark.
        const noise = records.filter((record) => record.byteLength !== 1)
        const laneBytes = heads.map((head) => [encodeLaneHead(head), new Uint8Array(head.bodyBytes).fill(0xaa)])
        const mixed = Array.from({ length: Math.max(noise.length, heads.length) }, (_, index) => [
          ...noise.slice(index, index + 1).map((record) => frame([record])),
          ...(laneBytes[index] ?? [])
        ]).flat()
        const found: Uint8Array[] = []
        for (const read of reads(Buffer.concat(mixed), [...readSizes, 30_000])) {
          block.set(read, HEADROOM_BYTES)
          const inBlock = block.subarray(HEADROOM_BYTES, HEADROOM_BYTES + read.byteLength)
          for (const record of splitter.decode(inBlock, block)) found.push(record.slice())
        }
        expect(Buffer.compare(frame(found), frame(noise.filter((record) => record.byteLength > 0)))).toBe(0)
        expect(seen).toEqual(heads.map((head) => ({ ...head, bytes: head.bodyBytes })))
        expect(splitter.carriedBytes).toBe(0)
      }),
      { numRuns: 40 }
    )
  })

  test('takes a mark for a record that is too short where there are no lanes', () => {
    expect([...new RecordSplitter().decode(Uint8Array.of(0, 1, 9))]).toEqual([Uint8Array.of(9)])
  })
})
