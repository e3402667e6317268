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
import { encodeProductModel, MODEL_OUTPUT, MODEL_START, modelLeft, modelRight } from './product-model.ts'

/** A product whose inner dimension comes in blocks. All row-major without gaps; may lie in shared memory, except C. */
export interface BlockProduct {
  /** [m × kᵢ] each, in order. */
  readonly a: readonly Float32Array[]
  /** [kᵢ × n] each, as many as there are of A. */
  readonly b: readonly Float32Array[]
  /** [m × n], overwritten. */
  readonly c: Float32Array
  readonly m: number
  readonly n: number
}

/**
 * Blocks that one call takes at most. The package copies C into memory of its own at the end of each call, which at 2048 squared
 * took 4 % of the time when each block was a call (measured).
 */
const CALL_BLOCKS_MAX = 8

/**
 * The native kernel for blocks of any shape. B is not repacked first: that took longer than the product that it was to
 * speed up, since a block of B meets few rows of A (measured: test/bench/matrix-kernels.ts). Whoever made it releases it.
 */
export class FastProduct {
  readonly #runtime: OnnxRuntime
  readonly #make: (blocks: number, accumulates: boolean) => Promise<OnnxSession>
  /** By number of blocks, and whether they are added to what came before. */
  readonly #sessions = new Map<string, Promise<OnnxSession>>()

  private constructor(runtime: OnnxRuntime, make: (blocks: number, accumulates: boolean) => Promise<OnnxSession>) {
    this.#runtime = runtime
    this.#make = make
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
    const product = new FastProduct(runtime, (blocks, accumulates) => {
      const model = encodeProductModel({ blocks, accumulates })
      return failing(() => runtime.InferenceSession.create(model, sessionOptions(threads, device)))
    })
    await product.#session(1, false)
    return product
  }

  /**
   * C = Σ Aᵢ · Bᵢ. Blocks its thread while it computes. Sums have float32 accumulators in an order that depends on the CPU, so bits
   * differ between machines. @throws SwarmError KERNEL_FAILED
   */
  async multiply({ a, b, c, m, n }: BlockProduct): Promise<void> {
    const tensor = (data: Float32Array, rows: number, columns: number) =>
      new this.#runtime.Tensor('float32', data, [rows, columns])
    for (let start = 0; start < a.length; start += CALL_BLOCKS_MAX) {
      const lefts = a.slice(start, start + CALL_BLOCKS_MAX)
      const feeds: Record<string, object> = {}
      for (const [block, left] of lefts.entries()) {
        const inner = left.length / m
        feeds[modelLeft(block)] = tensor(left, m, inner)
        feeds[modelRight(block)] = tensor(b[start + block] ?? new Float32Array(0), inner, n)
      }
      // The sum goes on in place: each element of C is read once before it is written.
      if (start > 0) feeds[MODEL_START] = tensor(c, m, n)
      const session = await this.#session(lefts.length, start > 0)
      await failing(() => session.run(feeds, { [MODEL_OUTPUT]: tensor(c, m, n) }))
    }
  }

  /** Gives threads and memory back. */
  async release(): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values())
    await Promise.all(sessions.map((session) => session.release()))
  }

  #session(blocks: number, accumulates: boolean): Promise<OnnxSession> {
    const key = `${blocks} ${accumulates}`
    const known = this.#sessions.get(key)
    if (known !== undefined) return known
    const made = this.#make(blocks, accumulates)
    this.#sessions.set(key, made)
    // Whoever waits for it is told; the next one may have more memory.
    made.catch(() => this.#sessions.delete(key))
    return made
  }
}
