import { readFile, writeFile } from 'node:fs/promises'
import type { NpyDtype } from '../../src/tasks/matrix/npy-header.ts'
import { readNpyHeader } from '../../src/tasks/matrix/npy-open.ts'
import { multiplyPlainly, partOf, type Shape } from '../tasks/matrix/exact-reference.ts'

/** Unit roundoff of float32. */
const ROUNDOFF = 2 ** -24

/** A C-order float32 matrix from a file. */
export interface ReadMatrix {
  readonly rows: number
  readonly cols: number
  readonly elements: Float32Array
}

/** Reads a whole C-order float32 file. @throws SwarmError NPY_MALFORMED and others; Error for another order or type */
export async function readMatrix(path: string): Promise<ReadMatrix> {
  const bytes = new Uint8Array(await readFile(path))
  const header = readNpyHeader(path, bytes.byteLength, (into, offset) => {
    into.set(bytes.subarray(offset, offset + into.byteLength))
  })
  if (header.fortranOrder || header.dtype !== 'float32') throw new Error(`${path} is no C-order float32 matrix`)
  return { rows: header.rows, cols: header.cols, elements: new Float32Array(bytes.buffer, header.dataOffset) }
}

/** Writes a row-major matrix in any layout that swarm takes, or with a dtype that it does not take. */
export async function writeMatrix(
  path: string,
  matrix: Float32Array,
  layout: {
    readonly rows: number
    readonly cols: number
    readonly dtype?: NpyDtype | 'int32'
    readonly fortran?: boolean
  }
): Promise<string> {
  const { rows, cols, dtype = 'float32', fortran = false } = layout
  const ordered = fortran ? matrix.map((_, at) => matrix[(at % rows) * cols + Math.floor(at / rows)] ?? 0) : matrix
  const [descr, elements] = {
    float32: ['<f4', ordered] as const,
    float64: ['<f8', Float64Array.from(ordered)] as const,
    int32: ['<i4', Int32Array.from(ordered)] as const
  }[dtype]
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${rows}, ${cols}), }`
  const header = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${dict.padEnd(117)}\n`, 'latin1')
  header.writeUInt16LE(header.byteLength - 10, 8)
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  await writeFile(path, Buffer.concat([header, bytes]))
  return path
}

/**
 * The error of a float32 product against one in float64: |c − A·B| by element, as a share of γ(k)·|A|·|B| with
 * γ(k) = k·u / (1 − k·u), which bounds every order of float32 sums (Higham, Accuracy and Stability of Numerical
 * Algorithms, section 3.5). @returns the largest share; NaN when an element is no number
 */
export function largestErrorShare(
  c: Float32Array,
  { a, b }: { readonly a: Float32Array; readonly b: Float32Array },
  { m, k, n }: Shape
): number {
  const gamma = (k * ROUNDOFF) / (1 - k * ROUNDOFF)
  const sums = new Float64Array(n)
  const absolutes = new Float64Array(n)
  let largest = c.length === m * n ? 0 : Number.NaN
  for (let row = 0; row < m; row++) {
    sums.fill(0)
    absolutes.fill(0)
    for (let inner = 0; inner < k; inner++) {
      const factor = a[row * k + inner] as number
      for (let column = 0; column < n; column++) {
        const term = factor * (b[inner * n + column] as number)
        sums[column] = (sums[column] as number) + term
        absolutes[column] = (absolutes[column] as number) + Math.abs(term)
      }
    }
    for (let column = 0; column < n; column++) {
      const error = Math.abs((c[row * n + column] as number) - (sums[column] as number))
      largest = Math.max(largest, error === 0 ? 0 : error / (gamma * (absolutes[column] as number)))
    }
  }
  return largest
}

/** Rows of A, spread over all of it, with the product that the exact kernel has to give for each. */
export function* exactRows(
  { a, b }: { readonly a: Float32Array; readonly b: Float32Array },
  { m, k, n }: Shape,
  count: number
): Generator<{ readonly row: number; readonly expected: Float32Array }> {
  for (let sample = 0; sample < count; sample++) {
    const row = Math.floor(((sample + 0.5) * m) / count)
    const ofA = partOf(a, k, [row, row + 1], [0, k])
    yield { row, expected: multiplyPlainly(ofA, b, new Float32Array(n), { m: 1, k, n }) }
  }
}
