import { randomBytes } from 'node:crypto'
import { contentHash } from '../../src/content-hash.ts'
import type { SinkResume } from '../../src/domain/result-sink.ts'
import type { MatrixPlan } from '../../src/tasks/matrix/matrix-plan.ts'
import { npyBytes } from '../tasks/matrix/npy-fixtures.ts'
import type { TestChunk } from './sink-support.ts'

const FLOAT_BYTES = 4

/** How a C is cut; what is multiplied plays no part here. */
export function planOf(rows: number, columns: number, tileRows: number, tileColumns: number): MatrixPlan {
  return { rows, columns, tileRows, tileColumns, inner: 1, depth: 1 }
}

/** Random elements, [rows × columns] row-major, four bytes each. */
export function randomMatrix({ columns, rows }: MatrixPlan): Uint8Array {
  return new Uint8Array(randomBytes(rows * columns * FLOAT_BYTES))
}

/** The file that must come out, as NumPy writes it. */
export function matrixFile({ columns, rows }: MatrixPlan, matrix: Uint8Array): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`
  return Buffer.from(npyBytes(`${text.padEnd(117)}\n`, 1, matrix))
}

/** Cuts a matrix by the plainest loops there are. @param runTiles tiles of each chunk, repeated; a row of tiles ends a run */
export function matrixChunks(plan: MatrixPlan, matrix: Uint8Array, runTiles: readonly number[]): TestChunk[] {
  const { columns, rows, tileColumns, tileRows } = plan
  const chunks: TestChunk[] = []
  let outputOffset = 0
  for (let row = 0; row < rows; row += tileRows) {
    for (let column = 0; column < columns; ) {
      const bytes: number[] = []
      for (let left = runTiles[chunks.length % runTiles.length] ?? 1; left > 0 && column < columns; left--) {
        const end = Math.min(column + tileColumns, columns)
        for (let inRow = row; inRow < Math.min(row + tileRows, rows); inRow++) {
          const from = (inRow * columns + column) * FLOAT_BYTES
          for (const byte of matrix.subarray(from, from + (end - column) * FLOAT_BYTES)) bytes.push(byte)
        }
        column = end
      }
      chunks.push({ chunkIndex: chunks.length, outputOffset, bytes: Uint8Array.from(bytes) })
      outputOffset += bytes.length
    }
  }
  return chunks
}

/** What the journal keeps of a placed chunk. */
export function journalled({ bytes, chunkIndex, outputOffset }: TestChunk): SinkResume['chunks'][number] {
  return { chunkIndex, outputOffset, byteLength: bytes.byteLength, outputHash: contentHash(bytes) }
}

/** A resume with these chunks; placed jobs take nothing else from the checkpoint. */
export function resumeWith(chunks: readonly TestChunk[]): SinkResume {
  const nothing = new Uint8Array(0)
  const checkpoint = { chunkCount: chunks.length, plainBytes: 0, fileBytes: 0, digest: nothing, tail: nothing }
  return { checkpoint, chunks: chunks.map(journalled) }
}
