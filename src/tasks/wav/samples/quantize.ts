// Both make integers of one channel's samples: scaled, rounded to the nearest with halves to even, saturated. `at` is the index of
// the first in `out`, `stride` the integers of a frame. Adding and subtracting 1.5 × 2⁵² rounds to a whole number so. Constants
// are literals because the compiler loads named ones anew for every sample: the loop with dither takes 1.5 times as long.

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
  let clipped = 0
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const exact = (samples[start + frame] as number) * full
    let step = exact + 6_755_399_441_055_744 - 6_755_399_441_055_744
    if (step >= highest) {
      if (exact > limit) clipped++
      step = highest
    } else if (step <= lowest) {
      if (exact < -limit) clipped++
      step = lowest
    }
    out[index] = step
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
  // Says that these are int32, which additions that overflow would make the compiler forget.
  const firstLow = low | 0
  const addend = key | 0
  let clipped = 0
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    let hash = (firstLow + frame) | 0
    hash = (Math.imul(hash ^ (hash >>> 16), 0x7feb352d) + addend) | 0
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
    hash ^= hash >>> 16
    const exact = (samples[start + frame] as number) * full
    let step =
      exact + ((hash & 0xffff) + (hash >>> 16) - 0xffff) / 65_536 + 6_755_399_441_055_744 - 6_755_399_441_055_744
    if (step >= highest) {
      if (exact > limit) clipped++
      step = highest
    } else if (step <= lowest) {
      if (exact < -limit) clipped++
      step = lowest
    }
    out[index] = step
  }
  return clipped
}
