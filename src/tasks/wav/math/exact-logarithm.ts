import { exponentOf, powerOfTwo } from './binary-exponent.ts'
import { expOfSum } from './exact-exponential.ts'

// ln 2 as a sum; 32 bits in the first, so that its product with a binary exponent is exact.
const LN2_1 = 0.6931471803691238
const LN2_2 = 1.9082149288430703e-10
const LN2_3 = 4.275175589747649e-20
const THIRD_HIGH = 0.3333333333333333
const THIRD_LOW = 1.850371707708594e-17
const FIFTH_HIGH = 0.2
const FIFTH_LOW = -1.1102230246251566e-17
// 20 / ln 10: decibels per neper.
const DECIBELS_HIGH = 8.685889638065037
const DECIBELS_LOW = -2.244252798067096e-16

const LEAST_NORMAL = 2.2250738585072014e-308
const SPLITTER = 134_217_729

/** What {@link logPair} found: the logarithm as [high, low]. */
const pair = new Float64Array(2)

/**
 * Natural logarithm from + − × ÷ alone: the same bits on every machine, within 2 units in the last place; −Infinity for 0,
 * NaN for what is less.
 */
export function exactLog(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN
  logPair(x)
  return (pair[0] as number) + (pair[1] as number)
}

/**
 * A power from + − × ÷ alone: the same bits on every machine, within 2 units in the last place.
 * @param base above 0, finite; NaN otherwise, but 0 gives 0 for exponents above 0
 * @param exponent finite; NaN otherwise
 */
export function exactPow(base: number, exponent: number): number {
  if (exponent === 0) return 1
  if (base === 0 && exponent > 0) return 0
  if (!(base > 0 && base < Number.POSITIVE_INFINITY) || !Number.isFinite(exponent)) return Number.NaN
  logPair(base)
  const logHigh = pair[0] as number
  const logLow = pair[1] as number
  const high = exponent * logHigh
  if (Math.abs(high) > 800) return high > 0 ? Number.POSITIVE_INFINITY : 0
  return expOfSum(high, productRest(exponent, logHigh, high) + exponent * logLow)
}

/** Gain as a factor, 10^(dB / 20), as {@link exactPow}; 0 for −Infinity. */
export function decibelsToGain(decibels: number): number {
  return decibels === Number.NEGATIVE_INFINITY ? 0 : exactPow(10, decibels / 20)
}

/**
 * A factor's gain in decibels, 20 · log10, as {@link exactLog}; −Infinity for 0.
 * @param gain 0 or more
 */
export function gainToDecibels(gain: number): number {
  if (!(gain > 0) || gain === Number.POSITIVE_INFINITY) return exactLog(gain)
  logPair(gain)
  const logHigh = pair[0] as number
  const high = DECIBELS_HIGH * logHigh
  return (
    high + (productRest(DECIBELS_HIGH, logHigh, high) + (DECIBELS_HIGH * (pair[1] as number) + DECIBELS_LOW * logHigh))
  )
}

/**
 * Logarithm to about 65 bits, into {@link pair}: with x = m · 2^e and s = (m − 1) / (m + 1), it is
 * e · ln 2 + 2 (s + s³/3 + s⁵/5 + …); the first three terms are kept as sums of two numbers.
 */
function logPair(x: number): void {
  const scaled = x < LEAST_NORMAL ? x * 18_014_398_509_481_984 : x
  let twos = exponentOf(scaled)
  let m = scaled * powerOfTwo(-(twos >> 1)) * powerOfTwo((twos >> 1) - twos)
  if (m > Math.SQRT2) {
    m *= 0.5
    twos += 1
  }
  if (x < LEAST_NORMAL) twos -= 54
  const top = m - 1
  const bottom = m + 1
  const bottomLost = m - (bottom - 1)
  const s = top / bottom
  const back = s * bottom
  const sLow = (top - back - productRest(s, bottom, back) - s * bottomLost) / bottom
  const z = s * s
  const zLow = productRest(s, s, z) + 2 * s * sLow
  // (z/3 + z²/5) + z³/7 + …, times s, behind s itself
  const zSquare = z * z
  const zSquareLow = productRest(z, z, zSquare) + 2 * z * zLow
  const third = z * THIRD_HIGH
  const thirdLow = productRest(z, THIRD_HIGH, third) + (z * THIRD_LOW + zLow * THIRD_HIGH)
  const fifth = zSquare * FIFTH_HIGH
  const fifthLow = productRest(zSquare, FIFTH_HIGH, fifth) + (zSquare * FIFTH_LOW + zSquareLow * FIFTH_HIGH)
  const series = third + fifth
  const seriesLow = third - series + fifth + (thirdLow + fifthLow + zSquare * z * farTerms(z))
  const behind = s * series
  const behindLow = productRest(s, series, behind) + (s * seriesLow + sLow * series)
  const half = s + behind
  const halfLow = s - half + behind + (sLow + behindLow)
  if (twos === 0) {
    const high = 2 * (half + halfLow)
    pair[0] = high
    pair[1] = 2 * half - high + 2 * halfLow
    return
  }
  addTwos(twos, 2 * half, 2 * halfLow)
}

/** Adds `twos` · ln 2 to a logarithm below it, into {@link pair}. */
function addTwos(twos: number, high: number, low: number): void {
  const first = twos * LN2_1
  const second = twos * LN2_2
  const whole = first + second
  const wholeLow = first - whole + second + (productRest(twos, LN2_2, second) + twos * LN2_3)
  const sum = whole + high
  const rest = whole - sum + high + (wholeLow + low)
  pair[0] = sum + rest
  pair[1] = sum - (sum + rest) + rest
}

function farTerms(z: number): number {
  const last = 1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21 + z * (1 / 23))))
  return 1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * last)))
}

/** What rounding took from `a · b`, when `product` is that product. @see T. J. Dekker, Numer. Math. 18 (1971), 224 */
function productRest(a: number, b: number, product: number): number {
  const aWide = a * SPLITTER
  const aHigh = aWide - (aWide - a)
  const aLow = a - aHigh
  const bWide = b * SPLITTER
  const bHigh = bWide - (bWide - b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}
