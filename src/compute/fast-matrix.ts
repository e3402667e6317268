import { createRequire } from 'node:module'
import { SwarmError } from '../errors.ts'
import { encodeMatMulModel, MODEL_INPUT, MODEL_OUTPUT } from './fast-matrix-model.ts'
import {
  failing,
  fastKernelId,
  loadRuntime,
  type OnnxRuntime,
  type OnnxSession,
  sessionOptions
} from './onnx-runtime.ts'

/** More than any machine has cores; a bound, so that a false number starts no thousands of threads. */
const THREADS_MAX = 1024

/** What {@link createFastMultiplier} is told. */
export interface FastMultiplierOptions {
  /** [k × n], row-major; read while the multiplier is made, free again after that. */
  readonly b: Float32Array
  /** Rows of B, from 1. */
  readonly k: number
  /** Columns of B, from 1. */
  readonly n: number
  /** Threads that one product is computed on, the calling one included. */
  readonly threads: number
}

/** Multiplies by one right operand, which it holds in the order that its kernel reads. Whoever made it releases it. */
export interface FastMultiplier {
  /** Kernel and version, for receipts. */
  readonly kernelId: string
  /**
   * C = A · B. Blocks its thread while it computes. Sums have float32 accumulators in an order that depends on the CPU,
   * so bits differ between machines.
   *
   * @param a [m × k], row-major; must not change before the promise settles
   * @param m rows of A and C, from 1; may differ from call to call
   * @param into [m × n], overwritten and returned; a new array unless given
   * @returns C, [m × n], row-major
   * @throws SwarmError with code MATRIX_SHAPE when a length does not fit, KERNEL_FAILED when the kernel fails or is
   *   released
   */
  multiply(a: Float32Array, m: number, into?: Float32Array): Promise<Float32Array>
  /** Gives threads and memory back. A second call does nothing. */
  release(): Promise<void>
}

/**
 * Makes a multiplier for one right operand. While it is made it takes about three times the bytes of B, then about once.
 *
 * @param load finds a package by name; the machine's own unless given
 * @throws SwarmError with code KERNEL_MISSING when the optional package is not installed or does not run here,
 *   MATRIX_SHAPE when a number or length does not fit, MATRIX_TOO_LARGE when B is too large for the kernel's format,
 *   KERNEL_FAILED when the kernel refuses it, for example for want of memory
 */
export async function createFastMultiplier(
  { b, k, n, threads }: FastMultiplierOptions,
  load: (name: string) => unknown = createRequire(import.meta.url)
): Promise<FastMultiplier> {
  checkCount('k', k)
  checkCount('n', n)
  checkCount('threads', threads, THREADS_MAX)
  checkLength('b', b, k, n)
  const runtime = loadRuntime(load)
  const model = encodeMatMulModel(b, k, n)
  const session = await failing(() => runtime.InferenceSession.create(model, sessionOptions(threads)))
  return new OnnxMultiplier(runtime, session, { k, n, kernelId: fastKernelId(load) })
}

class OnnxMultiplier implements FastMultiplier {
  readonly kernelId: string
  readonly #runtime: OnnxRuntime
  readonly #k: number
  readonly #n: number
  #session: OnnxSession | undefined

  constructor(runtime: OnnxRuntime, session: OnnxSession, shape: { k: number; n: number; kernelId: string }) {
    this.#runtime = runtime
    this.#session = session
    this.#k = shape.k
    this.#n = shape.n
    this.kernelId = shape.kernelId
  }

  async multiply(a: Float32Array, m: number, into?: Float32Array): Promise<Float32Array> {
    const session = this.#session
    if (session === undefined) throw new SwarmError('KERNEL_FAILED', 'the fast matrix kernel was released before')
    checkCount('m', m)
    checkLength('a', a, m, this.#k)
    const c = into ?? new Float32Array(m * this.#n)
    checkLength('c', c, m, this.#n)
    const { Tensor } = this.#runtime
    // Given its output, the kernel writes straight into it; otherwise it would write fresh memory and hand out that.
    const fetches = { [MODEL_OUTPUT]: new Tensor('float32', c, [m, this.#n]) }
    await failing(() => session.run({ [MODEL_INPUT]: new Tensor('float32', a, [m, this.#k]) }, fetches))
    return c
  }

  async release(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.release()
  }
}

function checkCount(name: string, count: number, max = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= max) return
  throw new SwarmError('MATRIX_SHAPE', `${name} must be a whole number from 1 to ${max}, not ${count}`)
}

function checkLength(name: string, matrix: Float32Array, rows: number, columns: number): void {
  if (matrix.length === rows * columns) return
  const expected = `${rows} × ${columns} = ${rows * columns}`
  throw new SwarmError('MATRIX_SHAPE', `the matrix ${name} has ${matrix.length} elements instead of ${expected}`)
}
