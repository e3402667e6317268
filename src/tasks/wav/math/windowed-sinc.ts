import { exactSin } from './exact-math.ts'

/**
 * Modified Bessel function of the first kind and order 0, by its power series.
 * @param x 0 to 40
 */
export function besselI0(x: number): number {
  const quarter = 0.25 * x * x
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-18; k++) {
    term *= quarter / (k * k)
    sum += term
  }
  return sum
}

/**
 * Kaiser window: 1 in the middle, falling to both sides, 0 beyond.
 * @param offset from the middle, in half widths: −1 to 1 inside
 * @param beta shape: greater is wider in frequency, with a lower stop band
 * @see J. F. Kaiser, R. W. Schafer, IEEE Trans. ASSP 28 (1980), 105
 */
export function kaiser(offset: number, beta: number): number {
  const inside = 1 - offset * offset
  return inside < 0 ? 0 : besselI0(beta * Math.sqrt(inside)) / besselI0(beta)
}

/** sin(πx) / (πx), 1 at 0; 0 at other integers, exactly. */
export function sinc(x: number): number {
  if (x === 0) return 1
  const whole = Math.round(x)
  const part = x - whole
  if (part === 0) return 0
  const sine = exactSin(Math.PI * part)
  return ((whole & 1) === 0 ? sine : -sine) / (Math.PI * x)
}
