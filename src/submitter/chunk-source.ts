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
  buffer: ArrayBuffer
}

/**
 * Owns the inputs that are out on lease: reads and hashes each in a compute thread before its grant leaves, and serves
 * the ranges that the lease-holder pulls. The result is later received into the same buffer.
 */
export class ChunkSource {
  readonly #inputs = new Map<number, LeasedInput>()
  readonly #path: string
  readonly #compute: ComputePool
  readonly #buffers: BufferPool

  constructor(path: string, compute: ComputePool, buffers: BufferPool) {
    this.#path = path
    this.#compute = compute
    this.#buffers = buffers
  }

  /** Reads a chunk for a lease. @returns the input's SHA-256. @throws SwarmError INPUT_UNREADABLE */
  async prepare(
    leaseNumber: number,
    peerId: string,
    chunk: Chunk,
    { signal }: { signal: AbortSignal }
  ): Promise<Uint8Array> {
    const request = {
      path: this.#path,
      offset: chunk.inputOffset,
      byteLength: chunk.inputBytes,
      buffer: this.#buffers.take(Math.max(chunk.inputBytes, chunk.outputBytes))
    }
    const { buffer, inputHash } = await this.#compute.readInput(request, { signal })
    this.#inputs.set(leaseNumber, { peerId, chunk, inputHash, buffer })
    return inputHash
  }

  /** @throws WireError REFUSED when the peer holds no such lease or the range is not in the chunk */
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
    return new Uint8Array(input.buffer, range.offset, range.byteLength)
  }

  /** Hands over the input of a lease whose holder offers its result: it has been pulled whole. */
  take(leaseNumber: number, peerId: string): LeasedInput | undefined {
    const input = this.#inputs.get(leaseNumber)
    if (input?.peerId !== peerId) return undefined
    this.#inputs.delete(leaseNumber)
    return input
  }

  /**
   * Forgets the input of a lost lease. Its buffer may still be queued in a stream, so it is left to the garbage
   * collector.
   */
  drop(leaseNumber: number): void {
    this.#inputs.delete(leaseNumber)
  }
}
