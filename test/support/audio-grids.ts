import fc from 'fast-check'
import { SegmentGrid } from '../../src/tasks/wav/segments/segment-grid.ts'

/** Bytes of the audio and of the report of segments; a pass that only measures has no audio. */
const segments = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 40 })),
  fc.tuple(fc.constant(0), fc.integer({ min: 1, max: 40 }))
)

/** Grids of up to three passes. */
export const grids = fc.array(fc.array(segments, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }).map(
  (passes) =>
    new SegmentGrid(
      passes.map((lengths) => ({
        segmentCount: lengths.length,
        audioBytes: (index) => lengths[index]?.[0] ?? 0,
        reportBytes: (index) => lengths[index]?.[1] ?? 0
      }))
    )
)
