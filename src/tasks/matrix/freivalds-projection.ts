/** Random vectors of two rounds and the scale of columns, [n] each; zero for columns that are left out. */
export interface Weights {
  readonly first: Float64Array
  readonly second: Float64Array
  /** Powers of two that make columns weigh alike; entries are up to 1.25 times as large. */
  readonly scale: Float64Array
}

/** A matrix with n columns times the vectors of {@link Weights}, each cut into groups of columns. */
export interface Projection {
  /** [groups × rows × 2]: both rounds side by side. */
  readonly rounds: Float64Array
  /** [groups × rows]: magnitudes times scale. */
  readonly magnitudes: Float64Array
}

/** Rows of A that are multiplied at a time, so that what is loaded is used more than once. */
const ROWS_AT_ONCE = 4

/** @returns Σ|b| by column, [n], of a matrix [rows × n]; not finite where an element is not */
export function sumColumns(matrix: Float32Array, n: number): Float64Array {
  const sums = new Float64Array(n)
  const last = matrix.length - n
  // Four rows at a time, since loading and storing the sums takes longest.
  for (let start = 0; start <= last; start += 4 * n) {
    const rows = Math.min(4, (matrix.length - start) / n)
    const [r1, r2, r3] = [start + n, start + 2 * n, start + 3 * n]
    for (let column = 0; column < n; column++) {
      let sum = Math.abs(matrix[start + column] as number)
      if (rows > 1) sum += Math.abs(matrix[r1 + column] as number)
      if (rows > 2) sum += Math.abs(matrix[r2 + column] as number)
      if (rows > 3) sum += Math.abs(matrix[r3 + column] as number)
      sums[column] = (sums[column] as number) + sum
    }
  }
  return sums
}

/** Multiplies a matrix [rows × n] with the vectors; 6 flops per element, all in float64. */
export function projectColumns(
  matrix: Float32Array,
  rows: number,
  n: number,
  weights: Weights,
  groupColumns: number
): Projection {
  const groups = Math.ceil(n / groupColumns)
  const rounds = new Float64Array(groups * rows * 2)
  const magnitudes = new Float64Array(groups * rows)
  for (let row = 0; row < rows; row += 2) {
    for (let group = 0; group < groups; group++) {
      const start = group * groupColumns
      const end = Math.min(start + groupColumns, n)
      // The last of an odd number of rows is its own neighbour.
      projectPair(matrix, n, row, Math.min(row + 1, rows - 1), start, end, weights, rounds, magnitudes, group * rows)
    }
  }
  return { rounds, magnitudes }
}

function projectPair(
  matrix: Float32Array,
  n: number,
  row: number,
  next: number,
  start: number,
  end: number,
  { first, second, scale }: Weights,
  rounds: Float64Array,
  magnitudes: Float64Array,
  place: number
): void {
  const upper = row * n
  const lower = next * n
  let [upperFirst, upperSecond, upperMagnitude, lowerFirst, lowerSecond, lowerMagnitude] = [0, 0, 0, 0, 0, 0]
  for (let column = start; column < end; column++) {
    const x = first[column] as number
    const y = second[column] as number
    const unit = scale[column] as number
    const top = matrix[upper + column] as number
    const bottom = matrix[lower + column] as number
    upperFirst += top * x
    upperSecond += top * y
    upperMagnitude += Math.abs(top) * unit
    lowerFirst += bottom * x
    lowerSecond += bottom * y
    lowerMagnitude += Math.abs(bottom) * unit
  }
  rounds[2 * (place + row)] = upperFirst
  rounds[2 * (place + row) + 1] = upperSecond
  rounds[2 * (place + next)] = lowerFirst
  rounds[2 * (place + next) + 1] = lowerSecond
  magnitudes[place + row] = upperMagnitude
  magnitudes[place + next] = lowerMagnitude
}

/**
 * Multiplies rows of A [m × k] with pairs of vectors: 4 flops per element and group.
 *
 * @param pairs [groups × k × 2], as {@link Projection.rounds} of B
 * @returns [groups × m × 2]
 */
export function multiplyPairs(a: Float32Array, m: number, k: number, pairs: Float64Array): Float64Array {
  const groups = pairs.length / (2 * k)
  const results = new Float64Array(groups * m * 2)
  const sums = new Float64Array(2 * ROWS_AT_ONCE)
  for (let row = 0; row < m; row += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, m - row)
    for (let group = 0; group < groups; group++) {
      multiplyFour(a, row, m - 1, k, pairs, 2 * group * k, sums)
      results.set(sums.subarray(0, 2 * count), 2 * (group * m + row))
    }
  }
  return results
}

function multiplyFour(
  a: Float32Array,
  row: number,
  lastRow: number,
  k: number,
  pairs: Float64Array,
  from: number,
  sums: Float64Array
): void {
  const r0 = row * k
  const r1 = Math.min(row + 1, lastRow) * k
  const r2 = Math.min(row + 2, lastRow) * k
  const r3 = Math.min(row + 3, lastRow) * k
  let [x0, x1, x2, x3, y0, y1, y2, y3] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let inner = 0; inner < k; inner++) {
    const x = pairs[from + 2 * inner] as number
    const y = pairs[from + 2 * inner + 1] as number
    const a0 = a[r0 + inner] as number
    const a1 = a[r1 + inner] as number
    const a2 = a[r2 + inner] as number
    const a3 = a[r3 + inner] as number
    x0 += a0 * x
    y0 += a0 * y
    x1 += a1 * x
    y1 += a1 * y
    x2 += a2 * x
    y2 += a2 * y
    x3 += a3 * x
    y3 += a3 * y
  }
  sums[0] = x0
  sums[1] = y0
  sums[2] = x1
  sums[3] = y1
  sums[4] = x2
  sums[5] = y2
  sums[6] = x3
  sums[7] = y3
}

/**
 * |A| [m × k] times one vector of magnitudes; 2 flops per element.
 *
 * @returns [m]; not finite where the row has an element that is not
 */
export function multiplyMagnitudes(a: Float32Array, m: number, k: number, vector: Float64Array): Float64Array {
  const results = new Float64Array(m)
  for (let row = 0; row < m; row += 2) {
    const upper = row * k
    const lower = Math.min(row + 1, m - 1) * k
    let [top, bottom] = [0, 0]
    for (let inner = 0; inner < k; inner++) {
      const magnitude = vector[inner] as number
      top += Math.abs(a[upper + inner] as number) * magnitude
      bottom += Math.abs(a[lower + inner] as number) * magnitude
    }
    results[row] = top
    if (row + 1 < m) results[row + 1] = bottom
  }
  return results
}
