import type { PeerId } from '@libp2p/interface'
import type { SwarmServices } from '../../protocols/index.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import type { SwarmNode } from '../network/create-node.ts'
import type { LedgerStore } from '../store/ledger-store.ts'
import { TASK_KINDS } from '../tasks/registry.ts'
import type { WorkerEvent, WorkerPorts } from '../worker/ports.ts'
import { checkReceiptParties, type EnvelopeDesk } from './open-envelopes.ts'
import type { OpenHome } from './open-home.ts'
import { systemClock } from './system-clock.ts'

/** Bytes of chunk buffers that a worker may hold at once. */
export const WORKER_MEMORY_BYTES = 64 * 1024 * 1024

/** What the worker's ports are made of. */
export interface WorkerParts {
  readonly home: OpenHome
  readonly peerId: PeerId
  readonly node: SwarmNode<SwarmServices>
  readonly bulk: BulkConnections
  readonly compute: ComputePool
  readonly buffers: BufferPool
  readonly envelopes: EnvelopeDesk
  readonly ledger: LedgerStore
  readonly onEvent: (event: WorkerEvent) => void
}

/** Hands the worker what it needs of network, store and compute. */
export function workerPorts(parts: WorkerParts): WorkerPorts {
  const { home, node, bulk, envelopes, ledger } = parts
  const { advert, lease, chunk, result } = node.services
  const { signal } = new AbortController()
  return {
    peerId: parts.peerId,
    name: home.name,
    advert,
    lease,
    chunk,
    result,
    compute: parts.compute,
    buffers: parts.buffers,
    clock: systemClock,
    kernelIds: TASK_KINDS.map(({ kernelId }) => kernelId),
    memoryBytes: WORKER_MEMORY_BYTES,
    controlTo: (peerId) => bulk.control(node, peerId),
    openBulk: async (control, options) => (await bulk.open(node, control, options)).connection,
    signClaim: (claim) => envelopes.signClaim(claim),
    keepReceipt: async (receipt, { submitter, claim }) => {
      checkReceiptParties(receipt, { submitter: submitter.toString(), claim })
      // Its claim is ours, byte for byte.
      await ledger.keepReceipts([receipt], { signal, signedHere: 'claims' })
    },
    onEvent: parts.onEvent
  }
}
