import { gamma } from './freivalds-element.ts'
import { checkOdd, keepColumns, type OddOutcome, sortColumns } from './freivalds-odd.ts'
import { type ClaimedBlocks, joinBlocks, toBlocks } from './freivalds-operands.ts'
import { sumColumns, type Weights } from './freivalds-projection.ts'
import { searchQuickly, stripsOf } from './freivalds-quick.ts'
import { SecretStream } from './freivalds-random.ts'
import { cellsOf, recomputeCells } from './freivalds-recompute.ts'
import { everyCell, rankCells } from './freivalds-suspects.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

export type { ClaimedBlocks } from './freivalds-operands.ts'
export type { ClaimedTile } from './freivalds-tile.ts'

/** What {@link checkTile} takes: a tile with whole operands, or with operands in blocks, which it does not join. */
export type TileCheck = (ClaimedTile | ClaimedBlocks) & CheckOptions

interface CheckOptions {
  /** 16 random bytes from a secure source, drawn after the tile came, used once and told to nobody. */
  readonly seed: Uint8Array
  /** Columns that share one residual, at most; {@link GROUP_COLUMNS} unless given. Fewer find smaller lies, for more flops. */
  readonly groupColumns?: number
}

/** Figures of a check, for receipts and job.json. */
export interface TileFigures {
  /** Rounds of random vectors; 0 where the tile was so small that all of it was recomputed. */
  readonly rounds: number
  /** Columns that shared one residual. */
  readonly groupColumns: number
  /** Worst case of |found − expected| over Σ|a·b|, in float32 with this k. */
  readonly tolerance: number
  /** Elements recomputed in float64. */
  readonly recomputed: number
  /** Largest |found − expected| of these, as a share of the element's own limit, or of a lower one that it keeps. */
  readonly worstShare: number
  /** Elements with NaN or infinity in their inputs. */
  readonly odd: number
}

/** What came of a check. */
export type TileVerdict =
  | ({ readonly passed: true } & TileFigures)
  | ({
      readonly passed: false
      /** Names row and column of the tile, what was expected and what was found. */
      readonly reason: string
    } & TileFigures)

/** Outcome for some of the columns. */
interface Part {
  readonly rounds: number
  readonly groupColumns: number
  readonly recomputed: number
  readonly worstShare: number
  readonly oddRows: readonly number[]
  readonly fault: string | undefined
}

/** Columns that share one residual. */
export const GROUP_COLUMNS = 256
const ROUNDS = 2
/** Tiles with so many elements or fewer are recomputed whole. */
const SMALL_ELEMENTS = 256
/** So are those with at most so many times m + n elements, since ranking would cost as much. */
const NARROW_FACTOR = 8
/** Columns weigh alike down to here, in products with the mean of A. Below, underflow hides rounding (2^-150 = 2^-102 / 2^48). */
const COLUMN_MIN = 2 ** -102
/** Smallest float32 above zero. */
const FLOAT_MIN = 2 ** -149
const NO_ODD: OddOutcome = { seen: 0, judged: 0 }
/** Elements of A that are looked at for its mean. */
const SAMPLES = 256

/**
 * Decides whether a tile is A · B within what an honest float32 kernel can make of it, in any order of summation, with or
 * without FMA, blocked, or with k in parts; Strassen and products in reduced precision are not among those.
 *
 * 1. **Search**, Freivalds' check in two rounds: C·x − A·(B·x) for secret random x, by row and by group of
 *    columns ({@link rankCells}). The entries of x are ±[1, 1.25) times a power of two by column, so that columns of any
 *    scale weigh alike. Rows beyond the worst case γ_k·(|A|·|B|·|x|) come first, then those furthest beyond what rounding
 *    of unordered data makes of them.
 *    The most suspicious cells, at least four, are then searched again in strips of 64 columns, in which the noise of
 *    others is half as large. B and A are read once, in f32 over short runs and f64 over these ({@link searchQuickly});
 *    what f32 cannot hold takes the slower way, all in float64 ({@link checkFully}).
 * 2. **Proof**: the worst strips, one for 512 cells and at least two (four in tiles of fewer than 1024 cells), are
 *    recomputed in float64; the slower way recomputes whole cells. Only an element that is beyond its own limit
 *    ({@link judgeElement}) refuses a tile, so a reason can be checked by anybody with its row and column, and rounding
 *    in the search refuses nobody.
 * 3. NaN and infinity in the inputs decide the class of their rows and columns ({@link checkOdd}) and stay out of the
 *    sums, and so do columns that overflow ({@link sortColumns}).
 *
 * **False refusal**: none in the worst-case model; where the statistical limit is the smaller one, at most 5e-18 per judged
 * element, if rounding errors are independent with mean zero or drift no more than four times as far as in the orders
 * tried. At most 64 are judged per tile, so 10^12 honest tiles see one with probability 3e-4.
 *
 * **Miss**: what a row is off by passes a round of exact arithmetic with probability 1/512, both with 4e-6. Rounding hides
 * more: an element off by Δ is found nearly always from Δ ≈ 4·√(group's columns) times the noise σ of its elements, which
 * with random signs, added in order, is σ ≈ 0.4·u·√k·|typical element|. For groups of 256 that is 26·u·√k: 1e-4 of a
 * typical element for k = 4096. That is near the limit of single elements, about 70 σ, so that what may be refused nearly
 * always is. So a relative 1e-3 is found in elements that are typical in size, and not in those that are by chance less
 * than a tenth as large (k = 4096; a thirtieth for k = 512), where it is no more than honest kernels differ by. Not found
 * either: less than k·2^-125, which flushing denormals may cost; some of what lies in cells that overflow.
 *
 * The search's own rounding adds about a quarter to the variance of a kernel that sums in order, so an eighth to Δ, for k
 * up to 2048, and less above.
 *
 * **Cost**: with G groups, 7·k·n + 7·m·n + (4·G + 2)·m·k flops, plus the recomputed 1/2048 of the product; one copy of A
 * and of B through a cache. Memory beyond the tile: about 8·k·n/64 + 24·m·n/64 bytes.
 *
 * @returns a verdict that depends on nothing but its arguments
 * @throws SwarmError with code MATRIX_SHAPE when a dimension is no whole number from 1 or an array has another length, and
 *   with code SEED_INVALID when the seed is no secret
 * @see R. Freivalds, Probabilistic machines can use less running time, IFIP Congress 1977
 */
