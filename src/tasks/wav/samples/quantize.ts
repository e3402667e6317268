// Both make integers of one channel's samples: scaled, rounded to the nearest with halves to even, saturated. `at` is the index of
// the first in `out`, `stride` the integers of a frame. Adding and subtracting 1.5 × 2⁵² rounds to a whole number so. Constants
// are literals because the compiler loads named ones anew for every sample: the loop with dither takes 1.5 times as long.
// `| 0` tells it what is int32, which arguments and sums that may overflow are not by themselves.

/**
 * @param full steps in full scale, 2^(bits − 1)
 * @returns samples beyond full scale by more than half a step; +1 itself becomes full − 1 and is not one of them
 */
export function quantize(
  samples: Float64Array,
  start: number,
  frames: number,
  full: number,
  out: Int32Array,
  at: number,
  stride: number
): number {
  const highest = full - 1
  const limit = full + 0.5
  const lowest = -full
  const first = start | 0
  const end = frames | 0
  const step = stride | 0
  let clipped = 0
  for (let frame = 0, index = at | 0; frame < end; frame++, index += step) {
    const exact = (samples[first + frame] as number) * full
    let value = exact + 6_755_399_441_055_744 - 6_755_399_441_055_744
    if (value >= highest) {
      if (exact > limit) clipped++
      value = highest
    } else if (value <= lowest) {
      if (exact < -limit) clipped++
      value = lowest
    }
    out[index] = value
  }
  return clipped
}

/**
 * As {@link quantize}, with dither before rounding. Samples that dither alone takes beyond full scale are saturated and not counted.
 * @param low bits of the first frame's index, int32; all the frames have the same high ones
 * @param key as `ditherKey` gives
 */
export function quantizeDithered(
  samples: Float64Array,
  start: number,
  frames: number,
  full: number,
  out: Int32Array,
  at: number,
  stride: number,
  low: number,
  key: number
): number {
  const highest = full - 1
  const limit = full + 0.5
  const lowest = -full
  const firstLow = low | 0
  const addend = key | 0
  const first = start | 0
  const end = frames | 0
  const step = stride | 0
  let clipped = 0
  for (let frame = 0, index = at | 0; frame < end; frame++, index += step) {
    let hash = (firstLow + frame) | 0
    hash = (Math.imul(hash ^ (hash >>> 16), 0x7feb352d) + addend) | 0
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
    hash ^= hash >>> 16
    const exact = (samples[first + frame] as number) * full
    let value =
      exact + ((hash & 0xffff) + (hash >>> 16) - 0xffff) / 65_536 + 6_755_399_441_055_744 - 6_755_399_441_055_744
    if (value >= highest) {
      if (exact > limit) clipped++
      value = highest
    } else if (value <= lowest) {
      if (exact < -limit) clipped++
      value = lowest
    }
    out[index] = value
  }
  return clipped
}
