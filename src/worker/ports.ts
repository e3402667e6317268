import type { Connection, PeerId } from '@libp2p/interface'
import type { AdvertService } from '../../protocols/advert/types.ts'
import type { ChunkService } from '../../protocols/chunk/types.ts'
import type { LeaseService } from '../../protocols/lease/types.ts'
import type { OperandClient } from '../../protocols/operand/types.ts'
import type { ResultService } from '../../protocols/result/types.ts'
import type { Claim } from '../../protocols/wire/receipt-types.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { OperandRefused } from './operand-fetch.ts'
import type { MovedBytes } from './operand-store.ts'

/** What a worker reports, for the log of `swarm join`. */
export type WorkerEvent =
  /** A claim was granted, so long after it was sent. */
  | { readonly event: 'chunks-granted'; readonly jobId: string; readonly chunks: number; readonly afterMs: number }
  | { readonly event: 'chunk-done'; readonly jobId: string; readonly chunkIndex: number; readonly computeMs: number }
  | { readonly event: 'chunk-receipted'; readonly jobId: string; readonly chunkIndex: number }
  | { readonly event: 'chunk-refused'; readonly jobId: string; readonly chunkIndex: number; readonly code: number }
  | { readonly event: 'chunk-dropped'; readonly jobId: string; readonly chunkIndex: number; readonly reason: string }
  /** Bytes that a lease's operands took from where, before its kernel began. */
  | ({ readonly event: 'operands-here'; readonly jobId: string; readonly chunkIndex: number } & MovedBytes)
  | OperandRefused
  | { readonly event: 'submitter-lost'; readonly submitter: string; readonly reason: string }

/** What the worker needs of the rest. */
export interface WorkerPorts {
  readonly peerId: PeerId
  /** Human name of this peer. */
  readonly name: string
  readonly advert: AdvertService
  readonly lease: LeaseService
  readonly chunk: ChunkService
  readonly result: ResultService
  readonly compute: ComputePool
  readonly buffers: BufferPool
  readonly clock: Clock
  /** Kernels that this peer has, by kernelId. */
  readonly kernelIds: readonly string[]
  /** Bytes of chunk buffers that this worker may hold at once. */
  readonly memoryBytes: number
  /** Bytes of operand blocks that this worker may hold at once. */
  readonly operandBytesMax: number
  /** The open control connection to a peer, if there is one. */
  controlTo(peerId: PeerId): Connection | undefined
  /** @returns a second connection to the peer for bulk, or the given one where no second can be had. */
  openBulk(control: Connection, options: { signal: AbortSignal }): Promise<Connection>
  /** Whether memory was limited by the user: then garbage is collected as soon as there is some. */
  readonly isTight: boolean
  /** Asks for a garbage collection, where the process can. */
  readonly collectGarbage: (() => unknown) | undefined
  /** @returns the operand stream to a member, opened if need be */
  openOperands(peerId: string, options: { signal: AbortSignal }): Promise<OperandClient>
  /** Signs a claim. @returns the envelope */
  signClaim(claim: Claim): Promise<Uint8Array>
  /** Checks a receipt for this claim and keeps it in the ledger. @throws WireError, SwarmError */
  keepReceipt(receipt: Uint8Array, expected: { submitter: PeerId; claim: Uint8Array }): Promise<void>
  onEvent(event: WorkerEvent): void
}