export function checkTile(check: TileCheck): TileVerdict {
  const blocks = toBlocks(check)
  return checkQuickly(blocks, check) ?? checkFully(joinBlocks(blocks), check)
}

/** @returns nothing for tiles that are recomputed whole, and for those with what f32 cannot hold */
function checkQuickly(tile: ClaimedBlocks, options: CheckOptions): TileVerdict | undefined {
  const stream = new SecretStream(options.seed)
  if (isWhole(tile)) return undefined
  const meanA = meanOf(tile.aBlocks)
  const search = searchQuickly(
    tile,
    { groupColumns: options.groupColumns ?? GROUP_COLUMNS, columnMin: COLUMN_MIN / meanA, meanA },
    stream
  )
  if (search === undefined) return undefined
  const { suspects, scale, groupColumns } = search
  const { fault, recomputed, worstShare } = recomputeCells(stripsOf(tile), suspects, scale)
  const odd = suspects.oddRows.length === 0 ? NO_ODD : checkOdd(joinBlocks(tile), suspects.oddRows, [], stream)
  const figures = { rounds: ROUNDS, groupColumns, tolerance: gamma(tile.k), recomputed, worstShare, odd: odd.seen }
  const reason = odd.fault ?? (fault && `row ${fault.row}, column ${fault.column}: ${fault.words}`)
  return reason === undefined ? { passed: true, ...figures } : { passed: false, reason, ...figures }
}

/** Whatever stands in the tile, in float64. */
function checkFully(tile: ClaimedTile, options: CheckOptions): TileVerdict {
  const stream = new SecretStream(options.seed)
  const columnSums = sumColumns(tile.b, tile.n)
  const columns = sortColumns(tile, columnSums)
  const parts = columns.parts.map((kept) => checkPart(tile, options, kept, columnSums, stream))
  const odd = checkOdd(tile, parts[0]?.oddRows ?? [], columns.odd, stream)
  const figures = {
    rounds: Math.max(...parts.map(({ rounds }) => rounds)),
    groupColumns: Math.max(...parts.map(({ groupColumns }) => groupColumns)),
    tolerance: gamma(tile.k),
    recomputed: parts.reduce((sum, { recomputed }) => sum + recomputed, 0),
    worstShare: Math.max(...parts.map(({ worstShare }) => worstShare)),
    odd: odd.seen
  }
  const reason = odd.fault ?? parts.find(({ fault }) => fault !== undefined)?.fault
  return reason === undefined ? { passed: true, ...figures } : { passed: false, reason, ...figures }
}

/** Checks some columns with finite B. */
function checkPart(
  whole: ClaimedTile,
  options: CheckOptions,
  kept: readonly number[],
  columnSums: Float64Array,
  stream: SecretStream
): Part {
  const tile = keepColumns(whole, kept)
  const { n } = tile
  const weights = drawWeights(
    tile,
    Float64Array.from(kept, (column) => columnSums[column] as number),
    stream
  )
  const groupColumns = isWhole(tile) ? n : balance(n, options.groupColumns ?? GROUP_COLUMNS)
  const suspects = isWhole(tile) ? everyCell(tile) : rankCells(tile, weights, groupColumns, stream)
  const { fault, recomputed, worstShare } = recomputeCells(cellsOf(tile), suspects, weights.scale)
  return {
    rounds: isWhole(tile) ? 0 : ROUNDS,
    groupColumns,
    recomputed,
    worstShare,
    oddRows: suspects.oddRows,
    fault: fault && `row ${fault.row}, column ${kept[fault.column]}: ${fault.words}`
  }
}

function isWhole({ m, n }: ClaimedTile | ClaimedBlocks): boolean {
  return m * n <= Math.max(SMALL_ELEMENTS, NARROW_FACTOR * (m + n))
}

/** Entries of both rounds, times a power of two that brings each column's Σ|b| to about 1. */
function drawWeights({ a, n }: ClaimedTile, columnSums: Float64Array, stream: SecretStream): Weights {
  const columnMin = COLUMN_MIN / meanOf([a])
  const scale = columnSums.map((sum) => 2 ** -Math.floor(Math.log2(Math.max(sum, columnMin))))
  const first = new Float64Array(n)
  const second = new Float64Array(n)
  for (const [column, unit] of scale.entries()) {
    first[column] = stream.entry() * unit
    second[column] = stream.entry() * unit
  }
  return { first, second, scale }
}

/** Mean magnitude of some finite elements; only steers how columns are weighed. */
function meanOf(blocks: readonly Float32Array[]): number {
  let [sum, count] = [0, 0]
  for (const block of blocks) {
    const step = Math.ceil((block.length * blocks.length) / SAMPLES)
    for (let index = 0; index < block.length; index += step) {
      const magnitude = Math.abs(block[index] as number)
      if (!Number.isFinite(magnitude)) continue
      sum += magnitude
      count++
    }
  }
  return Math.max(FLOAT_MIN, sum / Math.max(1, count))
}

/** Groups of nearly the same width. */
function balance(n: number, columnsMax: number): number {
  return Math.ceil(n / Math.ceil(n / columnsMax))
}
