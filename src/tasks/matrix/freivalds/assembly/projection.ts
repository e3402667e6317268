// AssemblyScript, compiled by `npm run build:wasm`; neither tsc nor biome reads this folder.
//
// The passes of the check of a tile over A, B and C. Strict SIMD only, in a fixed order: the same bits on every CPU.
// All addresses and strides are bytes. Matrices are row-major f32; the caller lays out the memory. Numbers of columns and
// depths are multiples of four: vectors are zero behind the last element, where rows may run into what comes next.

/** Columns of a strip, the narrowest group of columns whose sums are kept apart. */
const STRIP_BYTES: usize = 64 << 2
/** Products of a lane that f32 adds before f64 takes over: 128. */
const RUN_BYTES: usize = 512 << 2

// @ts-ignore: decorator
@inline
function sumLanes(x: v128): f32 {
  let pairs = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/** The four lanes as two, in f64. */
// @ts-ignore: decorator
@inline
function widen(x: v128): v128 {
  let high = f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 0, 1))
  return f64x2.add(f64x2.promote_low_f32x4(x), high)
}

// @ts-ignore: decorator
@inline
function sumPair(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1)
}

/**
 * Rows times two vectors in f32, strip by strip of columns. Writes planes of f32, `planeBytes` apart, [rows] each: for each
 * strip both sums, and last Σ|x·first| over all strips. Adds Σ|x| by column to f32 at `sums`. An even number of rows.
 */
export function projectRows(
  from: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  first: usize,
  second: usize,
  to: usize,
  planeBytes: usize,
  sums: usize
): void {
  let rowBytes = <usize>columns << 2
  for (let row = 0; row < rows; row += 2) {
    let magnitude0 = f32x4.splat(0)
    let magnitude1 = magnitude0
    let target = to
    let column: usize = 0
    while (column < rowBytes) {
      let end = min(column + STRIP_BYTES, rowBytes)
      let x0 = f32x4.splat(0)
      let x1 = x0
      let y0 = x0
      let y1 = x0
      for (; column < end; column += 16) {
        let x = v128.load(first + column)
        let y = v128.load(second + column)
        let upper = v128.load(from + column)
        let lower = v128.load(from + stride + column)
        let sum = f32x4.add(v128.load(sums + column), f32x4.abs(upper))
        v128.store(sums + column, f32x4.add(sum, f32x4.abs(lower)))
        let upperX = f32x4.mul(upper, x)
        let lowerX = f32x4.mul(lower, x)
        x0 = f32x4.add(x0, upperX)
        x1 = f32x4.add(x1, lowerX)
        magnitude0 = f32x4.add(magnitude0, f32x4.abs(upperX))
        magnitude1 = f32x4.add(magnitude1, f32x4.abs(lowerX))
        y0 = f32x4.add(y0, f32x4.mul(upper, y))
        y1 = f32x4.add(y1, f32x4.mul(lower, y))
      }
      store<f32>(target, sumLanes(x0))
      store<f32>(target, sumLanes(x1), 4)
      target += planeBytes
      store<f32>(target, sumLanes(y0))
      store<f32>(target, sumLanes(y1), 4)
      target += planeBytes
    }
    store<f32>(target, sumLanes(magnitude0))
    store<f32>(target, sumLanes(magnitude1), 4)
    from += stride << 1
    to += 8
  }
}

/**
 * Rows times two vectors in f64, which are f64 as well. Writes planes of f64, `planeBytes` apart, [rows] each: for each
 * strip both sums and Σ|x·first|.
 */
export function projectRowsWide(
  from: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  first: usize,
  second: usize,
  to: usize,
  planeBytes: usize
): void {
  let rowBytes = <usize>columns << 2
  for (let row = 0; row < rows; row++) {
    let target = to
    let column: usize = 0
    while (column < rowBytes) {
      let end = min(column + STRIP_BYTES, rowBytes)
      let x0 = f64x2.splat(0)
      let x1 = x0
      let y0 = x0
      let y1 = x0
      let m0 = x0
      let m1 = x0
      for (; column < end; column += 16) {
        let values = v128.load(from + column)
        let low = f64x2.promote_low_f32x4(values)
        let high = f64x2.promote_low_f32x4(i32x4.shuffle(values, values, 2, 3, 0, 1))
        let x = first + (column << 1)
        let y = second + (column << 1)
        let lowX = f64x2.mul(low, v128.load(x))
        let highX = f64x2.mul(high, v128.load(x, 16))
        x0 = f64x2.add(x0, lowX)
        x1 = f64x2.add(x1, highX)
        m0 = f64x2.add(m0, f64x2.abs(lowX))
        m1 = f64x2.add(m1, f64x2.abs(highX))
        y0 = f64x2.add(y0, f64x2.mul(low, v128.load(y)))
        y1 = f64x2.add(y1, f64x2.mul(high, v128.load(y, 16)))
      }
      store<f64>(target, sumPair(f64x2.add(x0, x1)))
      target += planeBytes
      store<f64>(target, sumPair(f64x2.add(y0, y1)))
      target += planeBytes
      store<f64>(target, sumPair(f64x2.add(m0, m1)))
      target += planeBytes
    }
    from += stride
    to += 8
  }
}

/**
 * Rows times groups of two vectors of f32, and magnitudes of rows times a vector of magnitudes, in f32 over short runs and
 * in f64 over these. Vectors are `vectorBytes` apart, magnitudes first. Writes f64, [rows × (1 + 2·groups)]. Reads and
 * writes up to three rows more.
 */
