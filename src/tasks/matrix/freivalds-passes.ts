import { type ClaimedBlocks, depthBlocks } from './freivalds-operands.ts'
import type { Weights } from './freivalds-projection.ts'
import type { SecretStream } from './freivalds-random.ts'
import { multiplyA, type ProjectedB, projectB, projectC } from './freivalds-wasm.ts'

/** Projections of all three matrices. */
export interface Passes {
  readonly b: ProjectedB
  /** [strips × 3] planes of [m] */
  readonly c: readonly Float64Array[]
  /** [groups × m × 2] */
  readonly products: Float64Array
  readonly rowMagnitudes: Float64Array
}

/** Strips that a residual is over. */
export interface Span {
  readonly first: number
  /** Behind the last. */
  readonly end: number
}

/** Rows of B that the scale of columns is guessed from, before the one pass that reads all of them. */
const SAMPLE_ROWS = 64
/** A guess is good when it is at most so many times too large or too small. */
const GUESS_SLACK = 2
/** Bounds that keep products normal in f32: Σ|b| of a column, and of a row at scale one. */
const COLUMN_SUMS = { min: 2 ** -70, max: 2 ** 70 }
const B_ROW_MIN = 2 ** -60
/** What the mean row's Σ|a|·|b| is shifted to, by no more than this in either direction; both as exponents of two. */
const ROW_EXPONENT = 80
const SHIFT_MAX = 40
/**
 * Projects all three matrices, B in one pass unless columns turn out far from what was guessed of them.
 *
 * @param columnMin columns weigh alike down to this Σ|b|
 * @param meanA mean magnitude in A, roughly
 * @returns with the scale of columns, [n]; nothing when B has what does not fit f32's range here, or NaN or infinity
 */
export function projectAll(
  tile: ClaimedBlocks,
  spans: readonly Span[],
  { columnMin, meanA }: { readonly columnMin: number; readonly meanA: number },
  stream: SecretStream
): { readonly passes: Passes; readonly scale: Float64Array } | undefined {
  const { k, n } = tile
  const wanted = ROW_EXPONENT - Math.round(Math.log2(meanA * k))
  const shift = 2 ** Math.max(-SHIFT_MAX, Math.min(SHIFT_MAX, wanted))
  const entries = Float64Array.from({ length: 2 * n }, () => stream.entry())
  const floor = Math.max(columnMin, COLUMN_SUMS.min)
  const isNormal = (sum: number): boolean => sum === 0 || (sum >= floor && sum <= COLUMN_SUMS.max)
  const weigh = (sums: Float64Array): Weights => {
    const scale = sums.map((sum) => shift * 2 ** -Math.floor(Math.log2(Math.max(sum, floor))))
    return {
      first: scale.map((unit, column) => unit * (entries[2 * column] as number)),
      second: scale.map((unit, column) => unit * (entries[2 * column + 1] as number)),
      scale
    }
  }
  let sums = guessColumnSums(tile)
  if (!sums.every(isNormal)) return undefined
  let weights = weigh(sums)
  let b = projectB(tile, weights)
  if (!b.columnSums.every(isNormal)) return undefined
  if (!b.columnSums.every((sum, column) => isNear(sum, sums[column] as number))) {
    sums = b.columnSums
    weights = weigh(sums)
    b = projectB(tile, weights)
  }
  if (!hasNormalRows(tile, b.magnitudes, shift * B_ROW_MIN)) return undefined
  const planes = spans.flatMap((span) => [sumPlanes(b, span, 0), sumPlanes(b, span, 1)])
  const { products, rowMagnitudes } = multiplyA(depthBlocks(tile), tile.m, planes, b.magnitudes)
  return { passes: { b, c: projectC(tile, weights), products, rowMagnitudes }, scale: weights.scale }
}

/** Σ|b| by column as some rows have it, evenly spread. */
function guessColumnSums(tile: ClaimedBlocks): Float64Array {
  const { k, n } = tile
  const sums = new Float64Array(n)
  const step = Math.max(1, Math.floor(k / SAMPLE_ROWS))
  let rows = 0
  for (const { start, depth, b } of depthBlocks(tile)) {
    for (let inner = (step - (start % step)) % step; inner < depth; inner += step) {
      rows++
      for (let column = 0; column < n; column++) {
        sums[column] = (sums[column] as number) + Math.abs(b[inner * n + column] as number)
      }
    }
  }
  return sums.map((sum) => (sum * k) / rows)
}

function isNear(sum: number, guess: number): boolean {
  return sum <= GUESS_SLACK * guess && guess <= GUESS_SLACK * sum
}

/** @returns false when a row of B that is not all zeros has magnitudes so small that f32 may lose them */
function hasNormalRows(tile: ClaimedBlocks, magnitudes: Float32Array, least: number): boolean {
  for (const { start, depth, b } of depthBlocks(tile)) {
    for (let inner = 0; inner < depth; inner++) {
      const magnitude = magnitudes[start + inner] as number
      if (magnitude >= least) continue
      const row = b.subarray(inner * tile.n, (inner + 1) * tile.n)
      if (magnitude !== 0 || row.some((value) => value !== 0)) return false
    }
  }
  return true
}

/** One part of some strips' planes of B, added up. */
function sumPlanes({ planes }: ProjectedB, { first, end }: Span, part: 0 | 1): Float32Array {
  const sums = Float32Array.from(planes[2 * first + part] as Float32Array)
  for (let strip = first + 1; strip < end; strip++) {
    const plane = planes[2 * strip + part] as Float32Array
    for (let index = 0; index < sums.length; index++) sums[index] = (sums[index] as number) + (plane[index] as number)
  }
  return sums
}
