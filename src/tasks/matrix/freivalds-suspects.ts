import { gamma, UNIT_F32 } from './freivalds-element.ts'
import { multiplyMagnitudes, multiplyPairs, projectColumns, type Weights } from './freivalds-projection.ts'
import { ENTRY_LIMIT, type SecretStream } from './freivalds-random.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** A row of one group of columns. */
export interface Cell {
  /** From 0. */
  readonly row: number
  /** First column, from 0. */
  readonly start: number
  /** Behind the last column. */
  readonly end: number
}

/** Where a tile of finite columns is worth a look. */
export interface Suspects {
  /** Most suspicious first; none of them in an odd row. */
  readonly cells: readonly Cell[]
  /** Cells of which {@link Suspects.cells} is a part. */
  readonly cellCount: number
  /** Rows of A with an element that is not finite. */
  readonly oddRows: readonly number[]
  /** [m]: a magnitude of each row, to compare deviations of different rows. */
  readonly rowMagnitudes: Float64Array
}

/** Rounding noise of random data has residuals this high in fewer than one cell of so many; those are recomputed. */
const CELLS_PER_SUSPECT = 512
/** Suspects of tiles with few cells. */
const SUSPECTS_MIN = 4
/** Elements that are recomputed in cells where C is not finite, in any tile. */
const BROKEN_ELEMENTS = 4096
/** Half a denormal: what rounding a product or sum may lose where float32 underflows. */
export const UNDERFLOW = 2 ** -150

/** Every cell; for tiles so small that ranking costs more than recomputing. */
export function everyCell({ a, m, k, n }: ClaimedTile): Suspects {
  const rowMagnitudes = multiplyMagnitudes(a, m, k, new Float64Array(k).fill(1))
  const { oddRows, isOdd } = findOddRows(rowMagnitudes)
  const cells: Cell[] = []
  for (let row = 0; row < m; row++) if (!isOdd(row)) cells.push({ row, start: 0, end: n })
  return { cells, cellCount: cells.length, oddRows, rowMagnitudes }
}

/**
 * Two rounds of Freivalds' check on each cell: the residual C·x − A·(B·x), in float64, against what rounding makes of it.
 *
 * Cells beyond the worst case come first: there |residual| > 1.25·γ_k·(|A|·|B|·scale) in the row, so some element is beyond
 * its own worst case for certain. The others are ranked by the residuals' squares over the variance that rounding of
 * unordered data gives: per element about u²/3·(k/2·Σ(a·b)² + k/3·c²), for partial sums that wander and for those that
 * grow evenly. The rank accuses nobody; it only says where to look.
 *
 * @param tile with finite B
 */
export function rankCells(tile: ClaimedTile, weights: Weights, groupColumns: number, stream: SecretStream): Suspects {
  const { a, b, c, m, k, n } = tile
  const projectedB = projectColumns(b, k, n, weights, groupColumns)
  const projectedC = projectColumns(c, m, n, weights, groupColumns)
  const product = multiplyPairs(a, m, k, projectedB.rounds)
  const rowMagnitudes = multiplyMagnitudes(a, m, k, sumGroups(projectedB.magnitudes, k))
  const { oddRows, isOdd } = findOddRows(rowMagnitudes)

  const groups = Math.ceil(n / groupColumns)
  const scores = new Float64Array(groups * m)
  const broken: number[] = []
  for (let group = 0; group < groups; group++) {
    const start = group * groupColumns
    const end = Math.min(start + groupColumns, n)
    const lost = k * UNDERFLOW ** 2 * sumSquares(weights.scale, start, end)
    const lostWorst = 2 * k * UNDERFLOW * weights.scale.subarray(start, end).reduce((sum, unit) => sum + unit, 0)
    for (let row = 0; row < m; row++) {
      if (isOdd(row)) continue
      const cell = group * m + row
      const score = scoreOf(
        (projectedC.rounds[2 * cell] as number) - (product[2 * cell] as number),
        (projectedC.rounds[2 * cell + 1] as number) - (product[2 * cell + 1] as number),
        projectedC.magnitudes[cell] as number,
        rowMagnitudes[row] as number,
        { k, share: (end - start) / n, columns: end - start, lost, lostWorst, worst: gamma(k) }
      )
      if (Number.isNaN(score)) broken.push(cell)
      else scores[cell] = score
    }
  }
  const suspectsMax = Math.max(SUSPECTS_MIN, Math.floor(scores.length / CELLS_PER_SUSPECT))
  const brokenMax = Math.max(suspectsMax, Math.floor(BROKEN_ELEMENTS / groupColumns))
  const picked = [...highest(scores, suspectsMax), ...sample(broken, brokenMax, stream)]
  const cells = picked.map((cell) => {
    const start = Math.floor(cell / m) * groupColumns
    return { row: cell % m, start, end: Math.min(start + groupColumns, n) }
  })
  return { cells, cellCount: scores.length, oddRows, rowMagnitudes }
}

