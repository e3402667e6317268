import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEmpty, joinRanges, lengthOf } from '../../../../src/tasks/wav/segments/frame-ranges.ts'

const ranges = fc.array(
  fc.record({ start: fc.nat(40), frames: fc.integer({ min: -2, max: 12 }) }).map(({ start, frames }) => ({
    start,
    end: start + frames
  })),
  { maxLength: 6 }
)

function framesOf(list: readonly { start: number; end: number }[]): Set<number> {
  return new Set(
    list.flatMap(({ start, end }) => Array.from({ length: Math.max(0, end - start) }, (_, at) => start + at))
  )
}

test('joined ranges hold the same frames, rise, and do not touch', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const before = structuredClone(list)
      const joined = joinRanges(list)
      expect(list).toEqual(before)
      expect([...framesOf(joined)].sort()).toEqual([...framesOf(list)].sort())
      expect(joined.some(isEmpty)).toBe(false)
      for (const [index, range] of joined.entries()) {
        const next = joined[index + 1]
        if (next !== undefined) expect(next.start).toBeGreaterThan(range.end)
      }
      expect(joined.reduce((sum, range) => sum + lengthOf(range), 0)).toBe(framesOf(list).size)
    })
  )
})
