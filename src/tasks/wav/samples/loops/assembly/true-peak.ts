// What lies between samples. A filter: innerGain, outerGain, bendGain, leakGain, then by pair of taps middle, even, odd. Before
// frame 0 of a window lie 24 earlier frames. Frame n completes the interval between n − 12 and n − 11.
//
// Only intervals that can pass a bound are interpolated. Which ones cannot is certain: |y| ≤ innerGain · greatest of the two
// nearest + outerGain · greatest of all, and ≤ greatest of the two nearest + bendGain · greatest second difference + leakGain ·
// greatest of all.

import { raiseToMagnitudes } from './scale.ts'

const GROUP: i32 = 64
const PAIRS: i32 = 12
const TAPS: usize = 32
const TAP_BYTES: usize = 24
/** Rounding of bound and sum together is far below this. */
const SLACK: f64 = 1 - 1e-9
const EVERYWHERE: i32 = 2

/**
 * Raises a peak to the greatest magnitude of frames `from` up to `until`, and of the intervals that they complete.
 * `positions` is how many places inside an interval count: 3, 1 or 0.
 */
export function raisePeak(window: usize, from: i32, until: i32, filter: usize, positions: i32, peak: f64): f64 {
  let past = greatestOf(window, from - 23, from)
  for (let start = from; start < until; start += GROUP) {
    const end = min(until, start + GROUP)
    const greatest = greatestOf(window, start, end)
    if (greatest > peak) peak = greatest
    const limit = quietLimit(window, start, end, filter, max(greatest, past), peak * SLACK)
    if (positions != 0 && limit < f64.MAX_VALUE) {
      for (let n = start; n < end; n += 2) {
        if (isQuiet(window, n, limit)) continue
        const level = levelsAt(window, n, filter, positions)
        peak = max(peak, f64x2.extract_lane(level, 0))
        if (n + 1 < end) peak = max(peak, f64x2.extract_lane(level, 1))
      }
    }
    past = greatest
  }
  return peak
}

/**
 * Raises levels to the magnitude of each frame and of the interval it completes; where none of these can pass the ceiling, a
 * level may stay as it is. Returns whether any level may be above the ceiling. One more than `count` is touched where that is odd.
 */
export function raiseLevels(
  window: usize,
  count: i32,
  levels: usize,
  filter: usize,
  positions: i32,
  ceiling: f64
): bool {
  let isAbove = false
  let past = greatestOf(window, -23, 0)
  for (let start = 0; start < count; start += GROUP) {
    const end = min(count, start + GROUP)
    const greatest = greatestOf(window, start, end)
    if (greatest > ceiling) {
      isAbove = true
      raiseToMagnitudes(levels + (<usize>start << 3), window + (<usize>start << 3), end - start)
    }
    if (positions != 0) {
      const limit = quietLimit(window, start, end, filter, max(greatest, past), ceiling * SLACK)
      if (limit < f64.MAX_VALUE) {
        for (let n = start; n < end; n += 2) {
          if (isQuiet(window, n, limit)) continue
          const level = levelsAt(window, n, filter, positions)
          if (!v128.any_true(f64x2.gt(level, f64x2.splat(ceiling)))) continue
          isAbove = true
          const at = levels + (<usize>n << 3)
          v128.store(at, f64x2.pmax(v128.load(at), level))
        }
      }
    }
    past = greatest
  }
  return isAbove
}

/** Greatest magnitude of frames `start` up to `end`. */
function greatestOf(window: usize, start: i32, end: i32): f64 {
  let at = window + (<isize>start << 3)
  const stop = window + (<isize>end << 3)
  let one = f64x2.splat(0)
  let other = one
  for (; at + 32 <= stop; at += 32) {
    one = f64x2.pmax(one, f64x2.abs(v128.load(at)))
    other = f64x2.pmax(other, f64x2.abs(v128.load(at, 16)))
  }
  one = f64x2.pmax(one, other)
  for (; at < stop; at += 8) one = f64x2.pmax(one, f64x2.abs(v128.load64_zero(at)))
  return max(f64x2.extract_lane(one, 0), f64x2.extract_lane(one, 1))
}

/**
 * Magnitude below which both neighbours of an interval have to be for it to stay below `bound` for certain; MAX_VALUE where no
 * interval of the group can pass it. `greatest` is the greatest magnitude of the group and the 23 frames before it.
 */
function quietLimit(window: usize, start: i32, end: i32, filter: usize, greatest: f64, bound: f64): f64 {
  const inner = load<f64>(filter)
  const outer = load<f64>(filter, 8)
  const byMagnitude = (bound - outer * greatest) / inner
  if (greatest <= byMagnitude) return f64.MAX_VALUE
  const bend = greatestBend(window, start - 21, end)
  const limit = max(byMagnitude, bound - load<f64>(filter, 16) * bend - load<f64>(filter, 24) * greatest)
  return greatest <= limit ? f64.MAX_VALUE : limit
}

/** Greatest second difference that ends with one of the frames. */
function greatestBend(window: usize, start: i32, end: i32): f64 {
  let at = window + (<isize>start << 3)
  const stop = window + (<isize>end << 3)
  let most = f64x2.splat(0)
  for (; at + 16 <= stop; at += 16) most = f64x2.pmax(most, bendAt(v128.load(at), v128.load(at - 8), v128.load(at - 16)))
  if (at < stop) {
    const last = bendAt(v128.load64_zero(at), v128.load64_zero(at - 8), v128.load64_zero(at - 16))
    most = f64x2.pmax(most, last)
  }
  return max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1))
}

// @ts-ignore: decorator
@inline
function bendAt(x: v128, last: v128, before: v128): v128 {
  return f64x2.abs(f64x2.add(f64x2.sub(x, f64x2.add(last, last)), before))
}

/** Whether the intervals of frames n and n + 1 have neighbours of at most `limit` alone. */
// @ts-ignore: decorator
@inline
function isQuiet(window: usize, n: i32, limit: f64): bool {
  const left = window + (<isize>(n - PAIRS) << 3)
  const nearest = f64x2.pmax(f64x2.abs(v128.load(left)), f64x2.abs(v128.load(left, 8)))
  return !v128.any_true(f64x2.gt(nearest, f64x2.splat(limit)))
}

/** Greatest magnitudes inside the intervals of frames n and n + 1, interpolated. */
function levelsAt(window: usize, n: i32, filter: usize, positions: i32): v128 {
  let left = window + (<isize>(n - PAIRS) << 3)
  let right = left + 8
  let tap = filter + TAPS
  let half = f64x2.splat(0)
  let common = half
  let apart = half
  for (let pair = 0; pair < PAIRS; pair++) {
    const a = v128.load(left)
    const b = v128.load(right)
    const both = f64x2.add(a, b)
    half = f64x2.add(half, f64x2.mul(v128.load64_splat(tap), both))
    common = f64x2.add(common, f64x2.mul(v128.load64_splat(tap, 8), both))
    apart = f64x2.add(apart, f64x2.mul(v128.load64_splat(tap, 16), f64x2.sub(a, b)))
    left -= 8
    right += 8
    tap += TAP_BYTES
  }
  const middle = f64x2.abs(half)
  if (positions < EVERYWHERE) return middle
  // The greater of |common + apart| and |common − apart|.
  return f64x2.pmax(middle, f64x2.add(f64x2.abs(common), f64x2.abs(apart)))
}
