import { scaleByPowerOfTwo } from './binary-exponent.ts'

// ln 2 as a sum; 32 bits in the first, so that its product with a binary exponent is exact.
const LN2_1 = 0.6931471803691238
const LN2_2 = 1.9082149288430703e-10
const LN2_3 = 4.275175589747649e-20

const EXPONENT_MAX = 709.782712893384
const EXPONENT_MIN = -745.1332191019412

// Taylor coefficients 1/n!: behind the last one, what is left below ln 2 / 2 is less than 2^-62.
const E3 = 1 / 6
const E4 = 1 / 24
const E5 = 1 / 120
const E6 = 1 / 720
const E7 = 1 / 5040
const E8 = 1 / 40_320
const E9 = 1 / 362_880
const E10 = 1 / 3_628_800
const E11 = 1 / 39_916_800
const E12 = 1 / 479_001_600
const E13 = 1 / 6_227_020_800
const E14 = 1 / 87_178_291_200

/**
 * e to a power from + − × alone: the same bits on every machine, within 2 units in the last place; 0 and Infinity beyond the
 * range of numbers.
 */
export function exactExp(exponent: number): number {
  return expOfSum(exponent, 0)
}

/**
 * e^(high + low), where `low` is what rounding took from `high`.
 * @param low at most one unit in the last place of `high`, or so
 */
export function expOfSum(high: number, low: number): number {
  if (Number.isNaN(high)) return Number.NaN
  if (high > EXPONENT_MAX) return Number.POSITIVE_INFINITY
  if (high < EXPONENT_MIN) return 0
  const twos = Math.round(high * Math.LOG2E)
  const first = high - twos * LN2_1
  const second = twos * LN2_2
  const rest = first - second
  const kept = rest - first
  const lost = first - (rest - kept) - (second + kept) + (low - twos * LN2_3)
  const near = E3 + rest * (E4 + rest * (E5 + rest * (E6 + rest * (E7 + rest * farTerms(rest)))))
  const curve = rest * rest * (0.5 + rest * near)
  const behind = curve + lost * (1 + (rest + curve))
  return scaleByPowerOfTwo(1 + (rest + behind), twos)
}

function farTerms(rest: number): number {
  const last = E11 + rest * (E12 + rest * (E13 + rest * E14))
  return E8 + rest * (E9 + rest * (E10 + rest * last))
}

// Below 1, the difference of two exponentials would lose digits: Taylor, up to what is less than 2^-64 of the result.
const H3 = 1 / 6
const H5 = 1 / 120
const H7 = 1 / 5040
const H9 = 1 / 362_880
const H11 = 1 / 39_916_800
const H13 = 1 / 6_227_020_800
const H15 = 1 / 1_307_674_368_000
const H17 = 1 / 355_687_428_096_000
const H19 = 1 / 121_645_100_408_832_000

/** Hyperbolic sine, as {@link exactExp}; ±Infinity beyond the range of numbers. */
export function exactSinh(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude < 1) {
    const z = x * x
    const tail = H11 + z * (H13 + z * (H15 + z * (H17 + z * H19)))
    return x + x * z * (H3 + z * (H5 + z * (H7 + z * (H9 + z * tail))))
  }
  let value: number
  if (magnitude > 700) {
    const root = exactExp(0.5 * magnitude)
    value = 0.5 * root * root
  } else {
    const power = exactExp(magnitude)
    value = 0.5 * (power - 1 / power)
  }
  return x < 0 ? -value : value
}
