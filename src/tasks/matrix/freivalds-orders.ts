/** What partial sums of some products can look like, over the orders in which kernels add. */
export interface OrderSpread {
  /** Largest partial sum, as a magnitude. */
  readonly partial: number
  /** How far rounding drifted in float32, at most over the orders that were tried. */
  readonly drift: number
}

/** Lanes of kernels that keep several sums per element, as dot products with SIMD do. */
const STRIDES = [1, 2, 4, 8, 16, 32, 64]

/**
 * Largest sum over any run of neighbours: what can stand in an accumulator of a kernel that adds in order, backwards, in
 * blocks, in parts of k, or in a tree.
 */
export function largestRun(products: Float64Array): number {
  let sum = 0
  let low = 0
  let high = 0
  for (let index = 0; index < products.length; index++) {
    sum += products[index] as number
    if (sum < low) low = sum
    else if (sum > high) high = sum
  }
  return high - low
}

/**
 * Adds the products in float32 in order, backwards, and in 2 to 64 lanes, and looks at partial sums and rounding. Rounding
 * errors that are no accident, such as those of a constant that is added again and again, show here as drift.
 */
export function tryOrders(products: Float64Array): OrderSpread {
  let partial = 0
  let drift = driftOf(products, products.length - 1, -1).drift
  for (const stride of STRIDES) {
    let laneDrifts = 0
    for (let lane = 0; lane < Math.min(stride, products.length); lane++) {
      const found = driftOf(products, lane, stride)
      partial = Math.max(partial, found.partial)
      laneDrifts += found.drift
    }
    drift = Math.max(drift, laneDrifts)
  }
  return { partial, drift }
}

function driftOf(products: Float64Array, start: number, step: number): OrderSpread {
  let exact = 0
  let rounded = 0
  let [low, high, lowest, highest] = [0, 0, 0, 0]
  for (let index = start; index >= 0 && index < products.length; index += step) {
    const product = products[index] as number
    exact += product
    rounded = Math.fround(rounded + Math.fround(product))
    const error = rounded - exact
    low = Math.min(low, exact)
    high = Math.max(high, exact)
    lowest = Math.min(lowest, error)
    highest = Math.max(highest, error)
  }
  return { partial: high - low, drift: highest - lowest }
}
