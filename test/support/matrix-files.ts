import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MatrixFiles } from '../../src/domain/compute.ts'
import { encodeNpyHeader } from '../../src/tasks/matrix/npy-header.ts'
import { multiplyPlainly, noise, type Shape } from '../tasks/matrix/exact-reference.ts'

/** Two operands in .npy files and in memory, with their product as the exact kernel defines it. */
export interface MatrixPair {
  readonly files: MatrixFiles
  readonly a: Float32Array
  readonly b: Float32Array
  readonly c: Float32Array
}

/** Writes noise, the same for the same seed. */
export async function writeMatrices(folder: string, shape: Shape, seed = 1): Promise<MatrixPair> {
  const { m, k, n } = shape
  const [a, b] = [noise(m * k, seed), noise(k * n, seed + 1)]
  const files = { a: join(folder, `a-${seed}.npy`), b: join(folder, `b-${seed}.npy`) }
  await writeFile(files.a, npyOf(a, m, k))
  await writeFile(files.b, npyOf(b, k, n))
  return { files, a, b, c: multiplyPlainly(a, b, new Float32Array(m * n), shape) }
}

/** A C-order float32 file. */
export function npyOf(matrix: Float32Array, rows: number, cols: number): Uint8Array {
  return Buffer.concat([encodeNpyHeader(rows, cols), Buffer.from(matrix.buffer, matrix.byteOffset, matrix.byteLength)])
}
