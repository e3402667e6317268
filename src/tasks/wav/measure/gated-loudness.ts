import { decibelsToGain, gainToDecibels } from '../math/exact-math.ts'

const MOMENTARY_HOPS = 4
const SHORT_TERM_HOPS = 30
const ABSOLUTE_GATE = powerAt(-70)
/** −10 LU and −20 LU, as factors of power. */
const INTEGRATED_GATE = 0.1
const RANGE_GATE = 0.01

/** Loudness of a whole file. */
export interface Loudness {
  /** Integrated, in LUFS; −Infinity when no block is above the gates. */
  readonly integrated: number
  /** In LU; 0 when no three seconds are above the gates. */
  readonly range: number
  /** Greatest of 400 ms and of 3 s, in LUFS; −Infinity when the file is shorter. */
  readonly momentaryMax: number
  readonly shortTermMax: number
}

/**
 * Loudness from the mean K-weighted power of each full hop of 100 ms, channels weighted and added.
 *
 * Blocks of 400 ms begin every 100 ms; windows of 3 s, for range and short term, every 100 ms too, as in FFmpeg's `ebur128`.
 * @param hopPowers [hops]
 * @see ITU-R BS.1770-4, annex 1 (gating); EBU Tech 3342 (range)
 */
export function gatedLoudness(hopPowers: Float64Array): Loudness {
  const blocks = meansOf(hopPowers, MOMENTARY_HOPS)
  const windows = meansOf(hopPowers, SHORT_TERM_HOPS)
  return {
    integrated: loudnessOf(meanAbove(blocks, gateOf(blocks, INTEGRATED_GATE))),
    range: rangeOf(windows),
    momentaryMax: loudnessOf(greatest(blocks)),
    shortTermMax: loudnessOf(greatest(windows))
  }
}

/** Mean of every run of `count` neighbours. */
function meansOf(powers: Float64Array, count: number): Float64Array {
  const means = new Float64Array(Math.max(0, powers.length - count + 1))
  for (let i = 0; i < means.length; i++) {
    let sum = 0
    for (let j = i; j < i + count; j++) sum += powers[j] as number
    means[i] = sum / count
  }
  return means
}

/** What a block has to be above: the absolute gate, and a factor of the mean of all above that. */
function gateOf(powers: Float64Array, factor: number): number {
  return Math.max(ABSOLUTE_GATE, factor * meanAbove(powers, ABSOLUTE_GATE))
}

/** Mean of what is above `gate`; 0 where nothing is. */
function meanAbove(powers: Float64Array, gate: number): number {
  let sum = 0
  let count = 0
  for (const power of powers) {
    if (power <= gate) continue
    sum += power
    count++
  }
  return count === 0 ? 0 : sum / count
}

function rangeOf(windows: Float64Array): number {
  const gate = gateOf(windows, RANGE_GATE)
  const sorted = windows.filter((power) => power > gate).sort()
  if (sorted.length === 0) return 0
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part + 0.5)] as number
  return loudnessOf(at(0.95)) - loudnessOf(at(0.1))
}

function greatest(powers: Float64Array): number {
  let most = 0
  for (const power of powers) most = Math.max(most, power)
  return most
}

/** LUFS of a power. */
function loudnessOf(power: number): number {
  return -0.691 + gainToDecibels(Math.sqrt(power))
}

/** Power of a loudness: the reverse of {@link loudnessOf}. */
function powerAt(loudness: number): number {
  const gain = decibelsToGain(loudness + 0.691)
  return gain * gain
}
