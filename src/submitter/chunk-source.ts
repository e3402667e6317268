import type { InputRange } from '../../protocols/chunk/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { Chunk } from '../domain/job.ts'

/** The input of one leased chunk, read once and kept for the worker to pull. */
export interface LeasedInput {
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
export class ChunkSource {
  readonly #inputs = new Map<number, ServedInput>()
  readonly #path: string
  readonly #compute: ComputePool
  readonly #buffers: BufferPool

  constructor(path: string, compute: ComputePool, buffers: BufferPool) {
    this.#path = path
    this.#compute = compute
    this.#buffers = buffers
  }

  /** Reads the chunks of a peer's leases. @returns their content hashes, in order. @throws SwarmError INPUT_UNREADABLE */
  async prepare(
    peerId: string,
    leases: readonly { readonly leaseNumber: number; readonly chunk: Chunk }[],
    { signal }: { signal: AbortSignal }
  ): Promise<readonly Uint8Array[]> {
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
    return inputs.map(({ inputHash }) => inputHash)
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
  take(leaseNumber: number, peerId: string): LeasedInput | undefined {
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
}
