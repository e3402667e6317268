// Owns one instance of the check's WebAssembly passes, made at the first call and kept: its memory is scratch of 1 MiB.
// Operands pass through it in pieces that stay in a second-level cache.
import { PROJECTION_WASM_BASE64 } from './freivalds/projection-wasm.ts'
import { type ClaimedBlocks, type DepthBlock, depthBlocks } from './freivalds-operands.ts'
import type { Weights } from './freivalds-projection.ts'
import type { CellSums } from './freivalds-recompute.ts'

/** Columns of a strip: the narrowest group whose sums are kept apart. As in projection.ts. */
export const STRIP_COLUMNS = 64
/** Roundings that a product meets in {@link projectB} and {@link multiplyA} together, at most: 18 in a strip, 131 in a run. */
export const ROUNDINGS = 149

/** B times both vectors. */
export interface ProjectedB {
  /** [strips × 2] planes of [k]: for each strip of columns, first and second. */
  readonly planes: readonly Float32Array[]
  /** [k]: Σ|b·first| over all columns. */
  readonly magnitudes: Float32Array
  /** [n]: Σ|b| by column, for orders of magnitude; not finite where an element is not. */
  readonly columnSums: Float64Array
}

/** The memory of this module's exports; all addresses and strides in bytes. @see freivalds/assembly/projection.ts */
interface ProjectionExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  projectRows(...args: [...Projecting, sums: number]): void
  projectRowsWide(...args: Projecting): void
  multiplyRows(
    from: number,
    stride: number,
    rows: number,
    depth: number,
    vectors: number,
    vectorBytes: number,
    groups: number,
    to: number
  ): void
  addCell(from: number, stride: number, rows: number, columns: number, a: number, to: number): void
}

type Projecting = [
  from: number,
  stride: number,
  rows: number,
  columns: number,
  first: number,
  second: number,
  to: number,
  planeBytes: number
]

interface Passes {
  readonly wasm: ProjectionExports
  readonly floats: Float32Array
  readonly doubles: Float64Array
}

interface Range {
  readonly start: number
  readonly count: number
}

// No library that is loaded here types it; every engine has it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const FLOAT_BYTES = 4
const DOUBLE_BYTES = 8
const ROWS_MAX = 1024
const BAND_COLUMNS = 2048
const DEPTH_MAX = 8192
/** Rows of B between two looks at the partial sums of a strip. */
const LOOK_ROWS = 256

/** Where things lie in memory, in floats from its start. */
const STAGED_FLOATS = 65_536
const STAGE = 0
/** Behind the stage, what its last row may run into. */
const VECTORS = STAGED_FLOATS + 16
const VECTOR_FLOATS = 131_072
const SUMS = VECTORS + VECTOR_FLOATS
const RESULTS = SUMS + BAND_COLUMNS + 16
const RESULT_FLOATS = 32_768

let passes: Passes | undefined

/** Multiplies B with both vectors and sums its columns, in one pass; f32 but for sums over pieces. */
export function projectB(tile: ClaimedBlocks, { first, second }: Weights): ProjectedB {
  const { k, n } = tile
  const { wasm, floats } = load()
  const columnSums = new Float64Array(n)
  const magnitudes = new Float32Array(k)
  const planes = Array.from({ length: 2 * Math.ceil(n / STRIP_COLUMNS) }, () => new Float32Array(k))
  for (const band of rangesOf(n, BAND_COLUMNS)) {
    const columns = roundUp(band.count)
    setVector(floats, VECTORS, first.subarray(band.start, band.start + band.count))
    setVector(floats, VECTORS + columns, second.subarray(band.start, band.start + band.count))
    const bandPlanes = planes.slice((2 * band.start) / STRIP_COLUMNS, (2 * (band.start + BAND_COLUMNS)) / STRIP_COLUMNS)
    for (const { start, depth, b } of depthBlocks(tile)) {
      for (const rows of rangesOf(depth, rowsAtOnce(band.count))) {
        stage(floats, b, n, rows, band)
        const planeFloats = roundUp(rows.count)
        // A row more for an odd number of them; stages that are full have an even one.
        if (rows.count % 2 === 1) {
          floats.fill(0, STAGE + rows.count * band.count, STAGE + (rows.count + 1) * band.count)
        }
        floats.fill(0, SUMS, SUMS + columns)
        wasm.projectRows(
          ...([
            STAGE,
            band.count * FLOAT_BYTES,
            2 * Math.ceil(rows.count / 2),
            columns,
            VECTORS * FLOAT_BYTES
          ] as const),
          ...([(VECTORS + columns) * FLOAT_BYTES, RESULTS * FLOAT_BYTES, planeFloats * FLOAT_BYTES] as const),
          SUMS * FLOAT_BYTES
        )
        for (let column = 0; column < band.count; column++) {
          const at = band.start + column
          columnSums[at] = (columnSums[at] as number) + (floats[SUMS + column] as number)
        }
        const to = start + rows.start
        let from = RESULTS
        for (const plane of bandPlanes) {
          plane.set(floats.subarray(from, from + rows.count), to)
          from += planeFloats
        }
        for (let row = 0; row < rows.count; row++) {
          magnitudes[to + row] = (magnitudes[to + row] as number) + (floats[from + row] as number)
        }
      }
    }
  }
  return { planes, magnitudes, columnSums }
}

