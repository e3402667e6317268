import type { Uint8ArrayList } from 'uint8arraylist'
import { KERNEL_ID_BYTES_MAX, NAME_BYTES_MAX } from '../wire/constants.ts'
import { checkCount, checkJobId, checkKnown, checkText, checkUint, parseMessage } from '../wire/fields.ts'
import { WireError } from '../wire/wire-error.ts'
import {
  CLAIM_COUNT_MAX,
  HEARTBEAT_LEASES_MAX,
  HELD_RESULTS_MAX,
  KERNEL_IDS_MAX,
  OPERAND_CHANGES_MAX,
  THREADS_MAX,
  UINT32_MAX
} from './constants.ts'
import { checkLeaseNumbers } from './lease-numbers.ts'
import { checkOperandChanges } from './operand-fields.ts'
import { packUints, unpackUints } from './packed-uints.ts'
import { type Heartbeat, type Operands, WorkerMessage as WorkerMessageCodec } from './pb/lease.ts'
import type { HeldResult, LeaseProgress, OperandChanges, ReleaseReason, WorkerHello } from './types.ts'

/** What a worker says, checked. */
export type WorkerMessage =
  | { readonly type: 'hello'; readonly hello: WorkerHello }
  | { readonly type: 'claim'; readonly requestId: number; readonly jobId: string; readonly count: number }
  | { readonly type: 'heartbeat'; readonly requestId: number; readonly progress: readonly LeaseProgress[] }
  | { readonly type: 'release'; readonly leaseNumbers: readonly number[]; readonly reason: ReleaseReason }
  | { readonly type: 'operands'; readonly changes: OperandChanges }

// Numbers on the wire. Frozen: append only.
const RELEASE_REASONS: Readonly<Record<ReleaseReason, number>> = {
  shutdown: 1,
  'kernel-failed': 2,
  'input-unavailable': 3,
  'input-mismatch': 4,
  'out-of-memory': 5,
  expired: 6
}
const REASON_OF: ReadonlyMap<number, ReleaseReason> = new Map(
  Object.entries(RELEASE_REASONS).map(([reason, number]) => [number, reason as ReleaseReason])
)

const LIMITS = {
  hello: { kernelIds: KERNEL_IDS_MAX, held: HELD_RESULTS_MAX },
  heartbeat: { leaseNumbers: HEARTBEAT_LEASES_MAX, progress: HEARTBEAT_LEASES_MAX },
  release: { leaseNumbers: HEARTBEAT_LEASES_MAX }
}

