import { largestRun, tryOrders } from './freivalds-orders.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** Unit roundoff of float32 and of float64, to nearest. */
export const UNIT_F32 = 2 ** -24
export const UNIT_F64 = 2 ** -53
/** Smallest normal float32. What is smaller may become zero in kernels that flush denormals. */
const NORMAL_MIN = 2 ** -126
/** From here on float32 rounds to infinity. */
const OVERFLOW = 2 ** 128 - 2 ** 103
/** Deviations of the statistical bound: 2·exp(−9²/2) = 5e-18 per element. */
const DEVIATIONS = 9
/** For sums over lanes that {@link tryOrders} does not form, such as two neighbouring lanes of sixteen. */
const PARTIAL_SLACK = 2
/** How much further than the orders that were tried a kernel with an order of its own may drift. */
const DRIFT_SLACK = 4

/** What float32 may make of one element. */
export interface Judgement {
  /** In words, when no honest kernel gives what was found. */
  readonly fault?: string
  /** The sum in float64. */
  readonly expected: number
  /** Largest |found − expected| of an honest kernel; infinite when the inputs are, or when the sum may overflow. */
  readonly limit: number
}

/** The products a·b of one element, which are exact in float64, and their sums. */
interface Products {
  readonly values: Float64Array
  sum: number
  /** Σ of the positive ones. */
  positive: number
  /** Σ of the negative ones' magnitudes. */
  negative: number
  squares: number
  /** Σ|a·b| where a or b is denormal: lost in kernels that read denormals as zero. */
  flushable: number
  hasPlusInfinity: boolean
  hasMinusInfinity: boolean
  hasNaN: boolean
  /** Infinity times a denormal: NaN for a kernel that reads denormals as zero. */
  mayBeNaN: boolean
}

/**
 * |fl(Σ) − Σ| ≤ gamma(k) · Σ|a·b| for k products in float32, in any order, with or without FMA: each product meets at most
 * k factors (1 + δ), |δ| ≤ u. Higham bounds their product's distance from 1 by γ_k = k·u / (1 − k·u); this is
 * (1 + u)^k − 1 ≤ e^(k·u) − 1 < γ_k, which also holds where k·u ≥ 1.
 *
 * @see N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, lemma 3.1 and §3.5
 */
export function gamma(k: number): number {
  return Math.expm1(k * UNIT_F32)
}

/**
 * @returns a share of the range of an element's partial sums, in order of k and from zero, that |found − expected| may have:
 *   {@link judgeElement} allows no less, since that range is the sum of a run, which neither Σ|a·b|, nor the products of one
 *   sign, nor the largest run is below
 */
export function safeShare(k: number): number {
  return Math.min(gamma(k), DEVIATIONS * UNIT_F32 * Math.sqrt(k))
}

/**
 * Recomputes one element in float64 and decides whether a float32 kernel can have come to what is claimed. The limit is
 * the smaller of two, plus what underflow and float64 add:
 *
 * - the worst case, {@link gamma} · Σ|a·b|, which holds always;
 * - the larger of 9·u·√(Σ(a·b)² + k·s²), where s is the largest partial sum, and four times the drift of float32 sums in
 *   the orders that {@link tryOrders} tries. The root is the probabilistic bound for rounding errors that are independent
 *   with mean zero: by Hoeffding's inequality it is exceeded with probability 5e-18. The drift is for those that are not
 *   independent (constants, ramps), which exceed that bound honestly.
 *
 * s is the largest run of neighbours or of a lane, doubled, and no more than the larger of Σ of the positive and Σ of the
 * negative products, which no order exceeds.
 *
 * Underflow adds 2·k·2^-126, as if every operation flushed, and Σ|a·b| over denormal inputs. Where a partial sum of some
 * order may overflow, the infinity (or, when both may, NaN) is accepted. NaN and infinite inputs give one class in any
 * order: NaN when a product is NaN or infinities of both signs meet, else the infinity.
 *
 * Takes about 10 flops per product, and 150 where the claim is off by more than the limit without drift.
 *
 * @see N. J. Higham, T. Mary, A New Approach to Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 41(5), 2019
 */
