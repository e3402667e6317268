// A thread of the matrix benchmark: computes its tiles whenever it is told to, as a kernel thread of a job does.
import { parentPort, workerData } from 'node:worker_threads'
import { computeTile } from '../../src/compute/tile-kernel.ts'
import type { MatrixPlan } from '../../src/tasks/matrix/matrix-plan.ts'
import { TileGrid } from '../../src/tasks/matrix/tile-grid.ts'

/** Every `step`-th tile of a product from `first` on. All lies in memory that the threads share. */
export interface KernelPart {
  readonly kernelId: string
  readonly plan: MatrixPlan
  readonly first: number
  readonly step: number
  /** By index of the operand. */
  readonly operands: readonly Float32Array[]
  /** Tile after tile, as the bytes of a job's output. */
  readonly output: Float32Array
}

const FLOAT_BYTES = 4
const { kernelId, plan, first, step, operands, output } = workerData as KernelPart
const grid = new TileGrid(plan)

parentPort?.on('message', async () => {
  for (let index = first; index < grid.tileRowCount * grid.tileColumnCount; index += step) {
    const tile = grid.tile(Math.floor(index / grid.tileColumnCount), index % grid.tileColumnCount)
    const start = tile.outputOffset / FLOAT_BYTES
    const into = output.subarray(start, start + tile.byteLength / FLOAT_BYTES)
    const read = ({ index: operand }: { readonly index: number }) => operands[operand] as Float32Array
    await computeTile({ grid, tile, kernelId, device: 'cpu' }, read, into, () => undefined)
  }
  parentPort?.postMessage('done')
})
