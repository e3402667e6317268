// A thread that multiplies once, says what came, and has nothing else to do.
import { parentPort } from 'node:worker_threads'
import { FastProduct } from '../../src/compute/fast-product.ts'

const product = await FastProduct.create({ threads: 2, device: 'cpu' })
const c = new Float32Array(4)
const [a, b] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)]
await product.multiply({ a: [a], b: [b], c, m: 2, n: 2 })
await product.release()
parentPort?.postMessage(c)
