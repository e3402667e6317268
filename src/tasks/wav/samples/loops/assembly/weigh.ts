// K-weighting, sums and extremes of two channels, one in each lane.

/** A state: last two inputs, shelf outputs and high-pass outputs, then sum, squares, weighted squares, least and greatest. */
const SUM: usize = 96
const SQUARES: usize = 112
const WEIGHTED: usize = 128
const LEAST: usize = 144
const GREATEST: usize = 160

/**
 * Takes frames `from` up to `until` into a state. The filters run in direct form I: each output waits for one product and one
 * difference of the one before, which is what bounds their speed.
 */
export function weighPair(left: usize, right: usize, from: i32, until: i32, filter: usize, state: usize): void {
  const b0 = v128.load64_splat(filter)
  const b1 = v128.load64_splat(filter, 8)
  const b2 = v128.load64_splat(filter, 16)
  const a1 = v128.load64_splat(filter, 24)
  const a2 = v128.load64_splat(filter, 32)
  const c1 = v128.load64_splat(filter, 40)
  const c2 = v128.load64_splat(filter, 48)
  let x1 = v128.load(state)
  let x2 = v128.load(state, 16)
  let y1 = v128.load(state, 32)
  let y2 = v128.load(state, 48)
  let w1 = v128.load(state, 64)
  let w2 = v128.load(state, 80)
  let sum = v128.load(state, SUM)
  let squares = v128.load(state, SQUARES)
  let weighted = v128.load(state, WEIGHTED)
  let least = v128.load(state, LEAST)
  let greatest = v128.load(state, GREATEST)
  const end = left + (<usize>until << 3)
  let l = left + (<usize>from << 3)
  let r = right + (<usize>from << 3)
  while (l < end) {
    const x = v128.load_lane<u64>(r, v128.load64_zero(l), 1)
    const fir = f64x2.add(f64x2.add(f64x2.mul(b0, x), f64x2.mul(b1, x1)), f64x2.mul(b2, x2))
    const y = f64x2.sub(f64x2.sub(fir, f64x2.mul(a2, y2)), f64x2.mul(a1, y1))
    const bend = f64x2.add(f64x2.sub(y, f64x2.add(y1, y1)), y2)
    const w = f64x2.sub(f64x2.sub(bend, f64x2.mul(c2, w2)), f64x2.mul(c1, w1))
    sum = f64x2.add(sum, x)
    squares = f64x2.add(squares, f64x2.mul(x, x))
    weighted = f64x2.add(weighted, f64x2.mul(w, w))
    least = f64x2.pmin(least, x)
    greatest = f64x2.pmax(greatest, x)
    x2 = x1
    x1 = x
    y2 = y1
    y1 = y
    w2 = w1
    w1 = w
    l += 8
    r += 8
  }
  v128.store(state, x1)
  v128.store(state, x2, 16)
  v128.store(state, y1, 32)
  v128.store(state, y2, 48)
  v128.store(state, w1, 64)
  v128.store(state, w2, 80)
  v128.store(state, sum, SUM)
  v128.store(state, squares, SQUARES)
  v128.store(state, weighted, WEIGHTED)
  v128.store(state, least, LEAST)
  v128.store(state, greatest, GREATEST)
}
