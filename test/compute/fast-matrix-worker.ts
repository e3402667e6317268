// A thread that multiplies once, says what came, and has nothing else to do.
import { parentPort } from 'node:worker_threads'
import { createFastMultiplier } from '../../src/compute/fast-matrix.ts'

const multiplier = await createFastMultiplier({ b: Float32Array.of(5, 6, 7, 8), k: 2, n: 2, threads: 2 })
const c = await multiplier.multiply(Float32Array.of(1, 2, 3, 4), 2)
await multiplier.release()
parentPort?.postMessage(c)
