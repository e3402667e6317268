// Vector loops of one operation. Where a count is odd, one sample more is touched.

/** Multiplies samples by a factor, in place. */
export function scale(samples: usize, factor: f64, count: i32): void {
  const factors = f64x2.splat(factor)
  const end = samples + (<usize>count << 3)
  for (; samples < end; samples += 16) v128.store(samples, f64x2.mul(v128.load(samples), factors))
}

/** Raises levels to magnitudes of samples. */
export function raiseToMagnitudes(levels: usize, samples: usize, count: i32): void {
  const end = samples + (<usize>count << 3)
  for (; samples < end; samples += 16, levels += 16) {
    v128.store(levels, f64x2.pmax(v128.load(levels), f64x2.abs(v128.load(samples))))
  }
}

/** Multiplies `count` samples by gains, in place. */
export function multiply(samples: usize, gains: usize, count: i32): void {
  const end = samples + (<usize>count << 3)
  for (; samples < end; samples += 16, gains += 16) {
    v128.store(samples, f64x2.mul(v128.load(samples), v128.load(gains)))
  }
}

/** Turns levels into the part of them that is above a ceiling: 1 − ceiling / level, or 0. */
export function turnIntoReductions(levels: usize, ceiling: f64, count: i32): void {
  const ceilings = f64x2.splat(ceiling)
  const end = levels + (<usize>count << 3)
  for (; levels < end; levels += 16) {
    const level = v128.load(levels)
    const isAbove = f64x2.gt(level, ceilings)
    const reduction = v128.any_true(isAbove) ? f64x2.sub(f64x2.splat(1), f64x2.div(ceilings, level)) : isAbove
    v128.store(levels, v128.and(reduction, isAbove))
  }
}

/** Takes parts of samples away, in place, and clips them: rounding alone could lift one above the ceiling. None of −0 leaves −0. */
export function reduce(samples: usize, reductions: usize, ceiling: f64, count: i32): void {
  const highest = f64x2.splat(ceiling)
  const lowest = f64x2.splat(-ceiling)
  const whole = f64x2.splat(1)
  const end = samples + (<usize>count << 3)
  for (; samples < end; samples += 16) {
    const turned = f64x2.mul(v128.load(samples), f64x2.sub(whole, v128.load(reductions)))
    v128.store(samples, f64x2.pmin(f64x2.pmax(turned, lowest), highest))
    reductions += 16
  }
}
