// Owns one instance of the WebAssembly kernel, made at the first call and kept: its memory is scratch of a fixed size.
import { SwarmError } from '../../errors.ts'
import { GEMM_WASM_BASE64 } from './exact/gemm-wasm.ts'

/** Names the order of operations, for receipts: changes whenever the bits of a result could. */
export const EXACT_KERNEL_ID = 'matrix-exact-f32-1'

/** What {@link multiplyExact} multiplies. All matrices are row-major without gaps; `c` overlaps neither operand. */
export interface ExactProduct {
  /** [m × k] */
  readonly a: Float32Array
  /** [k × n] */
  readonly b: Float32Array
  /** [m × n], added to in place. */
  readonly c: Float32Array
  /** Rows of A and C, from 1. */
  readonly m: number
  /** Columns of A and rows of B, from 1. */
  readonly k: number
  /** Columns of B and C, from 1. */
  readonly n: number
}

/** The memory of this kernel's exports, all sizes and addresses in bytes. @see exact/assembly/gemm.ts */
interface GemmExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  packA(from: number, stride: number, rows: number, depth: number, to: number): void
  packB(from: number, stride: number, rows: number, columns: number, to: number, panelBytes: number): void
  multiply(
    c: number,
    stride: number,
    a: number,
    b: number,
    depth: number,
    rowPanels: number,
    columnPanels: number
  ): void
}

/** Half-open range of rows, columns or the inner dimension. */
interface Range {
  readonly start: number
  readonly count: number
}

interface Kernel {
  readonly gemm: GemmExports
  readonly memory: Float32Array
}

// No library that is loaded here types it; every engine has it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const FLOAT_BYTES = 4
/** As in gemm.ts. */
const TILE_ROWS = 5
const TILE_COLUMNS = 8

/** Block of C that stays in the kernel's memory while k runs, at most. Blocks of twice the width were no faster (measured). */
const BLOCK_ROWS = 96 * TILE_ROWS
const BLOCK_COLUMNS = 64 * TILE_COLUMNS
/** Depth of a block: a panel of A and one of B fit a first-level cache of 32 KiB together. */
const BLOCK_DEPTH = 512
/** Rows on their way from JavaScript's memory into a packed block: at least one panel of A. */
const STAGED_FLOATS = 8 * BLOCK_DEPTH

/** Where things lie in the kernel's memory, in floats from its start. */
const STAGE = 0
const PACKED_A = STAGE + STAGED_FLOATS
const PACKED_B = PACKED_A + BLOCK_ROWS * BLOCK_DEPTH
const BLOCK_C = PACKED_B + BLOCK_DEPTH * BLOCK_COLUMNS

let kernel: Kernel | undefined

/**
 * C += A · B in float32, with the same bits on every CPU and in every browser: each element of C is the plain sum over k
 * ascending, starting from what C holds, with one rounding (IEEE 754, to nearest, denormals kept) per multiply and one
 * per add. So cutting m and n, or k with its parts in order, changes no bit. A NaN comes out as 0x7fc00000, since its
 * other bits depend on the CPU.
 *
 * Synchronous; beside its arguments it takes 3 MiB of memory, once per thread.
 *
 * @param onProgress called with the floating-point operations done so far, of 2·m·k·n, at most 2.6e8 apart
 * @throws SwarmError with code MATRIX_SHAPE when a dimension is no whole number from 1 or an array has another length
 */
export function multiplyExact(product: ExactProduct, onProgress?: (flopsDone: number) => void): void {
  checkShapes(product)
  kernel ??= instantiate()
  let flopsDone = 0
  for (const columns of blocksOf(product.n, BLOCK_COLUMNS)) {
    for (const rows of blocksOf(product.m, evenRows(product.m))) {
      copyInC(kernel, product, rows, columns)
      for (const depth of blocksOf(product.k, BLOCK_DEPTH)) {
        packRowsOfA(kernel, product, rows, depth)
        packRowsOfB(kernel, product, depth, columns)
        multiplyBlock(kernel.gemm, rows.count, depth.count, columns.count)
        flopsDone += 2 * rows.count * depth.count * columns.count
        onProgress?.(flopsDone)
      }
      copyOutC(kernel, product, rows, columns)
    }
  }
}

