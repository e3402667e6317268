import type { ReadAt } from '../../../src/tasks/matrix/npy-block.ts'
import type { NpyDtype } from '../../../src/tasks/matrix/npy-header.ts'

/** Joins magic, version, length and a header's text, without padding. */
export function npyBytes(text: string, version = 1, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const body = Buffer.from(text, version === 3 ? 'utf8' : 'latin1')
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  length.writeUIntLE(body.byteLength, 0, length.byteLength)
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, body, data])
}

/** A header's text for any dict values. */
export function headerText(shape: string, descr = "'<f4'", fortranOrder = 'False'): string {
  return `{'descr': ${descr}, 'fortran_order': ${fortranOrder}, 'shape': ${shape}, }\n`
}

/** A matrix in a file, by the plainest loop there is. @param values [rows × cols], row-major */
export function npyFile(
  values: Float64Array,
  rows: number,
  cols: number,
  options: { dtype: NpyDtype; fortranOrder: boolean; version?: number }
): Uint8Array {
  const { dtype, fortranOrder } = options
  const itemBytes = dtype === 'float32' ? 4 : 8
  const data = new DataView(new ArrayBuffer(rows * cols * itemBytes))
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const value = values[row * cols + col] ?? 0
      const offset = (fortranOrder ? col * rows + row : row * cols + col) * itemBytes
      if (dtype === 'float32') data.setFloat32(offset, value, true)
      else data.setFloat64(offset, value, true)
    }
  }
  const descr = dtype === 'float32' ? "'<f4'" : "'<f8'"
  const text = headerText(`(${rows}, ${cols})`, descr, fortranOrder ? 'True' : 'False')
  return npyBytes(text, options.version, new Uint8Array(data.buffer))
}

/** A rectangle of row-major values, as float32, by the plainest loop there is. */
export function blockOf(
  values: Float64Array,
  cols: number,
  block: { rowStart: number; rows: number; colStart: number; cols: number }
): Float32Array {
  const out = new Float32Array(block.rows * block.cols)
  for (let row = 0; row < block.rows; row++) {
    for (let col = 0; col < block.cols; col++) {
      out[row * block.cols + col] = values[(block.rowStart + row) * cols + block.colStart + col] ?? Number.NaN
    }
  }
  return out
}

/** Reads from memory as from a file, and notes the most bytes that one read asked for. */
export function readerOf(file: Uint8Array): { readAt: ReadAt; mostBytes: () => number; calls: () => number } {
  let most = 0
  let calls = 0
  return {
    readAt: (bytes, fileOffset) => {
      most = Math.max(most, bytes.byteLength)
      calls += 1
      if (fileOffset < 0 || fileOffset + bytes.byteLength > file.byteLength) {
        throw new Error(`read of ${bytes.byteLength} bytes at ${fileOffset}, of ${file.byteLength}`)
      }
      bytes.set(file.subarray(fileOffset, fileOffset + bytes.byteLength))
    },
    mostBytes: () => most,
    calls: () => calls
  }
}
