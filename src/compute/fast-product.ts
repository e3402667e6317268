import { createRequire } from 'node:module'
import type { Device } from './onnx-runtime.ts'
import {
  failing,
  type LoadPackage,
  loadRuntime,
  type OnnxRuntime,
  type OnnxSession,
  sessionOptions
} from './onnx-runtime.ts'
import { encodeProductModel, MODEL_LEFT, MODEL_OUTPUT, MODEL_RIGHT, MODEL_START } from './product-model.ts'

/** A product of two blocks. All row-major without gaps; may lie in shared memory, except C. */
export interface BlockProduct {
  /** [m × k] */
  readonly a: Float32Array
  /** [k × n] */
  readonly b: Float32Array
  /** [m × n], overwritten, or added to. */
  readonly c: Float32Array
  readonly m: number
  readonly k: number
  readonly n: number
  /** Whether C holds the sum of earlier blocks. */
  readonly adds: boolean
}

/**
 * The native kernel for blocks of any shape. B is not repacked first: that took longer than the product that it was to
 * speed up, since a block of B meets few rows of A (measured: test/bench/matrix-kernels.ts). Whoever made it releases it.
 */
export class FastProduct {
  readonly #runtime: OnnxRuntime
  readonly #first: OnnxSession
  readonly #next: OnnxSession

  private constructor(runtime: OnnxRuntime, first: OnnxSession, next: OnnxSession) {
    this.#runtime = runtime
    this.#first = first
    this.#next = next
  }

  /**
   * @param options threads: that one product is computed on, the calling one included
   * @throws SwarmError KERNEL_MISSING, KERNEL_FAILED (also when there is no such device)
   */
  static async create(
    { threads, device }: { threads: number; device: Device },
    load: LoadPackage = createRequire(import.meta.url)
  ): Promise<FastProduct> {
    const runtime = loadRuntime(load)
    const make = (accumulates: boolean) => {
      const model = encodeProductModel({ accumulates })
      return failing(() => runtime.InferenceSession.create(model, sessionOptions(threads, device)))
    }
    return new FastProduct(runtime, await make(false), await make(true))
  }

  /**
   * C = A · B, or C += A · B. Blocks its thread while it computes. Sums have float32 accumulators in an order that depends
   * on the CPU, so bits differ between machines. @throws SwarmError KERNEL_FAILED
   */
  async multiply({ a, b, c, m, k, n, adds }: BlockProduct): Promise<void> {
    const tensor = (data: Float32Array, rows: number, columns: number) =>
      new this.#runtime.Tensor('float32', data, [rows, columns])
    const operands = { [MODEL_LEFT]: tensor(a, m, k), [MODEL_RIGHT]: tensor(b, k, n) }
    const result = { [MODEL_OUTPUT]: tensor(c, m, n) }
    // The sum goes on in place: each element of C is read once before it is written.
    const running = adds
      ? () => this.#next.run({ ...operands, [MODEL_START]: tensor(c, m, n) }, result)
      : () => this.#first.run(operands, result)
    await failing(running)
  }

  /** Gives threads and memory back. */
  async release(): Promise<void> {
    await Promise.all([this.#first.release(), this.#next.release()])
  }
}
