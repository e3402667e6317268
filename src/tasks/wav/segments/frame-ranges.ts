import type { FrameRange } from '../audio-format.ts'

/** @returns the ranges without the empty ones, rising, those that touch or overlap joined */
export function joinRanges(ranges: readonly FrameRange[]): readonly FrameRange[] {
  const sorted = ranges.filter((range) => range.end > range.start).sort((a, b) => a.start - b.start)
  const joined: { start: number; end: number }[] = []
  for (const { start, end } of sorted) {
    const last = joined.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else joined.push({ start, end })
  }
  return joined
}

export function lengthOf({ start, end }: FrameRange): number {
  return end - start
}

export function isEmpty({ start, end }: FrameRange): boolean {
  return end <= start
}
