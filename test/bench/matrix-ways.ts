import { Worker } from 'node:worker_threads'
import { type MatrixPlan, planMatrix } from '../../src/tasks/matrix/matrix-plan.ts'
import { type Rectangle, TileGrid } from '../../src/tasks/matrix/tile-grid.ts'
import type { KernelPart } from './matrix-kernel-thread.ts'

/** Two square operands, row-major. */
export interface Operands {
  readonly size: number
  readonly a: Float32Array
  readonly b: Float32Array
}

/** One way to multiply, warmed up by its first run. Whoever made it closes it. */
export interface KernelWay {
  /** Multiplies once. @returns elapsed ms */
  run(): Promise<number>
  /** The product of the last run, row-major. */
  result(): Promise<Float32Array>
  close(): Promise<void>
}

/** How a job would cut a square product, or with tiles of so many rows. */
export function planOf(size: number, { isExact, tileRows }: { isExact: boolean; tileRows?: number }): MatrixPlan {
  const plan = planMatrix({ rows: size, inner: size, columns: size }, { isExact })
  return { ...plan, tileRows: tileRows ?? plan.tileRows }
}

/**
 * A kernel as in a job: operands lie in the blocks that peers fetch, and each thread computes whole tiles, as many as the others.
 * The time is that of the slowest.
 */
export async function startKernel(
  { kernelId, plan }: { readonly kernelId: string; readonly plan: MatrixPlan },
  { size, a, b }: Operands,
  threads: number
): Promise<KernelWay> {
  const grid = new TileGrid(plan)
  const operands = Array.from({ length: grid.operandCount }, (_, index) => {
    const operand = grid.operand(index)
    return cutOut(operand.matrix === 'a' ? a : b, size, operand)
  })
  const output = shared(size * size)
  const workers = Array.from({ length: threads }, (_, first) => {
    const workerData: KernelPart = { kernelId, plan, first, step: threads, operands, output }
    return new Worker(new URL('./matrix-kernel-thread.ts', import.meta.url), { workerData })
  })
  return {
    run: async () => {
      const startedMs = performance.now()
      await Promise.all(workers.map((worker) => ask(worker)))
      return performance.now() - startedMs
    },
    result: async () => joinTiles(grid, output),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
  }
}

function shared(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT))
}

function cutOut(matrix: Float32Array, width: number, { row, rows, column, columns }: Rectangle): Float32Array {
  const block = shared(rows * columns)
  for (let line = 0; line < rows; line++) {
    const start = (row + line) * width + column
    block.set(matrix.subarray(start, start + columns), line * columns)
  }
  return block
}

function joinTiles(grid: TileGrid, output: Float32Array): Float32Array {
  const width = grid.plan.columns
  const product = new Float32Array(output.length)
  for (let tileRow = 0; tileRow < grid.tileRowCount; tileRow++) {
    for (let tileColumn = 0; tileColumn < grid.tileColumnCount; tileColumn++) {
      const { row, rows, column, columns, outputOffset } = grid.tile(tileRow, tileColumn)
      const start = outputOffset / Float32Array.BYTES_PER_ELEMENT
      for (let line = 0; line < rows; line++) {
        const from = start + line * columns
        product.set(output.subarray(from, from + columns), (row + line) * width + column)
      }
    }
  }
  return product
}

function ask(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => {
      worker.off('error', reject)
      resolve()
    })
    worker.once('error', reject)
    worker.postMessage('run')
  })
}
