import { exactExp, exactLog } from '../math/exact-math.ts'

/** Loudest input that a pre-roll counts on, relative to full scale: +60 dB. */
export const LOUDEST_INPUT = 1000

/**
 * What is left of an envelope's distance after one frame, when it falls to 1/e in a time: e^(−1 / (time · rate)).
 *
 * @param seconds from 0; 0 follows at once
 * @param sampleRate in Hz
 */
export function decayPerFrame(seconds: number, sampleRate: number): number {
  return seconds > 0 ? exactExp(-1 / (seconds * sampleRate)) : 0
}

/**
 * Frames until a distance that falls by a factor each frame is below a level.
 *
 * @param decay factor of a frame, 0 up to 1
 * @param ratio level relative to the distance at first
 */
export function framesToDecay(decay: number, ratio: number): number {
  if (ratio >= 1) return 0
  return decay > 0 ? Math.ceil(exactLog(ratio) / exactLog(decay)) : 1
}