/**
 * Multiplies C with both vectors in f64.
 *
 * @returns [strips × 3] planes of [m]: for each strip of columns both sums and Σ|c·first|
 */
export function projectC({ c, m, n }: ClaimedBlocks, { first, second }: Weights): readonly Float64Array[] {
  const { wasm, floats, doubles } = load()
  const planes = Array.from({ length: 3 * Math.ceil(n / STRIP_COLUMNS) }, () => new Float64Array(m))
  for (const band of rangesOf(n, BAND_COLUMNS)) {
    const columns = roundUp(band.count)
    const vectors = VECTORS / 2
    setVector(doubles, vectors, first.subarray(band.start, band.start + band.count))
    setVector(doubles, vectors + columns, second.subarray(band.start, band.start + band.count))
    const bandPlanes = planes.slice((3 * band.start) / STRIP_COLUMNS, (3 * (band.start + BAND_COLUMNS)) / STRIP_COLUMNS)
    for (const rows of rangesOf(m, rowsAtOnce(band.count))) {
      stage(floats, c, n, rows, band)
      const [x, y] = [vectors * DOUBLE_BYTES, (vectors + columns) * DOUBLE_BYTES]
      const [to, planeBytes] = [RESULTS * FLOAT_BYTES, rows.count * DOUBLE_BYTES]
      wasm.projectRowsWide(STAGE, band.count * FLOAT_BYTES, rows.count, columns, x, y, to, planeBytes)
      let from = RESULTS / 2
      for (const plane of bandPlanes) {
        plane.set(doubles.subarray(from, from + rows.count), rows.start)
        from += rows.count
      }
    }
  }
  return planes
}

/**
 * Multiplies A with pairs of vectors, and |A| with a vector of magnitudes, in one pass; f32 over runs of 512, f64 over these.
 *
 * @param planes [groups × 2] of [k]
 * @param magnitudes [k]
 * @returns products [groups × m × 2] and magnitudes [m]
 */
export function multiplyA(
  blocks: Iterable<Omit<DepthBlock, 'b'>>,
  m: number,
  planes: readonly Float32Array[],
  magnitudes: Float32Array
): { readonly products: Float64Array; readonly rowMagnitudes: Float64Array } {
  const { wasm, floats, doubles } = load()
  const products = new Float64Array(planes.length * m)
  const rowMagnitudes = new Float64Array(m)
  const groups = planes.length / 2
  // Vectors of many groups leave room for less depth, and their results for fewer rows.
  const depthMax = Math.min(DEPTH_MAX, 4 * Math.floor(VECTOR_FLOATS / 4 / (planes.length + 1)))
  const rowsMax = 4 * Math.floor(RESULT_FLOATS / 8 / (planes.length + 1))
  const to = RESULTS * FLOAT_BYTES
  for (const block of blocks) {
    for (const inner of rangesOf(block.depth, depthMax)) {
      const depth = roundUp(inner.count)
      const from = block.start + inner.start
      for (const [index, vector] of [magnitudes, ...planes].entries()) {
        setVector(floats, VECTORS + index * depth, vector.subarray(from, from + inner.count))
      }
      for (const rows of rangesOf(m, Math.min(rowsMax, rowsAtOnce(inner.count)))) {
        stage(floats, block.a, block.depth, rows, inner)
        const stride = inner.count * FLOAT_BYTES
        const vectors = VECTORS * FLOAT_BYTES
        wasm.multiplyRows(STAGE, stride, rows.count, depth, vectors, depth * FLOAT_BYTES, groups, to)
        let at = RESULTS / 2
        for (let row = rows.start; row < rows.start + rows.count; row++) {
          rowMagnitudes[row] = (rowMagnitudes[row] as number) + (doubles[at++] as number)
          for (let group = 0; group < groups; group++) {
            const place = 2 * (group * m + row)
            products[place] = (products[place] as number) + (doubles[at++] as number)
            products[place + 1] = (products[place + 1] as number) + (doubles[at++] as number)
          }
        }
      }
    }
  }
  return { products, rowMagnitudes }
}

