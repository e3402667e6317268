// A compressor's gains. Levels and reductions are in octaves of magnitude.

/** A law: threshold, half of the knee, slope, bend, makeup, attack, release, quietest. */
const HALF_KNEE: usize = 8
const SLOPE: usize = 16
const BEND: usize = 24
const MAKEUP: usize = 32
const ATTACK: usize = 40
const RELEASE: usize = 48
const QUIETEST: usize = 56
const GROUP_BYTES: usize = 256
/** 1.5 · 2⁵²: added, it rounds to a whole number, which is then in the low bits. */
const ROUNDER: f64 = 6755399441055744
const HALVINGS_MAX: f64 = 200

/**
 * Turns levels of frames, as magnitudes, into gains. Returns the reduction after the last.
 *
 * A group of 32 frames that is not above the quietest level needs no logarithm, and one without reduction no power.
 */
export function turnIntoGains(levels: usize, count: i32, law: usize, reduction: f64): f64 {
  const end = levels + (<usize>count << 3)
  for (let group = levels; group < end; group += GROUP_BYTES) {
    const stop = min(end, group + GROUP_BYTES)
    if (isQuiet(group, stop, load<f64>(law, QUIETEST))) {
      for (let at = group; at < stop; at += 8) store<f64>(at, 0)
      if (reduction == 0) {
        for (let at = group; at < stop; at += 8) store<f64>(at, load<f64>(law, MAKEUP))
        continue
      }
    } else {
      for (let at = group; at < stop; at += 16) v128.store(at, targetsOf(v128.load(at), law))
    }
    reduction = follow(group, stop, load<f64>(law, ATTACK), load<f64>(law, RELEASE), reduction)
    const makeup = v128.load64_splat(law, MAKEUP)
    for (let at = group; at < stop; at += 16) v128.store(at, f64x2.mul(makeup, exp2OfNegative(v128.load(at))))
  }
  return reduction
}

/** The binary logarithm as levels get it. */
export function log2Of(x: f64): f64 {
  return f64x2.extract_lane(octavesOf(f64x2.splat(x)), 0)
}

/** 2 to the power of −x as reductions get it. */
export function exp2Negative(x: f64): f64 {
  return f64x2.extract_lane(exp2OfNegative(f64x2.splat(x)), 0)
}

function isQuiet(from: usize, stop: usize, quietest: f64): bool {
  let most = f64x2.splat(0)
  let at = from
  for (; at + 16 <= stop; at += 16) most = f64x2.pmax(most, v128.load(at))
  if (at < stop) most = f64x2.pmax(most, v128.load64_zero(at))
  return !v128.any_true(f64x2.gt(most, f64x2.splat(quietest)))
}

/** The static curve: 0 below the knee, a parabola in it, a line above. */
// @ts-ignore: decorator
@inline
function targetsOf(levels: v128, law: usize): v128 {
  const halfKnee = v128.load64_splat(law, HALF_KNEE)
  const over = f64x2.sub(octavesOf(levels), v128.load64_splat(law))
  const into = f64x2.add(over, halfKnee)
  const line = f64x2.mul(v128.load64_splat(law, SLOPE), over)
  const parabola = f64x2.mul(f64x2.mul(v128.load64_splat(law, BEND), into), into)
  const target = v128.bitselect(line, parabola, f64x2.ge(over, halfKnee))
  const isReduced = v128.and(f64x2.gt(into, f64x2.splat(0)), f64x2.gt(levels, v128.load64_splat(law, QUIETEST)))
  return v128.and(target, isReduced)
}

/**
 * Smooths targets into reductions, in place: c r + (1 − c) t, c the attack's factor where t > r, else the release's. That is the
 * greater of both where the attack's is the lesser, and the lesser of both where it is the greater.
 */
function follow(from: usize, stop: usize, attack: f64, release: f64, reduction: f64): f64 {
  const isFaster = attack <= release
  const attackFactor = f64x2.splat(attack)
  const releaseFactor = f64x2.splat(release)
  const attackRest = f64x2.splat(1 - attack)
  const releaseRest = f64x2.splat(1 - release)
  let last = f64x2.splat(reduction)
  for (let at = from; at < stop; at += 8) {
    const target = v128.load64_zero(at)
    const attacked = f64x2.add(f64x2.mul(attackRest, target), f64x2.mul(attackFactor, last))
    const released = f64x2.add(f64x2.mul(releaseRest, target), f64x2.mul(releaseFactor, last))
    last = isFaster ? f64x2.pmax(attacked, released) : f64x2.pmin(attacked, released)
    v128.store_lane<u64>(at, last, 0)
  }
  return f64x2.extract_lane(last, 0)
}

/**
 * Binary logarithms, right to 1e-10, of what is 2.3e-308 or more; what is less gets some number below −1000.
 *
 * With x = 2ᵉ m and m from √½ to √2, ln m = 2 artanh((m − 1) / (m + 1)), whose odd powers end at the 11th.
 */
// @ts-ignore: decorator
@inline
function octavesOf(x: v128): v128 {
  // Bits of √½ up to those of √2 have the same exponent once those of √½ are taken away.
  const shifted = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd))
  const exponent = i64x2.shr_s(shifted, 52)
  const m = i64x2.sub(x, i64x2.shl(exponent, 52))
  const rounder = f64x2.splat(ROUNDER)
  const e = f64x2.sub(i64x2.add(exponent, rounder), rounder)
  const one = f64x2.splat(1)
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one))
  const z = f64x2.mul(s, s)
  let series = f64x2.add(f64x2.splat(1.0 / 9), f64x2.mul(z, f64x2.splat(1.0 / 11)))
  series = f64x2.add(f64x2.splat(1.0 / 7), f64x2.mul(z, series))
  series = f64x2.add(f64x2.splat(1.0 / 5), f64x2.mul(z, series))
  series = f64x2.add(f64x2.splat(1.0 / 3), f64x2.mul(z, series))
  series = f64x2.add(one, f64x2.mul(z, series))
  return f64x2.add(e, f64x2.mul(f64x2.mul(f64x2.splat(2.8853900817779268), s), series))
}

/**
 * Powers of two, right to 1e-9 of themselves: 2⁻ˣ = 2⁻ᵏ eᵗ with t = (k − x) ln 2 between ±½ ln 2, by the exponential series up to
 * t⁸. More than 200 octaves count as 200.
 */
// @ts-ignore: decorator
@inline
function exp2OfNegative(x: v128): v128 {
  const rounder = f64x2.splat(ROUNDER)
  const capped = f64x2.pmin(x, f64x2.splat(HALVINGS_MAX))
  const raised = f64x2.add(capped, rounder)
  const t = f64x2.mul(f64x2.sub(f64x2.sub(raised, rounder), capped), f64x2.splat(0.6931471805599453))
  let series = f64x2.add(f64x2.splat(1.0 / 5040), f64x2.mul(t, f64x2.splat(1.0 / 40320)))
  series = f64x2.add(f64x2.splat(1.0 / 720), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(1.0 / 120), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(1.0 / 24), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(1.0 / 6), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(0.5), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(1), f64x2.mul(t, series))
  series = f64x2.add(f64x2.splat(1), f64x2.mul(t, series))
  return i64x2.sub(series, i64x2.shl(raised, 52))
}
