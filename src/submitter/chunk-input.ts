import type { InputRange } from '../../protocols/chunk/types.ts'
import type { GrantOperand, OperandChanges } from '../../protocols/lease/types.ts'
import type { OperandRange } from '../../protocols/operand/types.ts'
import type { ResultCheck, SegmentFindings } from '../domain/compute.ts'
import type { OperandFigures } from '../domain/events.ts'
import type { Chunk } from '../domain/job.ts'

/** A lease that is about to be granted. */
export interface LeasedChunk {
  readonly leaseNumber: number
  readonly chunk: Chunk
}

/** What a grant says of its chunk's input. */
export interface PreparedInput {
  readonly inputBytes: number
  /** BLAKE3 of the input, or of the hashes of its operands. */
  readonly inputHash: Uint8Array
  readonly operands: readonly GrantOperand[]
}

/** The input of a lease whose holder offers its result. */
export interface TakenInput {
  readonly inputBytes: number
  readonly inputHash: Uint8Array
  /** Large enough for the result, where the input is still in memory. */
  readonly buffer?: ArrayBuffer
}

/** A peer's result that is to be checked; it lies in `buffer`. */
export interface OfferedResult {
  readonly chunk: Chunk
  readonly peerId: string
  readonly inputHash: Uint8Array
  readonly buffer: ArrayBuffer
  readonly outputHash: Uint8Array
}

/** Passes of a job, each of which needs what the one before found; and what all found together. */
export interface JobPasses {
  /**
   * Opens the next pass when all of the one before is in the sink's file.
   * @param consumedBytes what the sink has written without gaps
   * @returns what to wait for, or undefined when there is nothing to do
   */
  advance(consumedBytes: number): Promise<void> | undefined
  /** Once all is in the sink's file. */
  conclude(options: { signal: AbortSignal }): Promise<SegmentFindings>
}

/**
 * Where the inputs of a job's chunks come from: how holders of leases get them, how results are checked against them, and
 * how this machine computes a chunk itself. One per running job.
 */
export interface ChunkInputs {
  /** Undefined for jobs of one pass, whose result is what was placed. */
  readonly passes?: JobPasses
  /** Grants that one answer to a claim has room for. */
  readonly grantsMax: number
  /** Makes the inputs of a peer's leases ready to be pulled. @returns one item a lease, in order. @throws SwarmError INPUT_UNREADABLE */
  prepare(
    peerId: string,
    leases: readonly LeasedChunk[],
    options: { signal: AbortSignal }
  ): Promise<readonly PreparedInput[]>
  /** @throws WireError REFUSED */
  read(peerId: string, range: InputRange): Uint8Array
  /** What {@link ChunkInputs.read} gave was read and is looked at no more. */
  onRead(peerId: string, range: InputRange): void
  /** @returns the operand's bytes, good until `held` aborts; undefined when this job has no such operand */
  readOperand(range: OperandRange, options: { held: AbortSignal }): Promise<Uint8Array> | undefined
  /** Bytes of operands by source; undefined where chunks have inputs of their own. */
  figures(): OperandFigures | undefined
  /** A worker says which operands it holds. */
  onOperands(peerId: string, changes: OperandChanges): void
  /** A worker's session ended. */
  onPeerLost(peerId: string): void
  take(leaseNumber: number, peerId: string): TakenInput | undefined
  /** Forgets the input of a lost lease. */
  drop(leaseNumber: number): void
  /** Checks a peer's result in `buffer`. */
  check(result: OfferedResult, options: { signal: AbortSignal }): Promise<ResultCheck>
  /** Computes a chunk on this machine. @throws SwarmError KERNEL_FAILED, INPUT_UNREADABLE */
  compute(
    chunk: Chunk,
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }>
}
