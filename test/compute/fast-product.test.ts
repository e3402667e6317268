import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import { FastProduct } from '../../src/compute/fast-product.ts'
import { fastKernelId, installedFastKernelId, type OnnxRuntime } from '../../src/compute/onnx-runtime.ts'
import { noise } from '../tasks/matrix/exact-reference.ts'

const EPSILON = 2 ** -24

/** Fails unless every element of C is within the bound of any order of summing: γ(k) · |A|·|B|. */
function expectProduct(c: Float32Array, a: Float32Array, b: Float32Array, m: number, k: number, n: number): void {
  expect(c.length).toBe(m * n)
  const gamma = (k * EPSILON) / (1 - k * EPSILON)
  for (let index = 0; index < m * n; index++) {
    const [row, column] = [Math.floor(index / n), index % n]
    let [sum, absolute] = [0, 0]
    for (let inner = 0; inner < k; inner++) {
      const term = (a[row * k + inner] ?? Number.NaN) * (b[inner * n + column] ?? Number.NaN)
      sum += term
      absolute += Math.abs(term)
    }
    const error = Math.abs((c[index] ?? Number.NaN) - sum)
    if (!(error <= gamma * absolute)) throw new Error(`element ${row}, ${column} is off by ${error}`)
  }
}

async function withProduct(threads: number, use: (product: FastProduct) => Promise<void>): Promise<void> {
  const product = await FastProduct.create({ threads, device: 'cpu' })
  try {
    await use(product)
  } finally {
    await product.release()
  }
}

describe('the fast matrix kernel', () => {
  test.each([
    { m: 1, k: 1, n: 1, threads: 1 },
    { m: 3, k: 5, n: 2, threads: 1 },
    { m: 64, k: 200, n: 33, threads: 2 },
    { m: 1, k: 999, n: 70, threads: 2 },
    { m: 70, k: 1, n: 1, threads: 1 }
  ])('multiplies $m × $k · $k × $n on $threads threads, whatever C held', async ({ m, k, n, threads }) => {
    const [a, b] = [noise(m * k, 1), noise(k * n, 2)]
    await withProduct(threads, async (product) => {
      const c = new Float32Array(m * n).fill(Number.NaN)
      await product.multiply({ a: [a], b: [b], c, m, n })
      expectProduct(c, a, b, m, k, n)
    })
  })

  test.each([2, 8, 9, 20])(
    'adds the products of %i blocks of the inner dimension, in one call or several',
    async (count) => {
      const [m, k, n] = [20, 300, 30]
      const [a, b] = [noise(m * k, 1), noise(k * n, 2)]
      const cuts = Array.from({ length: count + 1 }, (_, index) => Math.floor((index * k) / count))
      const blocks = cuts.slice(1).map((end, index) => ({ start: cuts[index] ?? 0, end }))
      const columnsOfA = (start: number, end: number) =>
        Float32Array.from({ length: m * (end - start) }, (_, index) => {
          const row = Math.floor(index / (end - start))
          return a[row * k + start + (index % (end - start))] ?? Number.NaN
        })
      await withProduct(1, async (product) => {
        const c = new Float32Array(m * n).fill(Number.NaN)
        const lefts = blocks.map(({ start, end }) => columnsOfA(start, end))
        const rights = blocks.map(({ start, end }) => b.subarray(start * n, end * n))
        await product.multiply({ a: lefts, b: rights, c, m, n })
        expectProduct(c, a, b, m, k, n)
      })
    }
  )

  test('reads shared memory', async () => {
    const shared = (values: readonly number[]) => {
      const floats = new Float32Array(new SharedArrayBuffer(values.length * 4))
      floats.set(values)
      return floats
    }
    await withProduct(1, async (product) => {
      const c = new Float32Array(4)
      await product.multiply({ a: [shared([1, 2, 3, 4])], b: [shared([5, 6, 7, 8])], c, m: 2, n: 2 })
      expect(c).toEqual(Float32Array.of(19, 22, 43, 50))
    })
  })

  test('keeps denormals, and NaN in its row', async () => {
    await withProduct(1, async (product) => {
      const c = new Float32Array(3)
      const a = Float32Array.of(2 ** -100, Number.NaN, 1)
      await product.multiply({ a: [a], b: [Float32Array.of(2 ** -49)], c, m: 3, n: 1 })
      expect(c).toEqual(Float32Array.of(2 ** -149, Number.NaN, 2 ** -49))
    })
  })

  test('works in a worker thread, and the thread ends', async () => {
    const worker = new Worker(new URL('./fast-product-worker.ts', import.meta.url))
    const exited = new Promise<number>((resolve) => worker.once('exit', resolve))
    const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    expect(answer).toEqual(Float32Array.of(19, 22, 43, 50))
    expect(await exited).toBe(0)
  })

  test('names itself and its version, without being loaded too', () => {
    expect(fastKernelId()).toMatch(/^matrix-fast-f32-ort-\d+\.\d+\.\d+$/)
    expect(installedFastKernelId()).toBe(fastKernelId())
    const missing = Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' })
    const load = () => {
      throw missing
    }
    expect(installedFastKernelId(load)).toBeUndefined()
  })

  test('says what is missing and how to add it', async () => {
    const load = (name: string): never => {
      throw new Error(`Cannot find module '${name}'\nRequire stack:\n- here`)
    }
    const refusal = {
      code: 'KERNEL_MISSING',
      message: expect.stringMatching(/onnxruntime-node 1\.30\.0.*npm install .*--exact/)
    }
    await expect(FastProduct.create({ threads: 1, device: 'cpu' }, load)).rejects.toMatchObject(refusal)
    expect(() => fastKernelId(load)).toThrow(expect.objectContaining(refusal))
    expect(() => fastKernelId(load)).not.toThrow(/Require stack/)
  })

  test('names what the kernel itself refuses', async () => {
    const load = (): OnnxRuntime => ({
      env: { versions: {} },
      Tensor: class {},
      InferenceSession: { create: () => Promise.reject(new Error('no memory')) }
    })
    await expect(FastProduct.create({ threads: 1, device: 'cpu' }, load)).rejects.toMatchObject({
      code: 'KERNEL_FAILED',
      message: expect.stringContaining('no memory')
    })
  })

  test('a GPU is used when it is one, and refused with a reason when it is not', async () => {
    const pool = new KernelPool(1)
    const { signal } = new AbortController()
    try {
      const device = await pool.chooseDevice('gpu', { signal }).catch((error: unknown) => error)
      if (device !== 'webgpu')
        expect(device).toMatchObject({ code: 'DEVICE_MISSING', message: expect.stringContaining('--device cpu') })
      expect(['cpu', 'webgpu']).toContain(await pool.chooseDevice('auto', { signal }))
    } finally {
      await pool.close()
    }
  })
})
