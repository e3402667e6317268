import type { InputRange } from '../../protocols/chunk/types.ts'
import { CLAIM_COUNT_MAX } from '../../protocols/lease/constants.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { ComputePool, ResultCheck } from '../domain/compute.ts'
import type { Chunk } from '../domain/job.ts'
import type { KernelCall } from '../tasks/task-kind.ts'
import type { ChunkInputs, LeasedChunk, PreparedInput, TakenInput } from './chunk-input.ts'

/** The input of one leased chunk, read once and kept for the worker to pull. */
interface LeasedInput extends TakenInput {
  readonly peerId: string
  readonly chunk: Chunk
  readonly inputHash: Uint8Array
  readonly buffer: ArrayBuffer
}

interface ServedInput extends LeasedInput {
  servedBytes: number
}

/**
 * Owns the inputs that are out on lease: reads and hashes each in a compute thread before its grant leaves, and serves
 * the ranges that the lease-holder pulls. The result is later received into the same buffer.
 */
export class ChunkSource implements ChunkInputs {
  readonly grantsMax: number = CLAIM_COUNT_MAX
  readonly #inputs = new Map<number, ServedInput>()
  readonly #path: string
  readonly #compute: ComputePool
  readonly #buffers: BufferPool
  readonly #call: KernelCall

  constructor(path: string, call: KernelCall, compute: ComputePool, buffers: BufferPool) {
    this.#path = path
    this.#call = call
    this.#compute = compute
    this.#buffers = buffers
  }

  async prepare(
    peerId: string,
    leases: readonly LeasedChunk[],
    { signal }: { signal: AbortSignal }
  ): Promise<readonly PreparedInput[]> {
    const ranges = leases.map(({ chunk }) => ({
      offset: chunk.inputOffset,
      byteLength: chunk.inputBytes,
      buffer: this.#buffers.take(Math.max(chunk.inputBytes, chunk.outputBytes))
    }))
    const inputs = await this.#compute.readInputs({ path: this.#path, ranges }, { signal })
    for (const [index, { leaseNumber, chunk }] of leases.entries()) {
      const input = inputs[index]
      if (input !== undefined) this.#inputs.set(leaseNumber, { peerId, chunk, ...input, servedBytes: 0 })
    }
    return inputs.map(({ inputHash }) => ({ inputHash, operands: [] }))
  }

  /**
   * No lease gets more bytes than its chunk has, since each pull prolongs it.
   * @throws WireError REFUSED when the peer holds no such lease, the range is not in the chunk, or all was pulled
   */
  read(peerId: string, range: InputRange): Uint8Array {
    const input = this.#inputs.get(range.leaseNumber)
    if (input === undefined || input.peerId !== peerId) {
      throw new WireError('REFUSED', `peer ${peerId} holds no lease ${range.leaseNumber}`, {
        refusal: RefusalCode.unknownLease
      })
    }
    const { inputBytes } = input.chunk
    if (range.byteLength === 0 || range.offset + range.byteLength > inputBytes) {
      const asked = `${range.offset}+${range.byteLength}`
      throw new WireError('REFUSED', `range ${asked} is not within the ${inputBytes} bytes of the chunk`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    if (input.servedBytes + range.byteLength > inputBytes) {
      throw new WireError('REFUSED', `peer ${peerId} pulls more than the ${inputBytes} bytes of the chunk`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    input.servedBytes += range.byteLength
    return new Uint8Array(input.buffer, range.offset, range.byteLength)
  }

  /**
   * Hands over the input of a lease whose holder offers its result: it was pulled whole, or not at all when the result was
   * held from before. A holder that pulled a part offers nonsense, and its stream may still read the buffer: it gets
   * another.
   */
  take(leaseNumber: number, peerId: string): TakenInput | undefined {
    const input = this.#inputs.get(leaseNumber)
    if (input?.peerId !== peerId) return undefined
    this.#inputs.delete(leaseNumber)
    const { servedBytes, chunk } = input
    if (servedBytes === 0 || servedBytes === chunk.inputBytes) return input
    return { ...input, buffer: this.#buffers.take(Math.max(chunk.inputBytes, chunk.outputBytes)) }
  }

  /**
   * Forgets the input of a lost lease. Its buffer may still be queued in a stream, so it is left to the garbage
   * collector.
   */
  drop(leaseNumber: number): void {
    this.#inputs.delete(leaseNumber)
  }

  /** Chunks have inputs of their own. */
  readOperand(): undefined {
    return undefined
  }

  figures(): undefined {
    return undefined
  }

  onOperands(): void {
    // A worker that names operands of such a job says nothing that matters.
  }

  onPeerLost(): void {
    // Its leases are dropped one by one.
  }

  check(
    result: { chunk: Chunk; inputHash: Uint8Array; buffer: ArrayBuffer; outputHash: Uint8Array },
    options: { signal: AbortSignal }
  ): Promise<ResultCheck> {
    const { chunk, ...rest } = result
    const { inputOffset: offset, inputBytes, outputBytes: resultBytes } = chunk
    const request = { call: this.#call, path: this.#path, offset, inputBytes, resultBytes, ...rest }
    return this.#compute.checkResult(request, options)
  }

  compute(
    chunk: Chunk,
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }> {
    const { inputOffset: offset, inputBytes: byteLength, outputBytes } = chunk
    const buffer = this.#buffers.take(Math.max(byteLength, outputBytes))
    return this.#compute.runLocal({ call: this.#call, path: this.#path, offset, byteLength, buffer }, options)
  }
}