function checkShapes({ a, b, c, m, k, n }: ExactProduct): void {
  for (const [name, size] of Object.entries({ m, k, n })) {
    if (Number.isSafeInteger(size) && size >= 1) continue
    throw new SwarmError(
      'MATRIX_SHAPE',
      `the dimension ${name} of a product must be a whole number from 1, not ${size}`
    )
  }
  const expected = { a: [a, m, k], b: [b, k, n], c: [c, m, n] } as const
  for (const [name, [matrix, rows, columns]] of Object.entries(expected)) {
    if (matrix.length === rows * columns) continue
    const found = `has ${matrix.length} elements instead of ${rows} × ${columns} = ${rows * columns}`
    throw new SwarmError('MATRIX_SHAPE', `the matrix ${name} ${found}`)
  }
}

function instantiate(): Kernel {
  const bytes = Uint8Array.from(atob(GEMM_WASM_BASE64), (char) => char.charCodeAt(0))
  const gemm = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as GemmExports
  return { gemm, memory: new Float32Array(gemm.memory.buffer) }
}

/** Rows of a block, so that all blocks have about as many: B is packed once for each. */
function evenRows(m: number): number {
  const blocks = Math.ceil(m / BLOCK_ROWS)
  return Math.ceil(m / blocks / TILE_ROWS) * TILE_ROWS
}

function* blocksOf(size: number, blockSize: number): Generator<Range> {
  for (let start = 0; start < size; start += blockSize) yield { start, count: Math.min(blockSize, size - start) }
}

function copyInC({ memory }: Kernel, { c, n }: ExactProduct, rows: Range, columns: Range): void {
  for (let row = 0; row < rows.count; row++) {
    const start = (rows.start + row) * n + columns.start
    memory.set(c.subarray(start, start + columns.count), BLOCK_C + row * BLOCK_COLUMNS)
  }
}

function copyOutC({ memory }: Kernel, { c, n }: ExactProduct, rows: Range, columns: Range): void {
  for (let row = 0; row < rows.count; row++) {
    const start = BLOCK_C + row * BLOCK_COLUMNS
    c.set(memory.subarray(start, start + columns.count), (rows.start + row) * n + columns.start)
  }
}

function packRowsOfA({ gemm, memory }: Kernel, { a, k }: ExactProduct, rows: Range, depth: Range): void {
  const stagedRows = Math.floor(STAGED_FLOATS / depth.count / TILE_ROWS) * TILE_ROWS
  for (const part of blocksOf(rows.count, stagedRows)) {
    stage(memory, a, k, { start: rows.start + part.start, count: part.count }, depth)
    const to = PACKED_A + part.start * depth.count
    gemm.packA(STAGE * FLOAT_BYTES, depth.count * FLOAT_BYTES, part.count, depth.count, to * FLOAT_BYTES)
  }
}

function packRowsOfB({ gemm, memory }: Kernel, { b, n }: ExactProduct, depth: Range, columns: Range): void {
  const stagedRows = Math.floor(STAGED_FLOATS / columns.count)
  const panelBytes = depth.count * TILE_COLUMNS * FLOAT_BYTES
  for (const part of blocksOf(depth.count, stagedRows)) {
    stage(memory, b, n, { start: depth.start + part.start, count: part.count }, columns)
    const to = PACKED_B + part.start * TILE_COLUMNS
    const stride = columns.count * FLOAT_BYTES
    gemm.packB(STAGE * FLOAT_BYTES, stride, part.count, columns.count, to * FLOAT_BYTES, panelBytes)
  }
}

/** Copies a part of a matrix with `width` columns, row after row without gaps. */
function stage(memory: Float32Array, matrix: Float32Array, width: number, rows: Range, columns: Range): void {
  if (columns.count === width) {
    memory.set(matrix.subarray(rows.start * width, (rows.start + rows.count) * width), STAGE)
    return
  }
  for (let row = 0; row < rows.count; row++) {
    const start = (rows.start + row) * width + columns.start
    memory.set(matrix.subarray(start, start + columns.count), STAGE + row * columns.count)
  }
}

function multiplyBlock(gemm: GemmExports, rows: number, depth: number, columns: number): void {
  gemm.multiply(
    BLOCK_C * FLOAT_BYTES,
    BLOCK_COLUMNS * FLOAT_BYTES,
    PACKED_A * FLOAT_BYTES,
    PACKED_B * FLOAT_BYTES,
    depth,
    Math.ceil(rows / TILE_ROWS),
    Math.ceil(columns / TILE_COLUMNS)
  )
}
