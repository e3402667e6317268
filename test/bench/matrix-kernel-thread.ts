// A thread of the matrix benchmark: multiplies its rows by one kernel whenever it is told a number of rows, as a kernel
// thread of a job does with its tiles.
import { parentPort, workerData } from 'node:worker_threads'
import { FastProduct } from '../../src/compute/fast-product.ts'
import { multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { sliceRows } from './matrix-data.ts'

/** The rows from `start` to `end` of a product, in memory that the threads share. */
export interface KernelPart {
  readonly kernel: 'fast' | 'exact'
  readonly size: number
  readonly start: number
  readonly end: number
  readonly a: Float32Array
  readonly b: Float32Array
  readonly c: Float32Array
}

const { kernel, size, start, end, a, b, c } = workerData as KernelPart
const fast = kernel === 'fast' ? await FastProduct.create({ threads: 1, device: 'cpu' }) : undefined

parentPort?.on('message', async (rows: number) => {
  if (fast === undefined) c.fill(0, start * size, end * size)
  for (const [first, last] of sliceRows(end - start, rows)) {
    const [from, to] = [(start + first) * size, (start + last) * size]
    const product = { a: a.subarray(from, to), b, c: c.subarray(from, to), m: last - first, k: size, n: size }
    if (fast === undefined) multiplyExact(product)
    else await fast.multiply({ ...product, adds: false })
  }
  parentPort?.postMessage('done')
})
