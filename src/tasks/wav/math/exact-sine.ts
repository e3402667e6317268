/** Greatest magnitude of an angle, in radians: so far the reduction is exact. */
export const ANGLE_MAX = 1_048_576

const QUARTERS_PER_RADIAN = 0.6366197723675814

// π/2 as a sum: 33 bits in each of the first three, so that their products with a count of quarters below 2^20 are exact.
const QUARTER_1 = 1.5707963267341256
const QUARTER_2 = 6.077100506303966e-11
const QUARTER_3 = 2.0222662487111665e-21
const QUARTER_4 = 8.4784276603689e-32

// Taylor coefficients 1/n!: behind the last one, what is left below π/4 is less than 2^-63 of the result.
const S3 = -1 / 6
const S5 = 1 / 120
const S7 = -1 / 5040
const S9 = 1 / 362_880
const S11 = -1 / 39_916_800
const S13 = 1 / 6_227_020_800
const S15 = -1 / 1_307_674_368_000
const S17 = 1 / 355_687_428_096_000
const C4 = 1 / 24
const C6 = -1 / 720
const C8 = 1 / 40_320
const C10 = -1 / 3_628_800
const C12 = 1 / 479_001_600
const C14 = -1 / 87_178_291_200
const C16 = 1 / 20_922_789_888_000
const C18 = -1 / 6_402_373_705_728_000

/**
 * Sine from + − × alone: the same bits on every machine, within 2 units in the last place.
 * @param angle in radians, at most {@link ANGLE_MAX} either way; NaN for what is not finite
 * @throws RangeError when the angle is beyond {@link ANGLE_MAX}
 */
export function exactSin(angle: number): number {
  return turn(angle, 0)
}

/**
 * Cosine, as {@link exactSin}.
 * @param angle in radians, at most {@link ANGLE_MAX} either way; NaN for what is not finite
 * @throws RangeError when the angle is beyond {@link ANGLE_MAX}
 */
export function exactCos(angle: number): number {
  return turn(angle, 1)
}

/** Sine of `angle` plus `quarters` quarter turns. */
function turn(angle: number, quarters: number): number {
  const magnitude = Math.abs(angle)
  if (!(magnitude < Number.POSITIVE_INFINITY)) return Number.NaN
  if (magnitude === 0) return quarters === 0 ? angle : 1
  if (magnitude > ANGLE_MAX) throw new RangeError(`an angle is ${angle} rad; reduce it to ±${ANGLE_MAX} first`)
  const count = Math.round(angle * QUARTERS_PER_RADIAN)
  if (count === 0) return quarters === 0 ? sineKernel(angle, 0) : cosineKernel(angle, 0)
  // The rest as high + low: each subtraction is exact, or its rounding goes to the low part.
  const first = angle - count * QUARTER_1
  const second = count * QUARTER_2
  const partly = first - second
  const third = count * QUARTER_3
  const rest = partly - third
  const lost = difference(first, second, partly) + (difference(partly, third, rest) - count * QUARTER_4)
  const high = rest + lost
  const low = rest - high + lost
  const quadrant = (count + quarters) & 3
  const value = (quadrant & 1) === 0 ? sineKernel(high, low) : cosineKernel(high, low)
  return quadrant < 2 ? value : -value
}

/** What rounding took from `a − b`, when `rounded` is that difference. */
function difference(a: number, b: number, rounded: number): number {
  const kept = rounded - a
  return a - (rounded - kept) - (b + kept)
}

function sineKernel(high: number, low: number): number {
  const z = high * high
  const tail = S7 + z * (S9 + z * (S11 + z * (S13 + z * (S15 + z * S17))))
  return high + (high * z * (S3 + z * (S5 + z * tail)) + low * (1 - 0.5 * z))
}

function cosineKernel(high: number, low: number): number {
  const z = high * high
  const half = 0.5 * z
  const tail = C10 + z * (C12 + z * (C14 + z * (C16 + z * C18)))
  const behind = z * z * (C4 + z * (C6 + z * (C8 + z * tail)))
  const head = 1 - half
  return head + (1 - head - half + (behind - high * low))
}
