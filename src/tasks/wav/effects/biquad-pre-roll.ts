import { effectUnsuitable } from '../chain/chain-error.ts'
import { exactPow } from '../math/exact-math.ts'
import type { BiquadCoefficients } from './biquad-coefficients.ts'
import { PRE_ROLL_LEVEL } from './effect.ts'

/** Longest pre-roll of a filter; one that rings longer is refused. */
export const PRE_ROLL_SECONDS_MAX = 60

/**
 * Frames after which a biquad that started with state zero gives what the unbroken run gives, within
 * {@link PRE_ROLL_LEVEL} for input within full scale.
 *
 * A run that starts P frames early lacks the answers to all input before: at most the sum of |h[m]| over m > P, h the
 * impulse response. Dividing B(z) by A(z) once gives h[m] = c1·u[m−1] + c2·u[m−2] for m > 0, with c1 = b1 − b0·a1,
 * c2 = b2 − b0·a2 and u the answer of 1/A(z). With poles p, q of magnitude at most r, u[m] = Σ pⁱ·qᵐ⁻ⁱ (i = 0…m), so
 * |u[m]| ≤ rᵐ·min(m + 1, 2/|p − q|): the first for double poles and those near to it, the second for all others. The sum
 * of the geometric series from m = P − 1 on is {@link tailBound}, which falls with P; the least P under the level is found
 * by halving.
 *
 * @throws SwarmError EFFECT_UNSUITABLE when it is longer than {@link PRE_ROLL_SECONDS_MAX}
 */
export function biquadPreRoll(effect: string, coefficients: BiquadCoefficients, sampleRate: number): number {
  const longest = PRE_ROLL_SECONDS_MAX * sampleRate
  const poles = polesOf(coefficients)
  if (!(poles.radius < 1 && tailBound(coefficients, poles, longest) <= PRE_ROLL_LEVEL)) {
    const problem = `the filter rings for more than ${PRE_ROLL_SECONDS_MAX} s before it is 140 dB down`
    throw effectUnsuitable(effect, `${problem}; choose a higher frequency or a greater width`)
  }
  let tooShort = -1
  let enough = longest
  while (enough - tooShort > 1) {
    const middle = Math.floor((tooShort + enough) / 2)
    if (tailBound(coefficients, poles, middle) <= PRE_ROLL_LEVEL) enough = middle
    else tooShort = middle
  }
  return enough
}

interface Poles {
  /** Greatest magnitude of the two. */
  readonly radius: number
  /** |p − q|. */
  readonly distance: number
}

function polesOf({ a1, a2 }: BiquadCoefficients): Poles {
  const discriminant = a1 * a1 - 4 * a2
  const distance = Math.sqrt(Math.abs(discriminant))
  if (discriminant < 0) return { radius: Math.sqrt(a2), distance }
  return { radius: (Math.abs(a1) + distance) / 2, distance }
}

/** At least the sum of |h[m]| over m > preRoll. */
function tailBound({ b0, b1, b2, a1, a2 }: BiquadCoefficients, { radius, distance }: Poles, preRoll: number): number {
  const numerator = Math.abs(b1 - b0 * a1) + Math.abs(b2 - b0 * a2)
  const first = Math.max(0, preRoll - 1)
  const rest = 1 - radius
  const power = first === 0 ? 1 : radius === 0 ? 0 : exactPow(radius, first)
  const together = power * ((first + 1) / rest + radius / (rest * rest))
  const apart = distance === 0 ? together : (2 / distance) * (power / rest)
  return numerator * Math.min(apart, together)
}
