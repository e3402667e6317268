import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SEGMENTS_MAX, SegmentGrid, type SegmentPass } from '../../../../src/tasks/wav/segments/segment-grid.ts'
import { grids } from '../../../support/audio-grids.ts'

function passOf(lengths: readonly (readonly [number, number])[]): SegmentPass {
  return {
    segmentCount: lengths.length,
    audioBytes: (index) => lengths[index]?.[0] ?? 0,
    reportBytes: (index) => lengths[index]?.[1] ?? 0
  }
}

describe('a grid of segments', () => {
  test('is partitioned by runs, whatever length they are cut to, and each run is found again', () => {
    fc.assert(
      fc.property(grids, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), (grid, wishes) => {
        const seen: string[] = []
        let offset = 0
        for (let turn = 0; offset < grid.byteLength; turn++) {
          const byteLength = grid.runBytes(offset, wishes[turn % wishes.length] ?? 1)
          expect(byteLength).toBeGreaterThan(0)
          const run = grid.runOf(offset, byteLength)
          for (const segment of grid.segmentsOf(run)) {
            expect(segment.offset).toBe(offset)
            offset += segment.audioBytes + segment.reportBytes
            seen.push(`${segment.pass}/${segment.index}`)
          }
        }
        expect(offset).toBe(grid.byteLength)
        expect(seen).toEqual(
          Array.from({ length: grid.passCount }, (_, pass) =>
            Array.from({ length: grid.segmentCount(pass) }, (_, index) => `${pass}/${index}`)
          ).flat()
        )
      })
    )
  })

  test('keeps runs within the length asked for, unless one segment is longer, and within their pass', () => {
    fc.assert(
      fc.property(grids, fc.integer({ min: 1, max: 500 }), (grid, wish) => {
        for (let offset = 0; offset < grid.byteLength; ) {
          const byteLength = grid.runBytes(offset, wish)
          const { count, pass } = grid.runOf(offset, byteLength)
          if (count > 1) expect(byteLength).toBeLessThanOrEqual(wish)
          expect(byteLength).toBeLessThanOrEqual(Math.max(wish, grid.segmentBytesMax))
          expect(offset + byteLength).toBeLessThanOrEqual(grid.passOffset(pass + 1))
          offset += byteLength
        }
      })
    )
  })

  test('refuses every range of bytes that is no run', () => {
    const grid = new SegmentGrid([
      passOf([
        [4, 2],
        [4, 2],
        [3, 1]
      ]),
      passOf([
        [8, 2],
        [8, 2]
      ])
    ])
    const edges = [
      [0, 6, 12, 16],
      [16, 26, 36]
    ]
    for (let offset = 0; offset <= grid.byteLength + 1; offset++) {
      for (let byteLength = -1; offset + byteLength <= grid.byteLength + 2; byteLength++) {
        const isRun = edges.some((own) => byteLength > 0 && own.includes(offset) && own.includes(offset + byteLength))
        if (isRun) expect(grid.runOf(offset, byteLength).count).toBeGreaterThan(0)
        else expect(() => grid.runOf(offset, byteLength)).toThrow(RangeError)
      }
    }
    for (const offset of [Number.NaN, -6, 0.5, 1e300]) {
      expect(() => grid.runOf(offset, 6)).toThrow(RangeError)
      expect(() => grid.runBytes(offset, 6)).toThrow(RangeError)
    }
  })

  test('knows where passes and their audio lie', () => {
    const grid = new SegmentGrid([
      passOf([
        [0, 7],
        [0, 5]
      ]),
      passOf([
        [8, 2],
        [6, 2]
      ])
    ])
    expect([0, 1, 2].map((pass) => grid.passOffset(pass))).toEqual([0, 12, 30])
    expect([0, 1].map((pass) => grid.passAudioBytes(pass))).toEqual([0, 14])
    expect(grid.segment(1, 1)).toEqual({
      pass: 1,
      index: 1,
      offset: 22,
      audioBytes: 6,
      reportBytes: 2,
      audioOffset: 8
    })
    expect(grid.segmentBytesMax).toBe(10)
  })

  test.each([
    [0, 2],
    [0, -1],
    [2, 0],
    [-1, 0],
    [0, Number.NaN]
  ])('has no segment %d/%d', (pass, index) => {
    const grid = new SegmentGrid([
      passOf([
        [4, 2],
        [4, 2]
      ]),
      passOf([[4, 2]])
    ])
    expect(() => grid.segment(pass, index)).toThrow(RangeError)
  })

  test('has no more segments than can be planned, over all passes', () => {
    const half = { segmentCount: SEGMENTS_MAX / 2, audioBytes: () => 0, reportBytes: () => 4 }
    expect(new SegmentGrid([half, half]).byteLength).toBe(SEGMENTS_MAX * 4)
    const one = { ...half, segmentCount: 1 }
    const endless = { ...half, segmentCount: Number.POSITIVE_INFINITY }
    for (const passes of [[half, half, one], [endless], [{ ...half, segmentCount: Number.NaN }]]) {
      expect(() => new SegmentGrid(passes)).toThrow(expect.objectContaining({ code: 'PARAMS_INVALID' }))
    }
  })
})
