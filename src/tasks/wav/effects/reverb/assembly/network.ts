// AssemblyScript, compiled by test/tasks/wav/effects/reverb/build-wasm.ts; neither tsc nor biome reads this folder.
//
// Each sample is made by the same IEEE 754 multiplications and additions in the same order, whether alone or as a lane of a
// vector, so neither the length of a run nor the CPU changes a bit. All addresses are bytes; samples are f64.

/** A network's record: the low-passes of its eight loops, then for each of its twelve lines start, end and next place. */
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

// @ts-ignore: decorator
@inline
function loadPair(one: usize, other: usize): v128 {
  return v128.load_lane<u64>(other, v128.load64_zero(one), 1)
}

// @ts-ignore: decorator
@inline
function lowPass(y: v128, damped: v128, open: v128, damping: v128): v128 {
  return f64x2.add(f64x2.mul(y, open), f64x2.mul(damped, damping))
}

/** The eight loops, two in a vector, over bytes in which none of their lines ends. */
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
  let d01 = v128.load(network)
  let d23 = v128.load(network, 16)
  let d45 = v128.load(network, 32)
  let d67 = v128.load(network, 48)
  const back = f64x2.splat(feedback)
  const damp = f64x2.splat(damping)
  const open = f64x2.splat(1 - damping)
  const end = from + run
  while (from < end) {
    const x = f64x2.splat(load<f64>(from) * gain)
    const y01 = loadPair(p0, p1)
    const y23 = loadPair(p2, p3)
    const y45 = loadPair(p4, p5)
    const y67 = loadPair(p6, p7)
    d01 = lowPass(y01, d01, open, damp)
    d23 = lowPass(y23, d23, open, damp)
    d45 = lowPass(y45, d45, open, damp)
    d67 = lowPass(y67, d67, open, damp)
    const w01 = f64x2.add(x, f64x2.mul(d01, back))
    const w23 = f64x2.add(x, f64x2.mul(d23, back))
    const w45 = f64x2.add(x, f64x2.mul(d45, back))
    const w67 = f64x2.add(x, f64x2.mul(d67, back))
    v128.store_lane<u64>(p0, w01, 0)
    v128.store_lane<u64>(p1, w01, 1)
    v128.store_lane<u64>(p2, w23, 0)
    v128.store_lane<u64>(p3, w23, 1)
    v128.store_lane<u64>(p4, w45, 0)
    v128.store_lane<u64>(p5, w45, 1)
    v128.store_lane<u64>(p6, w67, 0)
    v128.store_lane<u64>(p7, w67, 1)
    const sum = f64x2.add(f64x2.add(y01, y23), f64x2.add(y45, y67))
    store<f64>(to, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1))
    p0 += 8
    p1 += 8
    p2 += 8
    p3 += 8
    p4 += 8
    p5 += 8
    p6 += 8
    p7 += 8
    from += 8
    to += 8
  }
  v128.store(network, d01)
  v128.store(network, d23, 16)
  v128.store(network, d45, 32)
  v128.store(network, d67, 48)
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
