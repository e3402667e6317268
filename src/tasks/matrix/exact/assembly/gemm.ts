// AssemblyScript, compiled by `npm run build:wasm`; neither tsc nor biome reads this folder.
//
// Each element of C is the plain sum over k ascending, one rounding per multiply and one per add. Only f32x4.mul and
// f32x4.add touch the numbers: relaxed SIMD may fuse the two, and then the bits depend on the CPU.
// All addresses and strides are bytes. Matrices are row-major f32; the caller lays out the memory.

/**
 * Rows of a register tile. With two vectors of columns its ten sums and what a step needs fit the 15 registers that V8
 * has on x86-64; a sixth row spills one sum, which costs a tenth on a core that is shared (measured).
 */
const TILE_ROWS: i32 = 5
/** Columns of a register tile. */
const TILE_COLUMNS: i32 = 8

/** A NaN's sign and payload are the one thing that WebAssembly leaves to the CPU: all of them become this one. */
// @ts-ignore: decorator
@inline
function withOneNan(x: v128): v128 {
  return v128.bitselect(x, i32x4.splat(0x7fc00000), f32x4.eq(x, x))
}

/**
 * Packs rows of A into panels of five: for each k, five rows side by side. The last panel is filled up with zeros, which
 * end in rows of C that nobody reads.
 */
export function packA(from: usize, stride: usize, rows: i32, depth: i32, to: usize): void {
  for (let row = 0; row < rows; row += TILE_ROWS) {
    for (let lane = 0; lane < TILE_ROWS; lane++) {
      let source = from + <usize>(row + lane) * stride
      let target = to + (<usize>lane << 2)
      let present = row + lane < rows
      for (let k = 0; k < depth; k++) {
        store<i32>(target, present ? load<i32>(source) : 0)
        source += 4
        target += TILE_ROWS << 2
      }
    }
    to += <usize>(depth * TILE_ROWS) << 2
  }
}

/**
 * Packs rows of B into panels of eight columns, `panelBytes` apart, beginning at `to` in each. The last panel is filled
 * up with zeros.
 */
export function packB(from: usize, stride: usize, rows: i32, columns: i32, to: usize, panelBytes: usize): void {
  for (let row = 0; row < rows; row++) {
    let source = from
    let target = to
    let left = columns
    for (; left >= TILE_COLUMNS; left -= TILE_COLUMNS) {
      v128.store(target, v128.load(source))
      v128.store(target, v128.load(source, 16), 16)
      source += TILE_COLUMNS << 2
      target += panelBytes
    }
    if (left > 0) {
      for (let lane = 0; lane < TILE_COLUMNS; lane++) {
        store<i32>(target + (<usize>lane << 2), lane < left ? load<i32>(source + (<usize>lane << 2)) : 0)
      }
    }
    from += stride
    to += TILE_COLUMNS << 2
  }
}

/** C += A · B for all pairs of packed panels. One panel of B stays in the first-level cache while those of A pass. */
export function multiply(
  c: usize,
  stride: usize,
  a: usize,
  b: usize,
  depth: i32,
  rowPanels: i32,
  columnPanels: i32
): void {
  for (let column = 0; column < columnPanels; column++) {
    let panelA = a
    let tileC = c
    for (let row = 0; row < rowPanels; row++) {
      multiplyTile(tileC, stride, panelA, b, depth)
      panelA += <usize>(depth * TILE_ROWS) << 2
      tileC += stride * TILE_ROWS
    }
    b += <usize>(depth * TILE_COLUMNS) << 2
    c += TILE_COLUMNS << 2
  }
}

/**
 * One tile of C, held in registers over the whole depth. Exported so that it stays a function of its own: V8 takes up
 * optimised code at the next call only.
 */
export function multiplyTile(c: usize, stride: usize, a: usize, b: usize, depth: i32): void {
  let c1 = c + stride
  let c2 = c1 + stride
  let c3 = c2 + stride
  let c4 = c3 + stride
  let s00 = v128.load(c)
  let s01 = v128.load(c, 16)
  let s10 = v128.load(c1)
  let s11 = v128.load(c1, 16)
  let s20 = v128.load(c2)
  let s21 = v128.load(c2, 16)
  let s30 = v128.load(c3)
  let s31 = v128.load(c3, 16)
  let s40 = v128.load(c4)
  let s41 = v128.load(c4, 16)
  let end = b + (<usize>(depth * TILE_COLUMNS) << 2)
  while (b != end) {
    let b0 = v128.load(b)
    let b1 = v128.load(b, 16)
    let a0 = v128.load32_splat(a)
    s00 = f32x4.add(s00, f32x4.mul(a0, b0))
    s01 = f32x4.add(s01, f32x4.mul(a0, b1))
    let a1 = v128.load32_splat(a, 4)
    s10 = f32x4.add(s10, f32x4.mul(a1, b0))
    s11 = f32x4.add(s11, f32x4.mul(a1, b1))
    let a2 = v128.load32_splat(a, 8)
    s20 = f32x4.add(s20, f32x4.mul(a2, b0))
    s21 = f32x4.add(s21, f32x4.mul(a2, b1))
    let a3 = v128.load32_splat(a, 12)
    s30 = f32x4.add(s30, f32x4.mul(a3, b0))
    s31 = f32x4.add(s31, f32x4.mul(a3, b1))
    let a4 = v128.load32_splat(a, 16)
    s40 = f32x4.add(s40, f32x4.mul(a4, b0))
    s41 = f32x4.add(s41, f32x4.mul(a4, b1))
    a += TILE_ROWS << 2
    b += TILE_COLUMNS << 2
  }
  v128.store(c, withOneNan(s00))
  v128.store(c, withOneNan(s01), 16)
  v128.store(c1, withOneNan(s10))
  v128.store(c1, withOneNan(s11), 16)
  v128.store(c2, withOneNan(s20))
  v128.store(c2, withOneNan(s21), 16)
  v128.store(c3, withOneNan(s30))
  v128.store(c3, withOneNan(s31), 16)
  v128.store(c4, withOneNan(s40))
  v128.store(c4, withOneNan(s41), 16)
}
