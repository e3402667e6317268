import { type Judgement, judgeElement, safeShare } from './freivalds-element.ts'
import type { Cell, Suspects } from './freivalds-suspects.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** What recomputing the suspects brought. */
export interface RecomputeOutcome {
  /** The first element that no honest kernel gives. */
  readonly fault?: { readonly row: number; readonly column: number; readonly words: string }
  /** Elements recomputed in float64. */
  readonly recomputed: number
  /** Largest |found − expected| of these, as a share of the element's limit, or of a lower one that it keeps. */
  readonly worstShare: number
}

/** Recomputed elements of a tile that are judged one by one: those that are off the most. */
const DISPUTES_MAX = 64

/** Inner indexes between two looks at the partial sums; a multiple of four. */
const LOOK_STEP = 64

interface Dispute {
  readonly row: number
  readonly column: number
  readonly found: number
  /** |found − expected| in the scale of row and column; infinite where C is not finite. */
  readonly weight: number
}

/** Sums in float64, and the lowest and highest that their partial sums were seen at, zero included. */
export interface CellSums {
  readonly sums: Float64Array
  readonly lowest: Float64Array
  readonly highest: Float64Array
}

/** A tile as recomputing sees it, however its operands lie. */
export interface CellSource {
  /** [m × n], not believed. */
  readonly c: Float32Array
  readonly k: number
  readonly n: number
  /** Recomputes a cell. */
  multiply(cell: Cell): CellSums
  /** Judges one element. */
  judge(row: number, column: number): Judgement
}

/** Recomputes and judges in a tile with whole operands. */
export function cellsOf(tile: ClaimedTile): CellSource {
  const { c, k, n } = tile
  return {
    ...{ c, k, n },
    multiply: (cell) => multiplyCell(tile, cell),
    judge: (row, column) => judgeElement(tile, row, column)
  }
}

/**
 * Recomputes suspicious cells in float64 and judges the elements that may be beyond their limit. Of more than
 * {@link DISPUTES_MAX}, those that are off the most stand for the rest.
 *
 * @param scale [n]: see `Weights.scale`
 */
export function recomputeCells(source: CellSource, suspects: Suspects, scale: Float64Array): RecomputeOutcome {
  const disputes: Dispute[] = []
  let [recomputed, worstShare] = [0, 0]
  for (const cell of suspects.cells) {
    recomputed += cell.end - cell.start
    const share = gatherDisputes(source, cell, suspects.rowMagnitudes, scale, disputes)
    worstShare = Math.max(worstShare, share)
  }
  disputes.sort((left, right) => right.weight - left.weight || 0)
  for (const { row, column, found } of disputes.slice(0, DISPUTES_MAX)) {
    const { fault, expected, limit } = source.judge(row, column)
    if (fault !== undefined) return { fault: { row, column, words: fault }, recomputed, worstShare }
    if (Number.isFinite(found)) worstShare = Math.max(worstShare, Math.abs(found - expected) / limit)
  }
  return { recomputed, worstShare }
}

/**
 * An element is in dispute when it is off by more than {@link safeShare} of its partial sums' range.
 *
 * @returns the largest share of that which others are off by
 */
function gatherDisputes(
  source: CellSource,
  { row, start, end }: Cell,
  rowMagnitudes: Float64Array,
  scale: Float64Array,
  disputes: Dispute[]
): number {
  const { sums, lowest, highest } = source.multiply({ row, start, end })
  const tolerance = safeShare(source.k)
  let worstShare = 0
  for (let column = start; column < end; column++) {
    const index = column - start
    const found = source.c[row * source.n + column] as number
    const deviation = Math.abs(found - (sums[index] as number))
    if (deviation === 0) continue
    const share = deviation / (tolerance * ((highest[index] as number) - (lowest[index] as number)))
    if (share <= 1) worstShare = Math.max(worstShare, share)
    else {
      const weight = (deviation * (scale[column] as number)) / (rowMagnitudes[row] as number)
      disputes.push({ row, column, found, weight: Number.isNaN(weight) ? Number.POSITIVE_INFINITY : weight })
    }
  }
  return worstShare
}

/** One row of A times some columns of B in float64, four rows of B at a time. */
function multiplyCell({ a, b, k, n }: ClaimedTile, { row, start, end }: Cell): CellSums {
  const sums = new Float64Array(end - start)
  const lowest = new Float64Array(end - start)
  const highest = new Float64Array(end - start)
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
    if (inner % LOOK_STEP !== 0 && inner + 4 < k) continue
    for (let index = 0; index < sums.length; index++) {
      lowest[index] = Math.min(lowest[index] as number, sums[index] as number)
      highest[index] = Math.max(highest[index] as number, sums[index] as number)
    }
  }
  return { sums, lowest, highest }
}
