import { SwarmError } from '../errors.ts'
import { EXACT_KERNEL_ID, multiplyExact } from '../tasks/matrix/exact-kernel.ts'
import { FAST_KERNEL_PREFIX } from '../tasks/matrix/matrix.ts'
import type { Operand, Tile, TileGrid } from '../tasks/matrix/tile-grid.ts'
import { type BlockProduct, FastProduct } from './fast-product.ts'
import type { Device } from './onnx-runtime.ts'
import { fastKernelId } from './onnx-runtime.ts'

/** Hands out an operand's elements, row-major without gaps. */
export type OperandReader = (operand: Operand) => Float32Array

/** Told now and then how many bytes of the result the work so far is worth. */
export type OnTileProgress = (bytesDone: number) => void

type Multiply = (product: BlockProduct) => Promise<void> | void

let fast: Promise<FastProduct> | undefined

/**
 * Computes one tile of C: the products of its blocks, depth by depth from the first.
 *
 * @param into [rows × columns] of the tile
 * @throws SwarmError KERNEL_MISSING, KERNEL_FAILED
 */
export async function computeTile(
  { grid, tile, kernelId, device }: { grid: TileGrid; tile: Tile; kernelId: string; device: Device },
  read: OperandReader,
  into: Float32Array,
  onProgress: OnTileProgress
): Promise<void> {
  const multiply = await kernelOf(kernelId, device)
  await multiply({ ...operandBlocks(grid, tile, read), c: into, m: tile.rows, n: tile.columns })
  onProgress(tile.byteLength)
}

/** What a tile is the product of: blocks of A and of B, depth by depth from the first. */
export function operandBlocks(
  grid: TileGrid,
  { tileColumn, tileRow }: Tile,
  read: OperandReader
): Pick<BlockProduct, 'a' | 'b'> {
  const depths = Array.from({ length: grid.depthCount }, (_, depthIndex) => depthIndex)
  return {
    a: depths.map((depthIndex) => read(grid.operand(grid.operandOfA(tileRow, depthIndex)))),
    b: depths.map((depthIndex) => read(grid.operand(grid.operandOfB(tileColumn, depthIndex))))
  }
}

async function kernelOf(kernelId: string, device: Device): Promise<Multiply> {
  if (kernelId === EXACT_KERNEL_ID) return runExact
  if (!kernelId.startsWith(FAST_KERNEL_PREFIX)) throw unknown(kernelId, 'no kernel of that name')
  // One per thread, on that thread alone: a process has as many as it has kernel threads, each with a tile of its own.
  fast ??= FastProduct.create({ threads: 1, device })
  const product = await fast
  if (fastKernelId() !== kernelId) throw unknown(kernelId, fastKernelId())
  return (block) => product.multiply(block)
}

function runExact({ a, b, c, m, n }: BlockProduct): void {
  c.fill(0)
  for (const [index, left] of a.entries()) {
    multiplyExact({ a: left, b: b[index] ?? new Float32Array(0), c, m, k: left.length / m, n })
  }
}

function unknown(asked: string, found: string): SwarmError {
  return new SwarmError('KERNEL_MISSING', `the job asks for kernel ${asked}, but this peer has ${found}`)
}
