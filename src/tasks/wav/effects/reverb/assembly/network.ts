// AssemblyScript, compiled by test/tasks/wav/effects/reverb/build-wasm.ts; neither tsc nor biome reads this folder.
//
// Each sample is made by the same IEEE 754 multiplications and additions in the same order, whether alone or as a lane of a
// vector, so neither the length of a run nor the CPU changes a bit. All addresses are bytes; samples are f64.

/** A network's record: the low-passes of its eight loops times the feedback, then for each of its twelve lines start, end and next place. */
const TABLE: usize = 64
const LINE_BYTES: usize = 12
const COMBS: i32 = 8
const LINES: i32 = 12

/** Loops and all-passes over `count` samples at `input`; what they give goes to `wet`. */
export function advance(
  network: usize,
  input: usize,
  wet: usize,
  count: i32,
  gain: f64,
  feedback: f64,
  damping: f64
): void {
  let from = input
  let to = wet
  let left = count << 3
  while (left > 0) {
    let run = left
    for (let k = 0; k < COMBS; k++) run = min(run, roomOf(network, k))
    runCombs(network, from, to, run, gain, feedback, damping)
    for (let k = 0; k < COMBS; k++) moveOn(network, k, run)
    from += run
    to += run
    left -= run
  }
  for (let k = COMBS; k < LINES; k++) {
    to = wet
    left = count << 3
    while (left > 0) {
      const run = min(left, roomOf(network, k))
      runAllPass(placeOf(network, k), to, run)
      moveOn(network, k, run)
      to += run
      left -= run
    }
  }
}

/** Sets values below `floor` to 0. Returns whether all are 0 then. */
export function flush(from: usize, to: usize, floor: f64): bool {
  let isSilent = true
  for (; from < to; from += 8) {
    const value = load<f64>(from)
    if (value == 0) continue
    if (abs(value) < floor) store<f64>(from, 0)
    else isSilent = false
  }
  return isSilent
}

// @ts-ignore: decorator
@inline
function placeOf(network: usize, line: i32): usize {
  return load<u32>(network + TABLE + <usize>line * LINE_BYTES, 8)
}

/** Bytes up to a line's end. */
// @ts-ignore: decorator
@inline
function roomOf(network: usize, line: i32): i32 {
  const entry = network + TABLE + <usize>line * LINE_BYTES
  return load<i32>(entry, 4) - load<i32>(entry, 8)
}

// @ts-ignore: decorator
@inline
function moveOn(network: usize, line: i32, run: i32): void {
  const entry = network + TABLE + <usize>line * LINE_BYTES
  const next = load<i32>(entry, 8) + run
  store<i32>(entry, next == load<i32>(entry, 4) ? load<i32>(entry) : next, 8)
}

/** Greatest magnitude. */
export function peakOf(from: usize, count: i32): f64 {
  const end = from + (<usize>count << 3)
  let most = f64x2.splat(0)
  for (; from + 16 <= end; from += 16) most = f64x2.pmax(most, f64x2.abs(v128.load(from)))
  if (from < end) most = f64x2.pmax(most, f64x2.abs(v128.load64_zero(from)))
  return max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1))
}

/** Means of two signals; one more is written where the count is odd. */
export function meanOf(left: usize, right: usize, mean: usize, count: i32): void {
  const half = f64x2.splat(0.5)
  const end = mean + (<usize>count << 3)
  for (; mean < end; mean += 16) {
    v128.store(mean, f64x2.mul(f64x2.add(v128.load(left), v128.load(right)), half))
    left += 16
    right += 16
  }
}

/** Adds a signal times a factor; one more is touched where the count is odd. */
export function mix(wet: usize, dry: usize, gain: f64, count: i32): void {
  const factor = f64x2.splat(gain)
  const end = wet + (<usize>count << 3)
  for (; wet < end; wet += 16) {
    v128.store(wet, f64x2.add(v128.load(wet), f64x2.mul(v128.load(dry), factor)))
    dry += 16
  }
}

// @ts-ignore: decorator
@inline
function firsts(one: v128, other: v128): v128 {
  return v128.shuffle<f64>(one, other, 0, 2)
}

// @ts-ignore: decorator
@inline
function seconds(one: v128, other: v128): v128 {
  return v128.shuffle<f64>(one, other, 1, 3)
}

// @ts-ignore: decorator
@inline
function lowPass(y: v128, damped: v128, open: v128, damping: v128): v128 {
  return f64x2.add(f64x2.mul(y, open), f64x2.mul(damped, damping))
}

