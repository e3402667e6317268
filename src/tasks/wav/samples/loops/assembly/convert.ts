// Samples into integers and bytes of files, and back. Planar samples are f64; `steps` are i32.

/** 1.5 · 2⁵²: added, it rounds to the nearest whole number, halves to even, whose low 32 bits are then the sum's. */
const ROUNDER: f64 = 6755399441055744
const HASH_FIRST: i32 = 0x7feb352d
const HASH_SECOND: i32 = <i32>0x846ca68b

/**
 * Makes integers of one channel: scaled by `full`, with dither where `isDithered`, rounded, saturated; NaN gives 0. Reads and
 * writes up to 3 more frames than `count`. `low` is the first frame's index, `key` the channel's key of dither.
 * Returns how many are beyond full scale by more than half a step before dither.
 */
export function quantize(
  samples: usize,
  count: i32,
  full: f64,
  steps: usize,
  isDithered: bool,
  low: i32,
  key: i32
): i32 {
  const scale = f64x2.splat(full)
  const limit = f64x2.splat(full + 0.5)
  const highest = f64x2.splat(full - 1)
  const lowest = f64x2.splat(-full)
  let frames = i32x4.add(i32x4.splat(low), i32x4(0, 1, 2, 3))
  const keys = i32x4.splat(key)
  let near = f64x2.splat(0)
  let far = near
  let clipped = 0
  for (let frame = 0; frame < count; frame += 4) {
    const exact = f64x2.mul(v128.load(samples), scale)
    const behind = f64x2.mul(v128.load(samples, 16), scale)
    const one = f64x2.gt(f64x2.abs(exact), limit)
    const other = f64x2.gt(f64x2.abs(behind), limit)
    if (v128.any_true(v128.or(one, other))) {
      const mask = i64x2.bitmask(one) | (i64x2.bitmask(other) << 2)
      clipped += popcnt(count - frame < 4 ? mask & ((1 << (count - frame)) - 1) : mask)
    }
    if (isDithered) {
      const noise = ditherOf(frames, keys)
      near = f64x2.mul(f64x2.convert_low_i32x4_s(noise), f64x2.splat(1.0 / 65536))
      far = f64x2.mul(f64x2.convert_low_i32x4_s(i32x4.shuffle(noise, noise, 2, 3, 2, 3)), f64x2.splat(1.0 / 65536))
      frames = i32x4.add(frames, i32x4.splat(4))
    }
    const first = roundedBits(f64x2.add(exact, near), lowest, highest)
    const second = roundedBits(f64x2.add(behind, far), lowest, highest)
    v128.store(steps, i32x4.shuffle(first, second, 0, 2, 4, 6))
    samples += 32
    steps += 16
  }
  return clipped
}

// @ts-ignore: decorator
@inline
function roundedBits(value: v128, lowest: v128, highest: v128): v128 {
  const number = v128.and(value, f64x2.eq(value, value))
  return f64x2.add(f64x2.pmin(f64x2.pmax(number, lowest), highest), f64x2.splat(ROUNDER))
}

/** @see samples/dither.ts, which has the same for one frame */
// @ts-ignore: decorator
@inline
function ditherOf(frames: v128, keys: v128): v128 {
  let hash = v128.xor(frames, i32x4.shr_u(frames, 16))
  hash = i32x4.add(i32x4.mul(hash, i32x4.splat(HASH_FIRST)), keys)
  hash = i32x4.mul(v128.xor(hash, i32x4.shr_u(hash, 15)), i32x4.splat(HASH_SECOND))
  hash = v128.xor(hash, i32x4.shr_u(hash, 16))
  const both = i32x4.add(v128.and(hash, i32x4.splat(0xffff)), i32x4.shr_u(hash, 16))
  return i32x4.sub(both, i32x4.splat(0xffff))
}

/** Two channels' steps as 16-bit frames; writes up to 3 more frames than `count`. */
export function interleave16(left: usize, right: usize, count: i32, out: usize): void {
  for (let frame = 0; frame < count; frame += 4) {
    const one = v128.load(left)
    const other = v128.load(right)
    v128.store(out, v128.or(v128.and(one, i32x4.splat(0xffff)), i32x4.shl(other, 16)))
    left += 16
    right += 16
    out += 16
  }
}

/** Two channels as frames of 32-bit floats, NaN as 0; writes one more where `count` is odd. */
export function interleaveF32(left: usize, right: usize, count: i32, out: usize): void {
  for (let frame = 0; frame < count; frame += 2) {
    const one = f32x4.demote_f64x2_zero(v128.load(left))
    const other = f32x4.demote_f64x2_zero(v128.load(right))
    const both = i32x4.shuffle(one, other, 0, 4, 1, 5)
    v128.store(out, v128.and(both, f32x4.eq(both, both)))
    left += 16
    right += 16
    out += 16
  }
}

/** Frames of two 16-bit samples as two channels, / 2¹⁵; writes one more where `count` is odd. */
export function deinterleave16(from: usize, count: i32, left: usize, right: usize): void {
  const scale = f64x2.splat(1.0 / 32768)
  for (let frame = 0; frame < count; frame += 2) {
    const both = v128.load64_zero(from)
    const one = i32x4.shr_s(i32x4.shl(both, 16), 16)
    const other = i32x4.shr_s(both, 16)
    v128.store(left, f64x2.mul(f64x2.convert_low_i32x4_s(one), scale))
    v128.store(right, f64x2.mul(f64x2.convert_low_i32x4_s(other), scale))
    from += 8
    left += 16
    right += 16
  }
}

/** Frames of two 32-bit floats as two channels; writes one more where `count` is odd. Returns whether all are finite. */
export function deinterleaveF32(from: usize, count: i32, left: usize, right: usize): bool {
  let doubt = f32x4.splat(0)
  for (let frame = 0; frame < count; frame += 2) {
    const both = frame + 1 < count ? v128.load(from) : v128.load64_zero(from)
    doubt = f32x4.add(doubt, f32x4.sub(both, both))
    v128.store(left, f64x2.promote_low_f32x4(i32x4.shuffle(both, both, 0, 2, 0, 2)))
    v128.store(right, f64x2.promote_low_f32x4(i32x4.shuffle(both, both, 1, 3, 1, 3)))
    from += 16
    left += 16
    right += 16
  }
  return !v128.any_true(f32x4.ne(doubt, f32x4.splat(0)))
}
