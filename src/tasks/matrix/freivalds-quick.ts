// The search of checkTile in WebAssembly, for tiles whose numbers f32 can hold products of; others take the slower way.
import { gamma, judgeElement } from './freivalds-element.ts'
import { type ClaimedBlocks, cutElement, rowOfA } from './freivalds-operands.ts'
import { type Passes, projectAll, type Span } from './freivalds-passes.ts'
import type { SecretStream } from './freivalds-random.ts'
import type { CellSource } from './freivalds-recompute.ts'
import { type Cell, highest, type Suspects, scoreOf, UNDERFLOW } from './freivalds-suspects.ts'
import { multiplyA, multiplyStrip, ROUNDINGS, STRIP_COLUMNS } from './freivalds-wasm.ts'

/** What the search found, with the scale of columns that recomputing needs. */
export interface QuickSearch {
  readonly suspects: Suspects
  readonly scale: Float64Array
  /** Columns that shared one residual, but for the last. */
  readonly groupColumns: number
}

/** Bounds of Σ|a|·|b| of a row that keep products and sums normal in f32. */
const ROW_MAGNITUDES = { min: 2 ** -90, max: 2 ** 120 }
/** So that their vectors and results fit the memory of the passes. */
const GROUPS_MAX = 1024
/** Rounding noise of random data has residuals this high in fewer than one cell of so many; those are narrowed down. */
const CELLS_PER_SUSPECT = 256
const SUSPECTS_MIN = 4
/** Of these, those with the worst strips have that strip recomputed: one cell of so many, or four in tiles with few cells. */
const CELLS_PER_STRIP = 512
const FEW_CELLS = 1024
/** Rounding of magnitudes themselves. */
const MAGNITUDE_SLACK = 1.001

/**
 * The two rounds that {@link rankCells} does, in f32 over short runs and in f64 over these, and then the same two rounds on
 * the strips of the most suspicious cells, which the pass over B has left behind.
 *
 * Products of f32 meet at most {@link ROUNDINGS} and one per strip of a group, so they are off by γ of that; what they
 * really add is a quarter of the variance that a kernel has which sums in order, and less where k is above 2048.
 *
 * @param columnMin columns weigh alike down to this Σ|b|
 * @param meanA mean magnitude in A, roughly
 * @returns nothing when B, C or a finite row of A has what does not fit f32's range here, or NaN or infinity
 */
export function searchQuickly(
  tile: ClaimedBlocks,
  options: { readonly groupColumns: number; readonly columnMin: number; readonly meanA: number },
  stream: SecretStream
): QuickSearch | undefined {
  const strips = Math.ceil(tile.n / STRIP_COLUMNS)
  const groupStrips = Math.ceil(strips / Math.ceil(tile.n / options.groupColumns))
  const spans: Span[] = []
  for (let first = 0; first < strips; first += groupStrips) {
    spans.push({ first, end: Math.min(first + groupStrips, strips) })
  }
  if (spans.length > GROUPS_MAX) return undefined
  const found = projectAll(tile, spans, options, stream)
  if (found === undefined) return undefined
  const { passes, scale } = found
  const oddRows = findOddRows(tile, passes.rowMagnitudes)
  const scores = oddRows && scoreCells(tile, passes, spans, scale, new Set(oddRows))
  if (oddRows === undefined || scores === undefined) return undefined
  const cells = narrowDown(tile, passes, spans, scale, scores)
  return {
    suspects: { cells, cellCount: scores.length, oddRows, rowMagnitudes: passes.rowMagnitudes },
    scale,
    groupColumns: Math.min(tile.n, groupStrips * STRIP_COLUMNS)
  }
}

/** Recomputes strips in WebAssembly, and judges elements in copies of their row and column. */
export function stripsOf(tile: ClaimedBlocks): CellSource {
  const { c, k, n } = tile
  return {
    ...{ c, k, n },
    multiply: ({ row, start, end }) => multiplyStrip(tile, rowOfA(tile, row), { start, count: end - start }),
    judge: (row, column) => judgeElement(cutElement(tile, row, column), 0, 0)
  }
}

/** @returns rows of A with NaN or infinity; nothing when f32 cannot hold another row */
function findOddRows(tile: ClaimedBlocks, rowMagnitudes: Float64Array): readonly number[] | undefined {
  const oddRows: number[] = []
  for (let row = 0; row < tile.m; row++) {
    const magnitude = rowMagnitudes[row] as number
    if (magnitude >= ROW_MAGNITUDES.min && magnitude <= ROW_MAGNITUDES.max) continue
    const values = rowOfA(tile, row)
    if (magnitude === 0 && values.every((value) => value === 0)) continue
    if (values.every(Number.isFinite)) return undefined
    oddRows.push(row)
  }
  return oddRows
}

