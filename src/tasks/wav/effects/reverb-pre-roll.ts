import { exactExp, exactLog } from '../math/exact-math.ts'
import { PRE_ROLL_LEVEL } from './effect.ts'
import { ALL_PASS_FEEDBACK, type ReverbTuning } from './reverb-tuning.ts'

/** Steps of the search for the best radius; the bound holds at each. */
const SEARCH_STEPS = 60

/**
 * Frames after which what is left of any earlier input of at most full scale is below {@link PRE_ROLL_LEVEL} in the wet
 * output. Linear: a range that starts n frames later than the signal lacks Σ h[k] x[t − k] over k > n, at most the sum of
 * |h[k]| there. For every r > 1 inside the loops' stability, Σ over k > n of |h[k]| ≤ r⁻ⁿ Σ |h[k]| rᵏ, and the latter is
 * known in closed form, since a loop's impulse response has no negative value, and an all-pass' only one:
 *
 * - a loop: rᴸ / (1 − feedback · (1 − damping) / (1 − damping · r) · rᴸ)
 * - an all-pass: 1 + rᴸ / (1 − rᴸ / 2)
 *
 * So n = (ln(gain · Σ loops · Π all-passes) − ln level) / ln r; the r that makes it least is searched for.
 *
 * @param tuning of the side
 */
export function reverbPreRoll(tuning: ReverbTuning): number {
  let low = 0
  let high = 1
  for (const length of tuning.combLengths) high = Math.min(high, -exactLog(tuning.feedback) / length)
  for (const length of tuning.allPassLengths) high = Math.min(high, -exactLog(ALL_PASS_FEEDBACK) / length)
  // n over ln r falls, then rises: thirds close in on the least. Where a loop is unstable, it is infinite.
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const third = (high - low) / 3
    if (framesAt(tuning, low + third) < framesAt(tuning, high - third)) high -= third
    else low += third
  }
  return Math.ceil(framesAt(tuning, (low + high) / 2))
}

/** The bound for one radius, e to the power of `rate`; Infinity where it says nothing. */
function framesAt(tuning: ReverbTuning, rate: number): number {
  const r = exactExp(rate)
  const lowPass = (1 - tuning.damping) / (1 - tuning.damping * r)
  let loops = 0
  for (const length of tuning.combLengths) {
    const turn = exactExp(rate * length)
    const left = 1 - tuning.feedback * lowPass * turn
    if (!(left > 0) || !(lowPass > 0)) return Number.POSITIVE_INFINITY
    loops += turn / left
  }
  let total = exactLog(tuning.gain * loops) - exactLog(PRE_ROLL_LEVEL)
  for (const length of tuning.allPassLengths) {
    const turn = exactExp(rate * length)
    const left = 1 - ALL_PASS_FEEDBACK * turn
    if (!(left > 0)) return Number.POSITIVE_INFINITY
    total += exactLog(1 + turn / left)
  }
  return Math.max(total, 0) / rate
}
