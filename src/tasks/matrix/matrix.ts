import type { TileTask } from '../task-kind.ts'
import { EXACT_KERNEL_ID } from './exact-kernel.ts'
import { parseMatrixPlan } from './matrix-plan.ts'

/** Where names of the fast kernel begin; the version of its package follows. */
export const FAST_KERNEL_PREFIX = 'matrix-fast-f32-'

/** Speeds of one core before anything was measured, in floating-point operations per ns. @see test/bench/matrix-kernels.ts */
const FAST_FLOPS_PER_NS = 90
const EXACT_FLOPS_PER_NS = 22
const FLOAT_BYTES = 4

/** C = A · B in float32. A chunk's bytes are those of its tiles of C. */
export const matrix: TileTask = {
  takes: 'tiles',
  kind: 'matrix',
  unit: 'flops',
  extension: 'npy',
  verification: 'freivalds',
  defaults: { reverse: false, encrypt: false },
  describe: parseMatrixPlan,
  units: (chunkBytes, { params }) => flopsOf(chunkBytes, params),
  estimateNsPerByte: ({ params, kernelId }) => {
    return flopsOf(1, params) / (isExact(kernelId) ? EXACT_FLOPS_PER_NS : FAST_FLOPS_PER_NS)
  }
}

/** Whether this kernel gives the same bits everywhere. */
export function isExact(kernelId: string): boolean {
  return kernelId === EXACT_KERNEL_ID
}

function flopsOf(chunkBytes: number, params: Uint8Array): number {
  return (chunkBytes / FLOAT_BYTES) * 2 * parseMatrixPlan(params).inner
}
