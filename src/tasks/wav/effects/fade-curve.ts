import { exactCos, exactExp, exactSin } from '../math/exact-math.ts'

/** Shapes of a fade, SoX's t, q, h, l and p. */
export const FADE_CURVES = ['log', 'linear', 'quarter-sine', 'half-sine', 'parabola'] as const

/** One of {@link FADE_CURVES}. */
export type FadeCurve = (typeof FADE_CURVES)[number]

/** What the logarithmic fade begins with, as a power of ten: −100 dB. */
const LOG_DECADES = 5

/**
 * Gain at a place of a fade-in, as SoX has it.
 *
 * @param place 0 at the silent end to 1 at the loud end
 * @returns 0 to 1; the logarithmic curve begins at −100 dB
 */
export function fadeGain(curve: FadeCurve, place: number): number {
  switch (curve) {
    case 'linear':
      return place
    case 'quarter-sine':
      return exactSin((place * Math.PI) / 2)
    case 'half-sine':
      return (1 - exactCos(place * Math.PI)) / 2
    case 'log':
      return exactExp((place - 1) * (LOG_DECADES * Math.LN10))
    case 'parabola':
      return 1 - (1 - place) * (1 - place)
  }
}