/** The eight loops, two in a vector, two frames in a turn, over bytes in which none of their lines ends. */
function runCombs(
  network: usize,
  from: usize,
  to: usize,
  run: i32,
  gain: f64,
  feedback: f64,
  damping: f64
): void {
  let p0 = placeOf(network, 0)
  let p1 = placeOf(network, 1)
  let p2 = placeOf(network, 2)
  let p3 = placeOf(network, 3)
  let p4 = placeOf(network, 4)
  let p5 = placeOf(network, 5)
  let p6 = placeOf(network, 6)
  let p7 = placeOf(network, 7)
  let d01 = v128.load(network, 0)
  let d23 = v128.load(network, 16)
  let d45 = v128.load(network, 32)
  let d67 = v128.load(network, 48)
  const damp = f64x2.splat(damping)
  const open = f64x2.splat(feedback * (1 - damping))
  const louder = f64x2.splat(gain)
  const end = from + run
  while (from + 16 <= end) {
    const x = f64x2.mul(v128.load(from), louder)
    const x0 = firsts(x, x)
    const x1 = seconds(x, x)
    const y0 = v128.load(p0)
    const y1 = v128.load(p1)
    const y2 = v128.load(p2)
    const y3 = v128.load(p3)
    const y4 = v128.load(p4)
    const y5 = v128.load(p5)
    const y6 = v128.load(p6)
    const y7 = v128.load(p7)
    v128.store(to, sumOf(y0, y1, y2, y3, y4, y5, y6, y7))
    d01 = lowPass(firsts(y0, y1), d01, open, damp)
    const w0 = f64x2.add(x0, d01)
    d01 = lowPass(seconds(y0, y1), d01, open, damp)
    const w1 = f64x2.add(x1, d01)
    v128.store(p0, firsts(w0, w1))
    v128.store(p1, seconds(w0, w1))
    d23 = lowPass(firsts(y2, y3), d23, open, damp)
    const w2 = f64x2.add(x0, d23)
    d23 = lowPass(seconds(y2, y3), d23, open, damp)
    const w3 = f64x2.add(x1, d23)
    v128.store(p2, firsts(w2, w3))
    v128.store(p3, seconds(w2, w3))
    d45 = lowPass(firsts(y4, y5), d45, open, damp)
    const w4 = f64x2.add(x0, d45)
    d45 = lowPass(seconds(y4, y5), d45, open, damp)
    const w5 = f64x2.add(x1, d45)
    v128.store(p4, firsts(w4, w5))
    v128.store(p5, seconds(w4, w5))
    d67 = lowPass(firsts(y6, y7), d67, open, damp)
    const w6 = f64x2.add(x0, d67)
    d67 = lowPass(seconds(y6, y7), d67, open, damp)
    const w7 = f64x2.add(x1, d67)
    v128.store(p6, firsts(w6, w7))
    v128.store(p7, seconds(w6, w7))
    p0 += 16
    p1 += 16
    p2 += 16
    p3 += 16
    p4 += 16
    p5 += 16
    p6 += 16
    p7 += 16
    from += 16
    to += 16
  }
  if (from < end) {
    const x = f64x2.splat(load<f64>(from) * gain)
    const y0 = v128.load64_zero(p0)
    const y1 = v128.load64_zero(p1)
    const y2 = v128.load64_zero(p2)
    const y3 = v128.load64_zero(p3)
    const y4 = v128.load64_zero(p4)
    const y5 = v128.load64_zero(p5)
    const y6 = v128.load64_zero(p6)
    const y7 = v128.load64_zero(p7)
    v128.store_lane<u64>(to, sumOf(y0, y1, y2, y3, y4, y5, y6, y7), 0)
    d01 = lowPass(firsts(y0, y1), d01, open, damp)
    const w0 = f64x2.add(x, d01)
    v128.store_lane<u64>(p0, w0, 0)
    v128.store_lane<u64>(p1, w0, 1)
    d23 = lowPass(firsts(y2, y3), d23, open, damp)
    const w2 = f64x2.add(x, d23)
    v128.store_lane<u64>(p2, w2, 0)
    v128.store_lane<u64>(p3, w2, 1)
    d45 = lowPass(firsts(y4, y5), d45, open, damp)
    const w4 = f64x2.add(x, d45)
    v128.store_lane<u64>(p4, w4, 0)
    v128.store_lane<u64>(p5, w4, 1)
    d67 = lowPass(firsts(y6, y7), d67, open, damp)
    const w6 = f64x2.add(x, d67)
    v128.store_lane<u64>(p6, w6, 0)
    v128.store_lane<u64>(p7, w6, 1)
  }
  v128.store(network, d01, 0)
  v128.store(network, d23, 16)
  v128.store(network, d45, 32)
  v128.store(network, d67, 48)
}

// @ts-ignore: decorator
@inline
function sumOf(y0: v128, y1: v128, y2: v128, y3: v128, y4: v128, y5: v128, y6: v128, y7: v128): v128 {
  const low = f64x2.add(f64x2.add(y0, y1), f64x2.add(y2, y3))
  return f64x2.add(low, f64x2.add(f64x2.add(y4, y5), f64x2.add(y6, y7)))
}

/** An all-pass over bytes in which its line does not end, two frames in a vector. */
function runAllPass(line: usize, wet: usize, run: i32): void {
  const half = f64x2.splat(0.5)
  const end = wet + run
  for (; wet + 16 <= end; wet += 16) {
    const x = v128.load(wet)
    const y = v128.load(line)
    v128.store(line, f64x2.add(x, f64x2.mul(half, y)))
    v128.store(wet, f64x2.sub(y, x))
    line += 16
  }
  if (wet == end) return
  const x = load<f64>(wet)
  const y = load<f64>(line)
  store<f64>(line, x + 0.5 * y)
  store<f64>(wet, y - x)
}