export function judgeElement(tile: ClaimedTile, row: number, column: number): Judgement {
  const found = tile.c[row * tile.n + column] as number
  const products = multiplyElement(tile, row, column)
  const expected = products.sum
  const unlimited = { expected, limit: Number.POSITIVE_INFINITY }
  if (!Number.isFinite(expected)) {
    const classes = classesOf(products)
    if (classes.some((value) => Object.is(value, found))) return unlimited
    return { ...unlimited, fault: `expected ${classes.join(' or ')}, found ${found}` }
  }
  if (!Number.isFinite(found)) {
    if (mayOverflowTo(found, products, tile.k)) return unlimited
    return { ...unlimited, fault: `expected ${expected}, which cannot overflow, found ${found}` }
  }
  const deviation = Math.abs(found - expected)
  const limit = limitOf(products, tile.k, deviation)
  if (deviation <= limit) return { expected, limit }
  return { expected, limit, fault: `expected ${expected} within ${limit.toPrecision(3)}, found ${found}` }
}

/** @returns the limit, or a lower one that the deviation keeps already */
function limitOf(products: Products, k: number, deviation: number): number {
  const { values, positive, negative, squares, flushable } = products
  const magnitudes = positive + negative
  const extra = 2 * k * NORMAL_MIN + flushable + k * UNIT_F64 * magnitudes
  const worst = gamma(k) * magnitudes
  const within = (partial: number): number => {
    const largest = Math.min(Math.max(positive, negative), PARTIAL_SLACK * partial)
    return DEVIATIONS * UNIT_F32 * Math.sqrt(squares + k * largest * largest)
  }
  const quick = Math.min(worst, within(largestRun(values))) + extra
  if (deviation <= quick) return quick
  const { partial, drift } = tryOrders(values)
  // Where an order overflows, its drift is unknown.
  const systematic = Number.isFinite(drift) ? DRIFT_SLACK * drift : worst
  return Math.min(worst, Math.max(within(partial), systematic)) + extra
}

function multiplyElement({ a, b, k, n }: ClaimedTile, row: number, column: number): Products {
  const values = new Float64Array(k)
  let [sum, positive, negative, squares, flushable] = [0, 0, 0, 0, 0]
  let [hasPlusInfinity, hasMinusInfinity, hasNaN, mayBeNaN] = [false, false, false, false]
  for (let inner = 0; inner < k; inner++) {
    const left = a[row * k + inner] as number
    const right = b[inner * n + column] as number
    const product = left * right
    const hasDenormal = isDenormal(left) || isDenormal(right)
    values[inner] = product
    sum += product
    if (Number.isFinite(product)) {
      squares += product * product
      if (product > 0) positive += product
      else negative -= product
      if (hasDenormal) flushable += Math.abs(product)
    } else {
      hasPlusInfinity ||= product > 0
      hasMinusInfinity ||= product < 0
      hasNaN ||= Number.isNaN(product)
      mayBeNaN ||= hasDenormal
    }
  }
  return {
    ...{ values, sum, positive, negative, squares, flushable },
    ...{ hasPlusInfinity, hasMinusInfinity, hasNaN, mayBeNaN }
  }
}

function isDenormal(value: number): boolean {
  return value !== 0 && Math.abs(value) < NORMAL_MIN
}

/** What a sum with a product that is not finite can be. Finite partial sums may overflow before the infinity comes. */
function classesOf(products: Products): readonly number[] {
  const { positive, negative, values, hasPlusInfinity, hasMinusInfinity, hasNaN, mayBeNaN } = products
  if (hasNaN || (hasPlusInfinity && hasMinusInfinity)) return [Number.NaN]
  const infinity = hasPlusInfinity ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  const opposite = hasPlusInfinity ? negative : positive
  const isAmbiguous = mayBeNaN || canOverflow(opposite, values.length)
  return isAmbiguous ? [infinity, Number.NaN] : [infinity]
}

function mayOverflowTo(found: number, { positive, negative }: Products, k: number): boolean {
  if (found === Number.POSITIVE_INFINITY) return canOverflow(positive, k)
  if (found === Number.NEGATIVE_INFINITY) return canOverflow(negative, k)
  return canOverflow(positive, k) && canOverflow(negative, k)
}

function canOverflow(magnitude: number, k: number): boolean {
  return magnitude * (1 + gamma(k)) >= OVERFLOW
}
