// Elements whose class is decided by NaN or infinity in the inputs. They are kept out of the sums, which they would blind.
import { judgeElement } from './freivalds-element.ts'
import { multiplyMagnitudes, sumColumns } from './freivalds-projection.ts'
import type { SecretStream } from './freivalds-random.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** Outcome of the check of rows and columns with NaN or infinity. */
export interface OddOutcome {
  readonly fault?: string
  /** Elements that were looked at. */
  readonly seen: number
  /** Elements whose class was decided in full. */
  readonly judged: number
}

/** Elements of rows and columns with infinities that are judged in full in any tile; more in tiles with m + n above. */
const JUDGED_MIN = 1024

/** Columns of a tile by what stands in them, each list in order. */
export interface SortedColumns {
  /** Columns of B that have NaN or infinity. */
  readonly odd: readonly number[]
  /** The others in one list, or in two: C finite in all of the column, and not. Never empty, but its lists may be. */
  readonly parts: readonly (readonly number[])[]
}

/**
 * Sorts columns so that what overflows blinds no more than its own kind: a sum over columns is lost where one of them is
 * infinite.
 *
 * @param columnSums [n]: Σ|b| by column
 */
export function sortColumns({ a, c, m, k, n }: ClaimedTile, columnSums: Float64Array): SortedColumns {
  const odd: number[] = []
  const finite: number[] = []
  for (const [column, sum] of columnSums.entries()) (Number.isFinite(sum) ? finite : odd).push(column)
  if (sumColumns(c, n).every(Number.isFinite)) return { odd, parts: [finite] }

  // Rows with NaN or infinity in A are not finite in any column, which says nothing of overflow.
  const rowSums = multiplyMagnitudes(a, m, k, new Float64Array(k).fill(1))
  const sums = new Float64Array(n)
  for (let row = 0; row < m; row++) {
    if (!Number.isFinite(rowSums[row])) continue
    for (let column = 0; column < n; column++) {
      sums[column] = (sums[column] as number) + Math.abs(c[row * n + column] as number)
    }
  }
  const calm = finite.filter((column) => Number.isFinite(sums[column]))
  const overflowing = finite.filter((column) => !Number.isFinite(sums[column]))
  return { odd, parts: overflowing.length === 0 ? [calm] : [calm, overflowing] }
}

/** @returns the tile with only these columns, given in order; the same one when that is all of them */
export function keepColumns(tile: ClaimedTile, kept: readonly number[]): ClaimedTile {
  if (kept.length === tile.n) return tile
  const keep = (matrix: Float32Array, rows: number): Float32Array => {
    const compact = new Float32Array(rows * kept.length)
    for (let row = 0; row < rows; row++) {
      for (let index = 0; index < kept.length; index++) {
        compact[row * kept.length + index] = matrix[row * tile.n + (kept[index] as number)] as number
      }
    }
    return compact
  }
  return { ...tile, b: keep(tile.b, tile.k), c: keep(tile.c, tile.m), n: kept.length }
}

/**
 * Checks the elements of rows of A and columns of B that have NaN or infinity. None of them can be finite, and all of a
 * row or column with NaN must be NaN: that is looked at everywhere. Which infinity, or NaN, an element must be is decided
 * in full for all of them while they are few, else for as many picked at random.
 */
export function checkOdd(
  tile: ClaimedTile,
  oddRows: readonly number[],
  oddColumns: readonly number[],
  stream: SecretStream
): OddOutcome {
  const { a, b, m, k, n } = tile
  const infiniteRows: number[] = []
  const infiniteColumns: number[] = []
  let seen = 0
  for (const row of oddRows) {
    const hasNaN = includesNaN(a, row * k, 1, k)
    if (!hasNaN) infiniteRows.push(row)
    seen += n
    for (let column = 0; column < n; column++) {
      const fault = classFault(tile, row, column, hasNaN)
      if (fault !== undefined) return { fault, seen, judged: 0 }
    }
  }
  for (const column of oddColumns) {
    const hasNaN = includesNaN(b, column, n, k)
    if (!hasNaN) infiniteColumns.push(column)
    seen += m
    for (let row = 0; row < m; row++) {
      const fault = classFault(tile, row, column, hasNaN)
      if (fault !== undefined) return { fault, seen, judged: 0 }
    }
  }
  return { seen, ...judgeInfinite(tile, infiniteRows, infiniteColumns, stream) }
}

function judgeInfinite(
  tile: ClaimedTile,
  rows: readonly number[],
  columns: readonly number[],
  stream: SecretStream
): { readonly fault?: string; readonly judged: number } {
  const { m, n } = tile
  const inRows = rows.length * n
  const count = inRows + columns.length * m
  const judgedMax = Math.max(JUDGED_MIN, m + n)
  for (let index = 0; index < Math.min(count, judgedMax); index++) {
    const pick = count <= judgedMax ? index : stream.below(count)
    const isInRow = pick < inRows
    const row = isInRow ? (rows[Math.floor(pick / n)] as number) : (pick - inRows) % m
    const column = isInRow ? pick % n : (columns[Math.floor((pick - inRows) / m)] as number)
    const { fault } = judgeElement(tile, row, column)
    if (fault !== undefined) return { fault: `row ${row}, column ${column}: ${fault}`, judged: index + 1 }
  }
  return { judged: Math.min(count, judgedMax) }
}

function classFault({ c, n }: ClaimedTile, row: number, column: number, mustBeNaN: boolean): string | undefined {
  const found = c[row * n + column] as number
  if (mustBeNaN ? Number.isNaN(found) : !Number.isFinite(found)) return undefined
  const expected = mustBeNaN ? 'NaN, since its row of A or column of B has one' : 'an infinity or NaN'
  return `row ${row}, column ${column}: expected ${expected}, found ${found}`
}

function includesNaN(matrix: Float32Array, start: number, step: number, count: number): boolean {
  for (let index = 0; index < count; index++) if (Number.isNaN(matrix[start + index * step])) return true
  return false
}
