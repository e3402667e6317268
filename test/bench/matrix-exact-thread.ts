// A thread of the matrix benchmark: multiplies its rows by the exact kernel whenever it is told a number of rows.
import { parentPort, workerData } from 'node:worker_threads'
import { multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { sliceRows } from './matrix-data.ts'

/** The rows from `start` to `end` of a product, in memory that the threads share. */
export interface ExactPart {
  readonly size: number
  readonly start: number
  readonly end: number
  readonly a: Float32Array
  readonly b: Float32Array
  readonly c: Float32Array
}

const { size, start, end, a, b, c } = workerData as ExactPart

parentPort?.on('message', (rows: number) => {
  c.fill(0, start * size, end * size)
  for (const [first, last] of sliceRows(end - start, rows)) {
    const [from, to] = [(start + first) * size, (start + last) * size]
    multiplyExact({ a: a.subarray(from, to), b, c: c.subarray(from, to), m: last - first, k: size, n: size })
  }
  parentPort?.postMessage('done')
})
