import { Worker } from 'node:worker_threads'
import { sliceRows } from './matrix-data.ts'
import type { KernelPart } from './matrix-kernel-thread.ts'

/** Two square operands, row-major. */
export interface Operands {
  readonly size: number
  readonly a: Float32Array
  readonly b: Float32Array
}

/** One way to multiply, warmed up by its first run. Whoever made it closes it. */
export interface KernelWay {
  /** Multiplies once, in slices of `rows` rows. @returns elapsed ms */
  run(rows: number): Promise<number>
  /** The product of the last run. */
  result(): Promise<Float32Array>
  close(): Promise<void>
}

/** A kernel as in a job: each thread has an equal share of the rows, and takes it in slices. The time is that of the slowest. */
export async function startKernel(
  kernel: KernelPart['kernel'],
  { size, a, b }: Operands,
  threads: number
): Promise<KernelWay> {
  const share = (buffer: Float32Array): Float32Array => {
    const shared = new Float32Array(new SharedArrayBuffer(buffer.byteLength))
    shared.set(buffer)
    return shared
  }
  const [sharedA, sharedB, c] = [share(a), share(b), share(new Float32Array(size * size))]
  const workers = sliceRows(size, Math.ceil(size / threads)).map(([start, end]) => {
    const workerData: KernelPart = { kernel, size, start, end, a: sharedA, b: sharedB, c }
    return new Worker(new URL('./matrix-kernel-thread.ts', import.meta.url), { workerData })
  })
  return {
    run: async (rows) => {
      const startedMs = performance.now()
      await Promise.all(workers.map((worker) => ask(worker, rows)))
      return performance.now() - startedMs
    },
    result: async () => c,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
  }
}

function ask(worker: Worker, rows: number): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => {
      worker.off('error', reject)
      resolve()
    })
    worker.once('error', reject)
    worker.postMessage(rows)
  })
}
