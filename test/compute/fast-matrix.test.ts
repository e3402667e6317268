import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { createFastMultiplier } from '../../src/compute/fast-matrix.ts'
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

describe('the fast matrix kernel', () => {
  test.each([
    { m: 1, k: 1, n: 1, threads: 1 },
    { m: 3, k: 5, n: 2, threads: 1 },
    { m: 64, k: 200, n: 33, threads: 2 },
    { m: 1, k: 999, n: 70, threads: 2 },
    { m: 70, k: 1, n: 1, threads: 1 }
  ])('multiplies $m × $k · $k × $n on $threads threads', async ({ m, k, n, threads }) => {
    const [a, b] = [noise(m * k, 1), noise(k * n, 2)]
    const multiplier = await createFastMultiplier({ b, k, n, threads })
    try {
      expectProduct(await multiplier.multiply(a, m), a, b, m, k, n)
    } finally {
      await multiplier.release()
    }
  })

  test('takes any number of rows by one right operand, and writes into a given array', async () => {
    const [k, n] = [40, 30]
    const b = noise(k * n, 2)
    const multiplier = await createFastMultiplier({ b: b.slice(), k, n, threads: 1 })
    try {
      for (const m of [1, 17, 5]) {
        const a = noise(m * k, m)
        const into = new Float32Array(m * n).fill(Number.NaN)
        expect(await multiplier.multiply(a, m, into)).toBe(into)
        expectProduct(into, a, b, m, k, n)
      }
    } finally {
      await multiplier.release()
    }
  })

  test('keeps B as it was when it was made', async () => {
    const b = Float32Array.of(2)
    const multiplier = await createFastMultiplier({ b, k: 1, n: 1, threads: 1 })
    b[0] = 5
    expect(await multiplier.multiply(Float32Array.of(3), 1)).toEqual(Float32Array.of(6))
    await multiplier.release()
  })

  test('keeps denormals, and NaN in its row', async () => {
    const multiplier = await createFastMultiplier({ b: Float32Array.of(2 ** -49), k: 1, n: 1, threads: 1 })
    const c = await multiplier.multiply(Float32Array.of(2 ** -100, Number.NaN, 1), 3)
    expect(c).toEqual(Float32Array.of(2 ** -149, Number.NaN, 2 ** -49))
    await multiplier.release()
  })

  test('works in a worker thread, and the thread ends', async () => {
    const worker = new Worker(new URL('./fast-matrix-worker.ts', import.meta.url))
    const exited = new Promise<number>((resolve) => worker.once('exit', resolve))
    const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    expect(answer).toEqual(Float32Array.of(19, 22, 43, 50))
    expect(await exited).toBe(0)
  })

  test('names its version, of a package that has what is used of it', async () => {
    // Compiles only while the package's own types fit ours.
    const runtime: OnnxRuntime = await import('onnxruntime-node')
    expect(fastKernelId(() => runtime)).toBe(fastKernelId())
    expect(installedFastKernelId()).toBe(fastKernelId())
    expect(fastKernelId()).toMatch(/^matrix-fast-f32-ort-\d+\.\d+\.\d+$/)
  })

  test('says what is missing and how to add it', async () => {
    const load = (name: string): never => {
      throw new Error(`Cannot find module '${name}'\nRequire stack:\n- here`)
    }
    const refusal = {
      code: 'KERNEL_MISSING',
      message: expect.stringMatching(/onnxruntime-node 1\.30\.0.*npm install .*--exact/)
    }
    await expect(createFastMultiplier({ b: Float32Array.of(1), k: 1, n: 1, threads: 1 }, load)).rejects.toMatchObject(
      refusal
    )
    expect(() => fastKernelId(load)).toThrow(expect.objectContaining(refusal))
    expect(() => fastKernelId(load)).not.toThrow(/Require stack/)
  })

  test('names what the kernel itself refuses', async () => {
    const load = (): OnnxRuntime => ({
      env: { versions: {} },
      Tensor: class {},
      InferenceSession: { create: () => Promise.reject(new Error('no memory')) }
    })
    await expect(createFastMultiplier({ b: Float32Array.of(1), k: 1, n: 1, threads: 1 }, load)).rejects.toMatchObject({
      code: 'KERNEL_FAILED',
      message: expect.stringContaining('no memory')
    })
  })

  test.each([
    [{ k: 0 }, 'k must be'],
    [{ n: 1.5 }, 'n must be'],
    [{ threads: 0 }, 'threads must be'],
    [{ threads: 5000 }, 'threads must be'],
    [{ k: 3 }, 'the matrix b has 4 elements instead of 3 × 2 = 6']
  ])('refuses to be made with %o', async (change, message) => {
    const options = { b: new Float32Array(4), k: 2, n: 2, threads: 1, ...change }
    await expect(createFastMultiplier(options)).rejects.toMatchObject({
      code: 'MATRIX_SHAPE',
      message: expect.stringContaining(message)
    })
  })

  test('refuses operands and results of another length, and work after its release', async () => {
    const multiplier = await createFastMultiplier({ b: new Float32Array(4), k: 2, n: 2, threads: 1 })
    const shape = { code: 'MATRIX_SHAPE' }
    await expect(multiplier.multiply(new Float32Array(3), 2)).rejects.toMatchObject(shape)
    await expect(multiplier.multiply(new Float32Array(4), 0)).rejects.toMatchObject(shape)
    await expect(multiplier.multiply(new Float32Array(4), 2, new Float32Array(3))).rejects.toMatchObject(shape)
    await multiplier.release()
    await expect(multiplier.multiply(new Float32Array(4), 2)).rejects.toMatchObject({
      code: 'KERNEL_FAILED',
      message: expect.stringContaining('released')
    })
    await multiplier.release()
  })
})