/** @returns [groups × m]; nothing when C has NaN or infinity outside of odd rows */
function scoreCells(
  tile: ClaimedBlocks,
  { c, products, rowMagnitudes }: Passes,
  spans: readonly Span[],
  scale: Float64Array,
  oddRows: ReadonlySet<number>
): Float64Array | undefined {
  const { m } = tile
  const scores = new Float64Array(spans.length * m)
  for (const [group, span] of spans.entries()) {
    const [first, second, magnitudes] = [sumWide(c, span, 0), sumWide(c, span, 1), sumWide(c, span, 2)]
    const limits = limitsOf(tile, span, scale)
    for (let row = 0; row < m; row++) {
      if (oddRows.has(row)) continue
      const cell = group * m + row
      const score = scoreOf(
        (first[row] as number) - (products[2 * cell] as number),
        (second[row] as number) - (products[2 * cell + 1] as number),
        magnitudes[row] as number,
        rowMagnitudes[row] as number,
        limits
      )
      if (Number.isNaN(score)) return undefined
      scores[cell] = score
    }
  }
  return scores
}

/** @returns the strip with the worst residual in each of the highest cells, as many as are recomputed */
function narrowDown(
  tile: ClaimedBlocks,
  { b, c }: Passes,
  spans: readonly Span[],
  scale: Float64Array,
  scores: Float64Array
): readonly Cell[] {
  const { m, k } = tile
  const strips: Cell[] = []
  const stripScores: number[] = []
  const cells = highest(scores, Math.max(SUSPECTS_MIN, Math.floor(scores.length / CELLS_PER_SUSPECT)))
  for (const [group, { first, end }] of spans.entries()) {
    const rows = cells.filter((cell) => Math.floor(cell / m) === group).map((cell) => cell % m)
    if (rows.length === 0) continue
    const a = new Float32Array(rows.length * k)
    for (const [index, row] of rows.entries()) a.set(rowOfA(tile, row), index * k)
    const planes = b.planes.slice(2 * first, 2 * end)
    const { products, rowMagnitudes } = multiplyA([{ start: 0, depth: k, a }], rows.length, planes, b.magnitudes)
    const limits = Array.from({ length: end - first }, (_, offset) =>
      limitsOf(tile, { first: first + offset, end: first + offset + 1 }, scale)
    )
    for (const [index, row] of rows.entries()) {
      const ranks = limits.map((limit, offset) => {
        const [x, y, magnitude] = [0, 1, 2].map((part) => c[3 * (first + offset) + part]?.[row] ?? Number.NaN)
        const at = 2 * (offset * rows.length + index)
        const residualX = (x as number) - (products[at] as number)
        const residualY = (y as number) - (products[at + 1] as number)
        return scoreOf(residualX, residualY, magnitude as number, rowMagnitudes[index] as number, limit)
      })
      const worst = Math.max(...ranks)
      const strip = first + ranks.indexOf(worst)
      stripScores.push(worst)
      strips.push({ row, ...columnsOf(tile, { first: strip, end: strip + 1 }) })
    }
  }
  const stripsMax = scores.length < FEW_CELLS ? SUSPECTS_MIN : Math.floor(scores.length / CELLS_PER_STRIP)
  return highest(Float64Array.from(stripScores), stripsMax).map((index) => strips[index] as Cell)
}

function columnsOf({ n }: ClaimedBlocks, { first, end }: Span): { readonly start: number; readonly end: number } {
  return { start: first * STRIP_COLUMNS, end: Math.min(end * STRIP_COLUMNS, n) }
}

function limitsOf(tile: ClaimedBlocks, span: Span, scale: Float64Array) {
  const { start, end } = columnsOf(tile, span)
  let [sum, squares] = [0, 0]
  for (let column = start; column < end; column++) {
    sum += scale[column] as number
    squares += (scale[column] as number) ** 2
  }
  return {
    k: tile.k,
    share: (end - start) / tile.n,
    columns: end - start,
    lost: tile.k * UNDERFLOW ** 2 * squares,
    lostWorst: 2 * tile.k * UNDERFLOW * sum,
    worst: MAGNITUDE_SLACK * (gamma(tile.k) + gamma(ROUNDINGS + span.end - span.first))
  }
}

/** One part of some strips' planes of C, added up. */
function sumWide(planes: readonly Float64Array[], { first, end }: Span, part: 0 | 1 | 2): Float64Array {
  const sums = Float64Array.from(planes[3 * first + part] as Float64Array)
  for (let strip = first + 1; strip < end; strip++) {
    const plane = planes[3 * strip + part] as Float64Array
    for (let index = 0; index < sums.length; index++) sums[index] = (sums[index] as number) + (plane[index] as number)
  }
  return sums
}
