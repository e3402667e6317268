import { decibelsToGain, exactExp, exactLog } from '../math/exact-math.ts'

/** Loops whose outputs are added, and loops in a row behind them. */
export const COMBS = 8
export const ALL_PASSES = 4
/** What an all-pass feeds back. */
export const ALL_PASS_FEEDBACK = 0.5

/** Lengths that Freeverb found, in frames at {@link TUNED_RATE}. */
const COMB_LENGTHS: readonly number[] = [1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617]
const ALL_PASS_LENGTHS: readonly number[] = [225, 341, 441, 556]
/** In Hz. */
const TUNED_RATE = 44_100
/** By how many frames, at {@link TUNED_RATE}, the two sides' loops differ at a stereo depth of 100 %. */
const SIDE_FRAMES = 12
/** Least and greatest feedback are 1 − 0.7 and 1 − 0.02; between them 1 − feedback falls geometrically. */
const LOSS_AT_LEAST = 0.7
const LOSS_AT_MOST = 0.02
const WET_GAIN = 0.015

/** What the user chooses. */
export interface ReverbChoice {
  /** 0 to 100 %. */
  readonly reverberance: number
  /** 0 to 100 %. */
  readonly damping: number
  /** 0 to 100 %. */
  readonly roomScale: number
  /** 0 to 100 %: how different the two sides are. */
  readonly stereoDepth: number
  /** In dB. */
  readonly wetGain: number
}

/** Numbers that a network of loops is built of. */
export interface ReverbTuning {
  /** [8] frames */
  readonly combLengths: readonly number[]
  /** [4] frames */
  readonly allPassLengths: readonly number[]
  /** 0.3 to 0.98. */
  readonly feedback: number
  /** Coefficient of the loops' low-pass, y += (1 − damping) (x − y); 0.2 to 0.5. */
  readonly damping: number
  /** Applied to what enters the loops. */
  readonly gain: number
}

/**
 * Tuning of one side of a reverb.
 *
 * @param side 0 or 1
 * @param sampleRate in Hz
 * @see Freeverb by "Jezar at Dreampoint"; J. O. Smith, Physical Audio Signal Processing, "Freeverb"; the ranges of SoX's `reverb`
 */
export function tuneReverb(choice: ReverbChoice, side: number, sampleRate: number): ReverbTuning {
  const stretch = sampleRate / TUNED_RATE
  const scale = 0.1 + 0.9 * (choice.roomScale / 100)
  const shift = SIDE_FRAMES * side * (choice.stereoDepth / 100)
  // Every other loop of the far side is longer, the others shorter.
  const combLengths = COMB_LENGTHS.map((length, index) =>
    Math.floor(scale * stretch * (length + shift * (index % 2 === 0 ? 1 : -1)) + 0.5)
  )
  const allPassLengths = ALL_PASS_LENGTHS.map((length, index) =>
    Math.floor(stretch * (length + shift * (index % 2 === 0 ? 1 : -1)) + 0.5)
  )
  const loss = exactExp(
    exactLog(LOSS_AT_LEAST) + (choice.reverberance / 100) * (exactLog(LOSS_AT_MOST) - exactLog(LOSS_AT_LEAST))
  )
  return {
    combLengths,
    allPassLengths,
    feedback: 1 - loss,
    damping: 0.2 + 0.3 * (choice.damping / 100),
    gain: WET_GAIN * decibelsToGain(choice.wetGain)
  }
}