/** What rounding may make of a residual over some columns. */
interface ResidualLimits {
  readonly k: number
  readonly columns: number
  /** Columns, by those of the tile. */
  readonly share: number
  /** Variance that underflow may cost. */
  readonly lost: number
  /** What underflow may cost at most, with a rounding per multiply and one per add; 1.25 times that in a residual. */
  readonly lostWorst: number
  /** Worst case in each entry, by the row's magnitude. */
  readonly worst: number
}

/**
 * @param claimedMagnitude Σ|c·x| over the columns
 * @param rowMagnitude |A|·|B|·scale over the tile
 * @returns infinity beyond the worst case; NaN where C has an element that is not finite
 */
export function scoreOf(
  first: number,
  second: number,
  claimedMagnitude: number,
  rowMagnitude: number,
  { k, columns, share, lost, lostWorst, worst }: ResidualLimits
): number {
  const squares = first * first + second * second
  if (squares === 0 || Number.isNaN(squares)) return squares
  const largest = Math.max(Math.abs(first), Math.abs(second))
  if (largest > ENTRY_LIMIT * (worst * rowMagnitude + lostWorst)) return Number.POSITIVE_INFINITY
  const wandering = (rowMagnitude * share) ** 2
  const growing = (k / 3) * claimedMagnitude ** 2
  return squares / ((UNIT_F32 ** 2 * (wandering + growing)) / columns + lost)
}

function findOddRows(rowMagnitudes: Float64Array): { oddRows: number[]; isOdd: (row: number) => boolean } {
  const oddRows: number[] = []
  for (const [row, magnitude] of rowMagnitudes.entries()) if (!Number.isFinite(magnitude)) oddRows.push(row)
  return { oddRows, isOdd: (row) => !Number.isFinite(rowMagnitudes[row]) }
}

function sumGroups(magnitudes: Float64Array, k: number): Float64Array {
  const sums = magnitudes.slice(0, k)
  for (let index = k; index < magnitudes.length; index++) {
    sums[index % k] = (sums[index % k] as number) + (magnitudes[index] as number)
  }
  return sums
}

function sumSquares(values: Float64Array, start: number, end: number): number {
  let sum = 0
  for (let index = start; index < end; index++) sum += (values[index] as number) ** 2
  return sum
}

/** @returns the indices of the highest scores above zero, highest first */
export function highest(scores: Float64Array, countMax: number): readonly number[] {
  const threshold = scores.toSorted().at(-countMax) ?? 0
  const indices: number[] = []
  for (const [index, score] of scores.entries()) if (score > 0 && score >= threshold) indices.push(index)
  return indices.sort((x, y) => ((scores[x] as number) < (scores[y] as number) ? 1 : -1)).slice(0, countMax)
}

/** @returns all, or so many picked at random */
function sample(items: number[], countMax: number, stream: SecretStream): readonly number[] {
  for (let index = 0; index < Math.min(countMax, items.length); index++) {
    const other = index + stream.below(items.length - index)
    const swapped = items[other] as number
    items[other] = items[index] as number
    items[index] = swapped
  }
  return items.slice(0, countMax)
}
