import { exactCos, exactPow, exactSin } from '../math/exact-math.ts'

/** A shelf and a high-pass, one behind the other: y = (b0 x + b1 x' + b2 x'') − (a1 y' + a2 y''); the high-pass has b = 1, −2, 1. */
export interface KWeighting {
  readonly b0: number
  readonly b1: number
  readonly b2: number
  readonly a1: number
  readonly a2: number
  readonly highPassA1: number
  readonly highPassA2: number
}

/**
 * The K-weighting filter for any sample rate: the analogue prototypes behind the coefficients that the standard prints for
 * 48 kHz, through the bilinear transform.
 * @param sampleRate in Hz
 * @see ITU-R BS.1770-4, annex 1, tables 1 and 2; prototype parameters as in libebur128
 */
export function planKWeighting(sampleRate: number): KWeighting {
  const shelf = warp(1681.974450955533, sampleRate)
  const shelfQ = 0.7071752369554196
  const high = exactPow(10, 3.999843853973347 / 20)
  const middle = exactPow(high, 0.4996667741545416)
  const scale = 1 / (1 + shelf / shelfQ + shelf * shelf)
  const pass = warp(38.13547087602444, sampleRate)
  const passQ = 0.5003270373238773
  const passScale = 1 / (1 + pass / passQ + pass * pass)
  return {
    b0: (high + (middle * shelf) / shelfQ + shelf * shelf) * scale,
    b1: 2 * (shelf * shelf - high) * scale,
    b2: (high - (middle * shelf) / shelfQ + shelf * shelf) * scale,
    a1: 2 * (shelf * shelf - 1) * scale,
    a2: (1 - shelf / shelfQ + shelf * shelf) * scale,
    highPassA1: 2 * (pass * pass - 1) * passScale,
    highPassA2: (1 - pass / passQ + pass * pass) * passScale
  }
}

/** tan(π f / rate). */
function warp(frequency: number, sampleRate: number): number {
  const angle = (Math.PI * frequency) / sampleRate
  return exactSin(angle) / exactCos(angle)
}
