import { besselI0, sinc } from '../math/windowed-sinc.ts'
import type { ResampleRatio } from './resample-ratio.ts'

/**
 * Shape of the Kaiser window, lowered so that it ends at 0: what lies between phases can be interpolated only where there is
 * no step. With {@link HALF_WIDTH} frames it gives 124 dB of stop band, and as little ripple (transformed, at 64 phases).
 * @see J. F. Kaiser, R. W. Schafer, IEEE Trans. ASSP 28 (1980), 105
 */
const BETA = 13.2
/** Where the response is one half, relative to the lower of both half rates; it passes up to 0.9 and stops from 1. */
const CUT_OFF = 0.95
/** Half the window, in frames of the lower rate. */
const HALF_WIDTH = 84

/** Most numbers of a table: 2 MiB. */
const TABLE_NUMBERS_MAX = 262_144
/** Phases of a table that is interpolated: with third-order polynomials between them, within 1e-10 of the filter. */
const PHASES_INTERPOLATED = 512

/** Taps of the filter between two sample rates, for every place between two input frames. */
export interface ResampleTaps {
  /** Of one output frame: the first for input frame `place.frame` − length / 2 + 1. */
  readonly length: number
  /** [rows × length]; of each, the sum is 1. */
  readonly table: Float64Array
  /**
   * 0 when there is a row for each phase; else phases per input frame, of which row r is phase r − 1, and third-order
   * interpolation gives what is between.
   */
  readonly phases: number
}

/** Taps of one output frame, a multiple of four: at least one frame more than the window on both sides. */
export function tapsLength({ up, down }: ResampleRatio): number {
  return 4 * (Math.ceil((HALF_WIDTH * Math.max(up, down)) / (2 * up)) + 1)
}

/** Taps for a ratio; the table has a row for every phase, unless that would be too large. */
export function planResampleTaps(ratio: ResampleRatio): ResampleTaps {
  const { up, down } = ratio
  const scale = Math.min(1, up / down)
  const length = tapsLength(ratio)
  const isWhole = up * length <= TABLE_NUMBERS_MAX
  const phases = isWhole ? 0 : Math.min(PHASES_INTERPOLATED, Math.floor(TABLE_NUMBERS_MAX / length) - 3)
  const rows = isWhole ? up : phases + 3
  const table = new Float64Array(rows * length)
  for (let row = 0; row < rows; row++) {
    fillRow(table.subarray(row * length, (row + 1) * length), isWhole ? row / up : (row - 1) / phases, scale)
  }
  return { length, table, phases }
}

/** Taps at `position` behind an input frame, in frames; normed to sum 1, so that a constant stays what it is. */
function fillRow(row: Float64Array, position: number, scale: number): void {
  const middle = row.length / 2 - 1
  let sum = 0
  for (let i = 0; i < row.length; i++) {
    const offset = (i - middle - position) * scale
    const inside = 1 - (offset / HALF_WIDTH) * (offset / HALF_WIDTH)
    const value = inside < 0 ? 0 : sinc(CUT_OFF * offset) * (besselI0(BETA * Math.sqrt(inside)) - 1)
    row[i] = value
    sum += value
  }
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) / sum
}

/**
 * Taps between rows of an interpolated table: through four neighbours, by Lagrange's polynomial.
 * @param position behind an input frame, 0 up to, but without, 1
 * @param out written, from index `start`
 */
export function interpolateTaps(
  { table, length, phases }: ResampleTaps,
  position: number,
  out: Float64Array,
  start: number
): void {
  const at = position * phases
  const row = Math.floor(at)
  const t = at - row
  const before = (-t * (t - 1) * (t - 2)) / 6
  const here = ((t + 1) * (t - 1) * (t - 2)) / 2
  const next = (-(t + 1) * t * (t - 2)) / 2
  const behind = ((t + 1) * t * (t - 1)) / 6
  const first = row * length
  for (let i = 0; i < length; i++) {
    const a = first + i
    const b = a + length
    const c = b + length
    const d = c + length
    out[start + i] =
      before * (table[a] as number) +
      here * (table[b] as number) +
      next * (table[c] as number) +
      behind * (table[d] as number)
  }
}
