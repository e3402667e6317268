import { judgeElement, safeShare } from './freivalds-element.ts'
import type { Cell, Suspects } from './freivalds-suspects.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** What recomputing the suspects brought. */
export interface RecomputeOutcome {
  /** The first element that no honest kernel gives. */
  readonly fault?: { readonly row: number; readonly column: number; readonly words: string }
  /** Elements recomputed in float64. */
  readonly recomputed: number
  /** Largest |found − expected| of those that were judged one by one, as a share of the element's own limit. */
  readonly worstShare: number
}

/** Recomputed elements of a tile that are judged one by one: those that are off the most. */
const DISPUTES_MAX = 64

interface Dispute {
  readonly row: number
  readonly column: number
  readonly found: number
  /** |found − expected| in the scale of row and column; infinite where C is not finite. */
  readonly weight: number
}

/**
 * Recomputes suspicious cells in float64 and judges the elements that are off the most. That a kernel honestly has more
 * than {@link DISPUTES_MAX} elements off by more than {@link safeShare} of themselves is common where sums cancel; the furthest of
 * them stand for the rest.
 *
 * @param scale [n]: see `Weights.scale`
 */
export function recomputeCells(tile: ClaimedTile, suspects: Suspects, scale: Float64Array): RecomputeOutcome {
  const disputes: Dispute[] = []
  let recomputed = 0
  for (const cell of suspects.cells) {
    recomputed += cell.end - cell.start
    gatherDisputes(tile, cell, suspects.rowMagnitudes, scale, disputes)
  }
  disputes.sort((left, right) => (left.weight < right.weight ? 1 : -1))
  let worstShare = 0
  for (const { row, column, found } of disputes.slice(0, DISPUTES_MAX)) {
    const { fault, expected, limit } = judgeElement(tile, row, column)
    if (fault !== undefined) return { fault: { row, column, words: fault }, recomputed, worstShare }
    if (Number.isFinite(found)) worstShare = Math.max(worstShare, Math.abs(found - expected) / limit)
  }
  return { recomputed, worstShare }
}

function gatherDisputes(
  tile: ClaimedTile,
  { row, start, end }: Cell,
  rowMagnitudes: Float64Array,
  scale: Float64Array,
  disputes: Dispute[]
): void {
  const { c, k, n } = tile
  const sums = multiplyCell(tile, row, start, end)
  const tolerance = safeShare(k)
  for (const [index, sum] of sums.entries()) {
    const column = start + index
    const found = c[row * n + column] as number
    const deviation = Math.abs(found - sum)
    if (deviation <= tolerance * Math.abs(sum)) continue
    const weight = (deviation * (scale[column] as number)) / (rowMagnitudes[row] as number)
    disputes.push({ row, column, found, weight: Number.isNaN(weight) ? Number.POSITIVE_INFINITY : weight })
  }
}

/** One row of A times some columns of B in float64, four rows of B at a time. */
function multiplyCell({ a, b, k, n }: ClaimedTile, row: number, start: number, end: number): Float64Array {
  const sums = new Float64Array(end - start)
  for (let inner = 0; inner < k; inner += 4) {
    // Behind the end, the last row of B is taken zero times.
    const f0 = a[row * k + inner] as number
    const f1 = inner + 1 < k ? (a[row * k + inner + 1] as number) : 0
    const f2 = inner + 2 < k ? (a[row * k + inner + 2] as number) : 0
    const f3 = inner + 3 < k ? (a[row * k + inner + 3] as number) : 0
    const b0 = inner * n + start
    const b1 = Math.min(inner + 1, k - 1) * n + start
    const b2 = Math.min(inner + 2, k - 1) * n + start
    const b3 = Math.min(inner + 3, k - 1) * n + start
    for (let index = 0; index < sums.length; index++) {
      const left = f0 * (b[b0 + index] as number) + f1 * (b[b1 + index] as number)
      const right = f2 * (b[b2 + index] as number) + f3 * (b[b3 + index] as number)
      sums[index] = (sums[index] as number) + (left + right)
    }
  }
  return sums
}