/**
 * One row of A times some columns of B in f64.
 *
 * @param row [k]
 * @param columns at most {@link STRIP_COLUMNS} of them
 * @returns sums, and the lowest and highest that their partial sums were seen at, zero included
 */
export function multiplyStrip(tile: ClaimedBlocks, row: Float32Array, columns: Range): CellSums {
  const { wasm, floats, doubles } = load()
  const [sums, lowest, highest] = [0, 1, 2].map(() => new Float64Array(columns.count)) as [
    Float64Array,
    Float64Array,
    Float64Array
  ]
  doubles.fill(0, RESULTS / 2, RESULTS / 2 + STRIP_COLUMNS)
  for (const { start, depth, b } of depthBlocks(tile)) {
    for (const rows of rangesOf(depth, LOOK_ROWS)) {
      stageStrip(floats, b, tile.n, rows, columns)
      const from = start + rows.start
      floats.set(row.subarray(from, from + rows.count), VECTORS)
      const [stride, vector, to] = [STRIP_COLUMNS * FLOAT_BYTES, VECTORS * FLOAT_BYTES, RESULTS * FLOAT_BYTES]
      wasm.addCell(STAGE, stride, rows.count, columns.count, vector, to)
      for (let column = 0; column < columns.count; column++) {
        const sum = doubles[RESULTS / 2 + column] as number
        sums[column] = sum
        if (sum < (lowest[column] as number)) lowest[column] = sum
        if (sum > (highest[column] as number)) highest[column] = sum
      }
    }
  }
  return { sums, lowest, highest }
}

/** As {@link stage}, with rows a strip apart, where single calls to copy cost more than the copies. */
function stageStrip(memory: Float32Array, matrix: Float32Array, width: number, rows: Range, columns: Range): void {
  const { count } = columns
  let from = rows.start * width + columns.start
  for (let at = STAGE; at < STAGE + rows.count * STRIP_COLUMNS; at += STRIP_COLUMNS) {
    for (let column = 0; column < count; column++) memory[at + column] = matrix[from + column] as number
    from += width
  }
}

function load(): Passes {
  if (passes !== undefined) return passes
  const bytes = Uint8Array.from(atob(PROJECTION_WASM_BASE64), (char) => char.charCodeAt(0))
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as ProjectionExports
  const { buffer } = wasm.memory
  passes = { wasm, floats: new Float32Array(buffer), doubles: new Float64Array(buffer) }
  return passes
}

function roundUp(count: number): number {
  return 4 * Math.ceil(count / 4)
}

/** Rows that fit the stage, in fours. */
function rowsAtOnce(width: number): number {
  return Math.min(ROWS_MAX, 4 * Math.floor(STAGED_FLOATS / width / 4))
}

function* rangesOf(size: number, most: number): Generator<Range> {
  for (let start = 0; start < size; start += most) yield { start, count: Math.min(most, size - start) }
}

/** Zeros behind the end keep out what a row runs into. */
function setVector<T extends Float32Array | Float64Array>(memory: T, at: number, vector: ArrayLike<number>): void {
  memory.set(vector, at)
  memory.fill(0, at + vector.length, at + roundUp(vector.length))
}

/** Copies a part of a matrix with `width` columns, row after row without gaps. */
function stage(memory: Float32Array, matrix: Float32Array, width: number, rows: Range, columns: Range): void {
  if (columns.count === width) {
    memory.set(matrix.subarray(rows.start * width, (rows.start + rows.count) * width), STAGE)
  } else {
    for (let row = 0; row < rows.count; row++) {
      const start = (rows.start + row) * width + columns.start
      memory.set(matrix.subarray(start, start + columns.count), STAGE + row * columns.count)
    }
  }
  const end = STAGE + rows.count * columns.count
  memory.fill(0, end, end + 4)
}
