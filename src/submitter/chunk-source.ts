import type { InputRange } from '../../protocols/chunk/types.ts'
import { CLAIM_COUNT_MAX } from '../../protocols/lease/constants.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import { type InputPart, partsByteLength } from '../domain/chunk-parts.ts'
import type { ComputePool, ResultCheck } from '../domain/compute.ts'
import type { Chunk } from '../domain/job.ts'
import type { KernelCall } from '../tasks/task-kind.ts'
import type { ChunkInputs, JobPasses, LeasedChunk, OfferedResult, PreparedInput, TakenInput } from './chunk-input.ts'

/** The input of one leased chunk, read once and kept until the worker has pulled it. */
interface ServedInput {
  readonly peerId: string
  readonly inputHash: Uint8Array
  readonly inputBytes: number
  /** Undefined once all of it was served, and its stream looks at it no more. */
  buffer: ArrayBuffer | undefined
  servedBytes: number
  /** Of these, what the stream has read. */
  readBytes: number
}

/** What the input of a chunk is made of. May wait, such as for what an earlier pass has to give. */
export type PartsOf = (chunk: Chunk) => Promise<readonly InputPart[]>

/** Chunks of ranges of one file. */
export function rangesOf(path: string): PartsOf {
  return async ({ inputOffset: offset, inputBytes: byteLength }) => [{ path, offset, byteLength }]
}

/** Results of a peer that must pass a check of the whole before chance says what is checked, where the kind does that. */
const TRUSTED_CHECKS = 2

/**
 * Owns the inputs that are out on lease: reads and hashes each in a compute thread before its grant leaves, and serves the ranges
 * that the lease-holder pulls. Memory goes back once all of a chunk was served; where a stream says nothing of that, the result is
 * received into the same buffer.
 */
export class ChunkSource implements ChunkInputs {
  readonly grantsMax: number = CLAIM_COUNT_MAX
  readonly passes?: JobPasses
  readonly #inputs = new Map<number, ServedInput>()
  readonly #partsOf: PartsOf
  readonly #compute: ComputePool
  readonly #buffers: BufferPool
  readonly #call: KernelCall

  /** Results that passed their check, by peer. */
  readonly #passed = new Map<string, number>()

  constructor(partsOf: PartsOf, call: KernelCall, compute: ComputePool, buffers: BufferPool, passes?: JobPasses) {
    this.#partsOf = partsOf
    if (passes !== undefined) this.passes = passes
    this.#call = call
    this.#compute = compute
    this.#buffers = buffers
  }

  async prepare(
    peerId: string,
    leases: readonly LeasedChunk[],
    { signal }: { signal: AbortSignal }
  ): Promise<readonly PreparedInput[]> {
    const parts = await Promise.all(leases.map(({ chunk }) => this.#partsOf(chunk)))
    const wanted = leases.map(({ chunk }, index) => {
      const own = parts[index] ?? []
      return { parts: own, buffer: this.#buffers.take(Math.max(partsByteLength(own), chunk.outputBytes)) }
    })
    const inputs = await this.#compute.readInputs({ inputs: wanted }, { signal })
    return leases.flatMap(({ leaseNumber }, index) => {
      const input = inputs[index]
      if (input === undefined) return []
      const inputBytes = partsByteLength(parts[index] ?? [])
      this.#inputs.set(leaseNumber, { peerId, inputBytes, ...input, servedBytes: 0, readBytes: 0 })
      return [{ inputHash: input.inputHash, inputBytes, operands: [] }]
    })
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
    const { inputBytes } = input
    if (range.byteLength === 0 || range.offset + range.byteLength > inputBytes) {
      const asked = `${range.offset}+${range.byteLength}`
      throw new WireError('REFUSED', `range ${asked} is not within the ${inputBytes} bytes of the chunk`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    const { buffer } = input
    if (buffer === undefined || input.servedBytes + range.byteLength > inputBytes) {
      throw new WireError('REFUSED', `peer ${peerId} pulls more than the ${inputBytes} bytes of the chunk`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    input.servedBytes += range.byteLength
    return new Uint8Array(buffer, range.offset, range.byteLength)
  }

  /** A chunk of which all was read is with its worker, whose time it takes from now on, and no memory here. */
  onRead(peerId: string, { leaseNumber, byteLength }: InputRange): void {
    const input = this.#inputs.get(leaseNumber)
    if (input?.buffer === undefined || input.peerId !== peerId) return
    input.readBytes += byteLength
    if (input.readBytes < input.inputBytes) return
    this.#buffers.give(input.buffer)
    input.buffer = undefined
  }

  /**
   * Hands over the input of a lease whose holder offers its result: it was pulled whole, or not at all when the result was
   * held from before. A holder that pulled a part offers nonsense, and its stream may still read the buffer, which is left to
   * the garbage collector.
   */
  take(leaseNumber: number, peerId: string): TakenInput | undefined {
    const input = this.#inputs.get(leaseNumber)
    if (input?.peerId !== peerId) return undefined
    this.#inputs.delete(leaseNumber)
    const { servedBytes, inputBytes, inputHash, buffer } = input
    const isWhole = servedBytes === 0 || servedBytes === inputBytes
    return { inputBytes, inputHash, ...(isWhole && buffer !== undefined && { buffer }) }
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

  async check(result: OfferedResult, options: { signal: AbortSignal }): Promise<ResultCheck> {
    const { chunk, peerId, ...rest } = result
    const passed = this.#passed.get(peerId) ?? 0
    const input = await this.#partsOf(chunk)
    const request = {
      call: this.#call,
      input,
      resultBytes: chunk.outputBytes,
      whole: passed < TRUSTED_CHECKS,
      ...rest
    }
    const checked = await this.#compute.checkResult(request, options)
    if (checked.verdict === 'passed') this.#passed.set(peerId, passed + 1)
    return checked
  }

  async compute(
    chunk: Chunk,
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }> {
    const input = await this.#partsOf(chunk)
    const buffer = this.#buffers.take(Math.max(partsByteLength(input), chunk.outputBytes))
    return this.#compute.runLocal({ call: this.#call, input, buffer }, options)
  }
}
