import { createRequire } from 'node:module'
import { SwarmError } from '../errors.ts'
import { encodeMatMulModel, MODEL_INPUT, MODEL_OUTPUT } from './fast-matrix-model.ts'

/** The package that brings the native kernel, and the version that was measured. */
const PACKAGE = 'onnxruntime-node'
const PACKAGE_VERSION = '1.30.0'
/** More than any machine has cores; a bound, so that a false number starts no thousands of threads. */
const THREADS_MAX = 1024

/** What is used of the package. Written down here, so that we compile where it is not installed. */
export interface OnnxRuntime {
  readonly env: { logLevel?: string; readonly versions: { readonly node?: string } }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>
  }
}

interface OnnxSession {
  run(feeds: Readonly<Record<string, object>>, fetches: Readonly<Record<string, object>>): Promise<unknown>
  release(): Promise<void>
}

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
 * Names the fast kernel and its version, for receipts and to learn whether it is there.
 *
 * @throws SwarmError with code KERNEL_MISSING, as {@link createFastMultiplier}
 */
export function fastKernelId(load: (name: string) => unknown = createRequire(import.meta.url)): string {
  return `matrix-fast-f32-ort-${loadRuntime(load).env.versions.node ?? 'unknown'}`
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

/**
 * Without spinning: else the threads of a session keep their cores busy for more than 50 ms after each product, at the
 * cost of everybody else, and are not faster by it (measured). Without an arena: it never gives memory back.
 */
function sessionOptions(threads: number): Readonly<Record<string, unknown>> {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableCpuMemArena: false,
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  }
}

/** Node keeps what was loaded, so that this costs nothing after the first time. */
function loadRuntime(load: (name: string) => unknown): OnnxRuntime {
  try {
    const runtime = load(PACKAGE) as OnnxRuntime
    // Its warnings are about the machine, on a stderr that is not its own.
    runtime.env.logLevel = 'error'
    return runtime
  } catch (error) {
    throw missing(error)
  }
}

function missing(error: unknown): SwarmError {
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return new SwarmError(
    'KERNEL_MISSING',
    `the fast matrix kernel needs the optional package ${PACKAGE} ${PACKAGE_VERSION}, which cannot be loaded on ` +
      `${process.platform} ${process.arch}: ${reason}. Where swarm is installed, run: npm install --no-save ` +
      `--ignore-scripts ${PACKAGE}@${PACKAGE_VERSION}; or use --exact, which needs no package`,
    { cause: error }
  )
}

async function failing<Value>(operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('KERNEL_FAILED', `the fast matrix kernel failed: ${reason}`, { cause: error })
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
