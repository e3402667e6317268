import type { PeerId } from '@libp2p/interface'
import type { SwarmServices } from '../../protocols/index.ts'
import type { Device } from '../compute/onnx-runtime.ts'
import { installedFastKernelId } from '../compute/onnx-runtime.ts'
import { isVoiceInstalled } from '../compute/voice-activity-package.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { ComputePool } from '../domain/compute.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import type { SwarmNode } from '../network/create-node.ts'
import type { LedgerStore } from '../store/ledger-store.ts'
import { EXACT_KERNEL_ID } from '../tasks/matrix/exact-kernel.ts'
import { OPERAND_BYTES_MAX, TILE_OPERAND_BYTES_MAX } from '../tasks/matrix/matrix-plan.ts'
import { TASK_KINDS } from '../tasks/registry.ts'
import type { WorkerEvent, WorkerPorts } from '../worker/ports.ts'
import { checkReceiptParties, type EnvelopeDesk } from './open-envelopes.ts'
import type { OpenHome } from './open-home.ts'
import { OperandLinks } from './operand-links.ts'
import { systemClock } from './system-clock.ts'
import { collectGarbage } from './trim-memory.ts'

/** Bytes of chunk buffers that a worker may hold at once. */
const WORKER_MEMORY_BYTES = 64 * 1024 * 1024
/** What a worker of products takes beside operand blocks, with one kernel thread. Measured: test/campaign/matrix-jobs.ts */
const WORKER_BASE_BYTES = 226_000_000
/** What each further kernel thread takes. */
const THREAD_BYTES = 20_000_000
/** Operand blocks held when no limit was given, in bytes. */
const OPERAND_BYTES_DEFAULT = 256 * 1024 * 1024
/** What a worker needs for the largest tile. */
const OPERAND_BYTES_MIN = TILE_OPERAND_BYTES_MAX + OPERAND_BYTES_MAX

/** What the worker's ports are made of. */
export interface WorkerParts {
  readonly home: OpenHome
  readonly peerId: PeerId
  readonly node: SwarmNode<SwarmServices>
  readonly bulk: BulkConnections
  readonly compute: ComputePool
  /** What products are computed on. */
  readonly device: Device
  readonly buffers: BufferPool
  readonly envelopes: EnvelopeDesk
  readonly ledger: LedgerStore
  readonly onEvent: (event: WorkerEvent) => void
  /** What the process may take in all, in bytes, as the user said. */
  readonly memoryBytesMax?: number
}

/** Hands the worker what it needs of network, store and compute. */
export function workerPorts(parts: WorkerParts): WorkerPorts {
  const { home, node, bulk, envelopes, ledger } = parts
  const { advert, lease, chunk, result } = node.services
  const { signal } = new AbortController()
  const links = new OperandLinks(node, bulk)
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
    kernelIds: kernelIdsHere(parts.device),
    memoryBytes: WORKER_MEMORY_BYTES,
    operandBytesMax: operandBytes(parts.memoryBytesMax, parts.compute.threads),
    isTight: parts.memoryBytesMax !== undefined,
    collectGarbage: collectGarbage(),
    openOperands: (peerId, options) => links.open(peerId, options),
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

/** Kernels of this program, and those of optional packages that are installed. */
function kernelIdsHere(device: Device): readonly string[] {
  const ofRanges = TASK_KINDS.flatMap((task) => {
    if (task.takes === 'tiles') return []
    const isOptional = task.takes === 'segments' && task.isOptional
    return isOptional && !isVoiceInstalled() ? [] : task.kernelId
  })
  const fast = installedFastKernelId()
  // Beside the kernels, since submitters of before do not look for it: what the fast one runs on.
  const capabilities = device === 'cpu' ? [] : [`device:${device}`]
  return [...ofRanges, EXACT_KERNEL_ID, ...(fast === undefined ? [] : [fast]), ...capabilities]
}

/**
 * Kernel threads that fit a limit beside the operands of one tile, of those that were asked for.
 * @throws SwarmError MEMORY_TOO_SMALL
 */
export function threadsWithin(memoryBytesMax: number | undefined, threads: number): number {
  if (memoryBytesMax === undefined) return threads
  const left = memoryBytesMax - WORKER_BASE_BYTES - OPERAND_BYTES_MIN
  if (left >= 0) return Math.min(threads, 1 + Math.floor(left / (THREAD_BYTES + OPERAND_BYTES_MIN)))
  const least = Math.ceil((WORKER_BASE_BYTES + OPERAND_BYTES_MIN) / 1e6)
  throw new SwarmError('MEMORY_TOO_SMALL', `--max-memory is below the ${least} MB that a worker needs at least`, {
    exitCode: EXIT_CODES.usage
  })
}

/** Bytes of operand blocks that keep a process with so many kernel threads within its limit. */
function operandBytes(memoryBytesMax: number | undefined, threads: number): number {
  if (memoryBytesMax === undefined) return OPERAND_BYTES_DEFAULT
  return memoryBytesMax - WORKER_BASE_BYTES - (threads - 1) * THREAD_BYTES
}
