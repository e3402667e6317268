import { FastProduct } from './fast-product.ts'
import type { Device } from './onnx-runtime.ts'

/** What was found of this machine's GPU. Times are those of one product of {@link PROBE_SIZE} squared. */
export type GpuProbe =
  | { readonly works: true; readonly gpuMs: number; readonly cpuMs: number }
  | { readonly works: false; readonly reason: string }

/** Large enough that a GPU that is one shows it. */
const PROBE_SIZE = 1024
/** Of the sum of k products of numbers below 1, in float32. */
const TOLERANCE = PROBE_SIZE * 2 ** -23

/** Tries the GPU, on the same product as the CPU: one that gives other numbers is none. Never rejects. */
export async function probeGpu(): Promise<GpuProbe> {
  try {
    const [gpu, cpu] = [await timeProduct('webgpu'), await timeProduct('cpu')]
    const largest = gpu.c.reduce((most, value, index) => Math.max(most, Math.abs(value - (cpu.c[index] ?? 0))), 0)
    if (largest <= TOLERANCE) return { works: true, gpuMs: gpu.ms, cpuMs: cpu.ms }
    return { works: false, reason: `its products are off by ${largest}` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { works: false, reason: reason.split('\n')[0] ?? reason }
  }
}

async function timeProduct(device: Device): Promise<{ c: Float32Array; ms: number }> {
  const product = await FastProduct.create({ threads: 1, device })
  try {
    const [a, b] = [ramp(7), ramp(11)]
    const c = new Float32Array(PROBE_SIZE * PROBE_SIZE)
    const operands = { a: [a], b: [b], c, m: PROBE_SIZE, n: PROBE_SIZE }
    await product.multiply(operands)
    const startedMs = performance.now()
    await product.multiply(operands)
    return { c, ms: performance.now() - startedMs }
  } finally {
    await product.release()
  }
}

/** Numbers in [−0.5, 0.5) without a pattern that would cancel out. */
function ramp(step: number): Float32Array {
  return Float32Array.from({ length: PROBE_SIZE * PROBE_SIZE }, (_, index) => ((index * step) % 1009) / 1009 - 0.5)
}