export function multiplyRows(
  from: usize,
  stride: usize,
  rows: i32,
  depth: i32,
  vectors: usize,
  vectorBytes: usize,
  groups: i32,
  to: usize
): void {
  let rowBytes = <usize>depth << 2
  let resultBytes = <usize>(1 + 2 * groups) << 3
  for (let row = 0; row < rows; row += 4) {
    for (let at: usize = 0; at < resultBytes << 2; at += 8) store<f64>(to + at, 0)
    for (let inner: usize = 0; inner < rowBytes; inner += RUN_BYTES) {
      let bytes = min(RUN_BYTES, rowBytes - inner)
      let vector = vectors + inner
      multiplyMagnitudes(from + inner, stride, bytes, vector, to, resultBytes)
      vector += vectorBytes
      let target = to + 8
      for (let group = 0; group < groups; group++) {
        multiplyRun(from + inner, stride, bytes, vector, vector + vectorBytes, target, resultBytes)
        vector += vectorBytes << 1
        target += 16
      }
    }
    from += stride << 2
    to += resultBytes << 2
  }
}

// @ts-ignore: decorator
@inline
function addPair(to: usize, x: v128, y: v128): void {
  let wideX = widen(x)
  let wideY = widen(y)
  let low = i64x2.shuffle(wideX, wideY, 0, 2)
  let high = i64x2.shuffle(wideX, wideY, 1, 3)
  v128.store(to, f64x2.add(v128.load(to), f64x2.add(low, high)))
}

/** A run of four rows times two vectors. Exported so that it stays a function of its own. */
export function multiplyRun(
  from: usize,
  stride: usize,
  bytes: usize,
  first: usize,
  second: usize,
  to: usize,
  resultBytes: usize
): void {
  let from1 = from + stride
  let from2 = from1 + stride
  let from3 = from2 + stride
  let x0 = f32x4.splat(0)
  let x1 = x0
  let x2 = x0
  let x3 = x0
  let y0 = x0
  let y1 = x0
  let y2 = x0
  let y3 = x0
  for (let inner: usize = 0; inner < bytes; inner += 16) {
    let x = v128.load(first + inner)
    let y = v128.load(second + inner)
    let a0 = v128.load(from + inner)
    x0 = f32x4.add(x0, f32x4.mul(a0, x))
    y0 = f32x4.add(y0, f32x4.mul(a0, y))
    let a1 = v128.load(from1 + inner)
    x1 = f32x4.add(x1, f32x4.mul(a1, x))
    y1 = f32x4.add(y1, f32x4.mul(a1, y))
    let a2 = v128.load(from2 + inner)
    x2 = f32x4.add(x2, f32x4.mul(a2, x))
    y2 = f32x4.add(y2, f32x4.mul(a2, y))
    let a3 = v128.load(from3 + inner)
    x3 = f32x4.add(x3, f32x4.mul(a3, x))
    y3 = f32x4.add(y3, f32x4.mul(a3, y))
  }
  addPair(to, x0, y0)
  addPair(to + resultBytes, x1, y1)
  addPair(to + (resultBytes << 1), x2, y2)
  addPair(to + resultBytes * 3, x3, y3)
}

// @ts-ignore: decorator
@inline
function addTo(to: usize, x: v128): void {
  store<f64>(to, load<f64>(to) + sumPair(widen(x)))
}

/** Magnitudes of a run of four rows times a vector. Exported so that it stays a function of its own. */
export function multiplyMagnitudes(
  from: usize,
  stride: usize,
  bytes: usize,
  vector: usize,
  to: usize,
  resultBytes: usize
): void {
  let from1 = from + stride
  let from2 = from1 + stride
  let from3 = from2 + stride
  let s0 = f32x4.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  for (let inner: usize = 0; inner < bytes; inner += 16) {
    let x = v128.load(vector + inner)
    s0 = f32x4.add(s0, f32x4.mul(f32x4.abs(v128.load(from + inner)), x))
    s1 = f32x4.add(s1, f32x4.mul(f32x4.abs(v128.load(from1 + inner)), x))
    s2 = f32x4.add(s2, f32x4.mul(f32x4.abs(v128.load(from2 + inner)), x))
    s3 = f32x4.add(s3, f32x4.mul(f32x4.abs(v128.load(from3 + inner)), x))
  }
  addTo(to, s0)
  addTo(to + resultBytes, s1)
  addTo(to + (resultBytes << 1), s2)
  addTo(to + resultBytes * 3, s3)
}

/** Adds a row of A, [rows], times rows of B to sums of f64, [columns]; all arithmetic in f64. */
export function addCell(from: usize, stride: usize, rows: i32, columns: i32, a: usize, to: usize): void {
  let endA = a + (<usize>rows << 2)
  for (let column = 0; column < columns; column += 8) {
    let s0 = v128.load(to)
    let s1 = v128.load(to, 16)
    let s2 = v128.load(to, 32)
    let s3 = v128.load(to, 48)
    let source = from
    for (let factor = a; factor < endA; factor += 4) {
      let x = f64x2.splat(<f64>load<f32>(factor))
      let left = v128.load(source)
      let right = v128.load(source, 16)
      s0 = f64x2.add(s0, f64x2.mul(x, f64x2.promote_low_f32x4(left)))
      s1 = f64x2.add(s1, f64x2.mul(x, f64x2.promote_low_f32x4(i32x4.shuffle(left, left, 2, 3, 0, 1))))
      s2 = f64x2.add(s2, f64x2.mul(x, f64x2.promote_low_f32x4(right)))
      s3 = f64x2.add(s3, f64x2.mul(x, f64x2.promote_low_f32x4(i32x4.shuffle(right, right, 2, 3, 0, 1))))
      source += stride
    }
    v128.store(to, s0)
    v128.store(to, s1, 16)
    v128.store(to, s2, 32)
    v128.store(to, s3, 48)
    from += 32
    to += 64
  }
}