/** @throws WireError MESSAGE_MALFORMED when a field of our own message is out of range. */
export function encodeWorkerMessage(message: WorkerMessage): Uint8Array {
  switch (message.type) {
    case 'hello': {
      const { name, threads, kernelIds, memoryBytes, held } = checkHello(message.hello)
      return WorkerMessageCodec.encode({
        hello: { name, threads, kernelIds: [...kernelIds], memoryBytes, held: [...held] }
      })
    }
    case 'claim': {
      const { requestId, jobId, count } = checkClaim(message)
      return WorkerMessageCodec.encode({ claim: { requestId, jobId, count } })
    }
    case 'heartbeat':
      checkCount('heartbeat.progress', message.progress, HEARTBEAT_LEASES_MAX)
      return WorkerMessageCodec.encode({ heartbeat: flattenHeartbeat(message.requestId, message.progress) })
    case 'release':
      return WorkerMessageCodec.encode({
        release: {
          leaseNumbers: [...checkLeaseNumbers(message.leaseNumbers)],
          reason: RELEASE_REASONS[message.reason]
        }
      })
    case 'operands': {
      const { jobId, added, dropped } = checkOperandChanges(message.changes)
      return WorkerMessageCodec.encode({
        operands: { jobId, added: packUints(added), dropped: packUints(dropped) }
      })
    }
  }
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED */
export function parseWorkerMessage(bytes: Uint8Array | Uint8ArrayList): WorkerMessage {
  const message = parseMessage('lease message', () => WorkerMessageCodec.decode(bytes, { limits: LIMITS }))
  const { hello, claim, heartbeat, release, operands } = message
  if (Object.keys(message).length !== 1) {
    throw new WireError('MESSAGE_MALFORMED', 'lease message: expected exactly one body')
  }
  if (heartbeat !== undefined) {
    return { type: 'heartbeat', requestId: checkRequestId(heartbeat.requestId), progress: parseProgress(heartbeat) }
  }
  if (claim !== undefined) return { type: 'claim', ...checkClaim(claim) }
  if (release !== undefined) {
    const reason = checkKnown('release.reason', release.reason, REASON_OF)
    return { type: 'release', leaseNumbers: checkLeaseNumbers(release.leaseNumbers), reason }
  }
  if (operands !== undefined) return { type: 'operands', changes: parseOperands(operands) }
  if (hello !== undefined) return { type: 'hello', hello: checkHello(hello) }
  throw new WireError('MESSAGE_MALFORMED', 'lease message: unknown body')
}

function checkRequestId(requestId: number): number {
  return checkUint('request id', requestId, { min: 1, max: UINT32_MAX })
}

function checkClaim(claim: { requestId: number; jobId: string; count: number }) {
  return {
    requestId: checkRequestId(claim.requestId),
    jobId: checkJobId('claim.jobId', claim.jobId),
    count: checkUint('claim.count', claim.count, { min: 1, max: CLAIM_COUNT_MAX })
  }
}

function checkHello(hello: WorkerHello): WorkerHello {
  checkCount('hello.kernelIds', hello.kernelIds, KERNEL_IDS_MAX)
  checkCount('hello.held', hello.held, HELD_RESULTS_MAX)
  return {
    name: checkText('hello.name', hello.name, NAME_BYTES_MAX),
    threads: checkUint('hello.threads', hello.threads, { min: 1, max: THREADS_MAX }),
    kernelIds: hello.kernelIds.map((id) => checkText('hello.kernelIds', id, KERNEL_ID_BYTES_MAX)),
    memoryBytes: checkUint('hello.memoryBytes', hello.memoryBytes),
    held: hello.held.map(checkHeld)
  }
}

function checkHeld(held: HeldResult): HeldResult {
  return {
    jobId: checkJobId('held.jobId', held.jobId),
    chunkIndex: checkUint('held.chunkIndex', held.chunkIndex, { max: UINT32_MAX }),
    epoch: checkUint('held.epoch', held.epoch, { min: 1, max: UINT32_MAX }),
    resultBytes: checkUint('held.resultBytes', held.resultBytes)
  }
}

function flattenHeartbeat(requestId: number, progress: readonly LeaseProgress[]): Heartbeat {
  return {
    requestId: checkRequestId(requestId),
    leaseNumbers: progress.map((one) =>
      checkUint('heartbeat.leaseNumbers', one.leaseNumber, { min: 1, max: UINT32_MAX })
    ),
    progress: progress.map((one) => checkUint('heartbeat.progress', one.progress))
  }
}

function parseProgress(heartbeat: Heartbeat): readonly LeaseProgress[] {
  const { leaseNumbers, progress } = heartbeat
  if (leaseNumbers.length !== progress.length) {
    throw new WireError('MESSAGE_MALFORMED', 'heartbeat: expected one progress for each lease number')
  }
  return leaseNumbers.map((leaseNumber, index) => ({
    leaseNumber: checkUint('heartbeat.leaseNumbers', leaseNumber, { min: 1, max: UINT32_MAX }),
    progress: checkUint('heartbeat.progress', progress[index] ?? 0)
  }))
}

function parseOperands({ jobId, added, dropped }: Operands): OperandChanges {
  return checkOperandChanges({
    jobId,
    added: unpackUints('operands.added', added, OPERAND_CHANGES_MAX),
    dropped: unpackUints('operands.dropped', dropped, OPERAND_CHANGES_MAX)
  })
}
