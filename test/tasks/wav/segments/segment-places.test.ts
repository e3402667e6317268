import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SegmentGrid } from '../../../../src/tasks/wav/segments/segment-grid.ts'
import { SegmentPlaces } from '../../../../src/tasks/wav/segments/segment-places.ts'
import { grids } from '../../../support/audio-grids.ts'

const around = fc.record({ headBytes: fc.nat(60), tailBytes: fc.nat(60) })

/** Every segment of every pass. */
function allOf(grid: SegmentGrid) {
  return Array.from({ length: grid.passCount }, (_, pass) => [
    ...grid.segmentsOf({ pass, first: 0, count: grid.segmentCount(pass) })
  ]).flat()
}

describe('places of segments in a file', () => {
  test('never overlap, neither with each other nor with head and tail', () => {
    fc.assert(
      fc.property(grids, around, (grid, frame) => {
        const places = new SegmentPlaces(grid, frame)
        const spans = allOf(grid).flatMap(({ audioBytes, index, pass, reportBytes }) => [
          [places.audioPosition(pass, index), audioBytes] as const,
          [places.reportPosition(pass, index), reportBytes] as const
        ])
        spans.push([0, frame.headBytes], [places.tailOffset, frame.tailBytes])
        const taken = spans.filter(([, byteLength]) => byteLength > 0).sort(([left], [right]) => left - right)
        let end = 0
        for (const [position, byteLength] of taken) {
          expect(position).toBeGreaterThanOrEqual(end)
          end = position + byteLength
        }
      })
    )
  })

  test('put the audio of the last pass in its order between head and tail, and all else behind the end', () => {
    fc.assert(
      fc.property(grids, around, (grid, frame) => {
        const places = new SegmentPlaces(grid, frame)
        const last = grid.passCount - 1
        let position = frame.headBytes
        for (const { audioBytes, index, pass } of allOf(grid)) {
          if (pass < last) expect(places.audioPosition(pass, index)).toBeGreaterThanOrEqual(places.fileBytes)
          expect(places.reportPosition(pass, index)).toBeGreaterThanOrEqual(places.fileBytes)
          if (pass !== last) continue
          expect(places.audioPosition(pass, index)).toBe(position)
          position += audioBytes
        }
        expect(places.tailOffset).toBe(position)
        expect(places.fileBytes).toBe(position + frame.tailBytes)
      })
    )
  })

  test('of a chunk are those of its segments, in the order of its bytes and without gaps in them', () => {
    fc.assert(
      fc.property(grids, around, fc.integer({ min: 1, max: 300 }), (grid, frame, wish) => {
        const places = new SegmentPlaces(grid, frame)
        for (let chunkOffset = 0; chunkOffset < grid.byteLength; ) {
          const byteLength = grid.runBytes(chunkOffset, wish)
          const bytesAt = new Map<number, number>()
          let offset = 0
          for (const place of places.placesOf(chunkOffset, byteLength)) {
            expect(place.offset).toBe(offset)
            for (let byte = 0; byte < place.byteLength; byte++) bytesAt.set(offset + byte, place.position + byte)
            offset += place.byteLength
          }
          expect(offset).toBe(byteLength)
          for (const segment of grid.segmentsOf(grid.runOf(chunkOffset, byteLength))) {
            const at = segment.offset - chunkOffset
            const { audioBytes, index, pass } = segment
            if (audioBytes > 0) expect(bytesAt.get(at)).toBe(places.audioPosition(pass, index))
            expect(bytesAt.get(at + audioBytes)).toBe(places.reportPosition(pass, index))
          }
          chunkOffset += byteLength
        }
      })
    )
  })

  test('of what is no run are not told', () => {
    fc.assert(
      fc.property(grids, around, (grid, frame) => {
        const places = new SegmentPlaces(grid, frame)
        expect(() => [...places.placesOf(0, grid.byteLength + 1)]).toThrow(RangeError)
        expect(() => [...places.placesOf(-1, 1)]).toThrow(RangeError)
      })
    )
  })
})
