import type { LeaseService } from '../../../protocols/lease/index.ts'
import { leaseService } from '../../../protocols/lease/index.ts'
import type {
  ClaimReply,
  Grant,
  LeaseClientHandler,
  LeaseHandler,
  LeaseProgress,
  LeaseSession,
  OperandChanges,
  ReleaseReason,
  WorkerHello
} from '../../../protocols/lease/types.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'

export const JOB = 'abcdefghijklmnopqrstuvwxyz'
export const OTHER_JOB = 'zbcdefghijklmnopqrstuvwxyz'

export const HELLO: WorkerHello = {
  name: 'laptop',
  threads: 4,
  kernelIds: ['invert/1'],
  memoryBytes: 64_000_000,
  held: [{ jobId: JOB, chunkIndex: 3, epoch: 2, resultBytes: 1_024 }]
}

export function grant(leaseNumber: number, jobId: string = JOB): Grant {
  return {
    leaseNumber,
    jobId,
    chunkIndex: leaseNumber,
    inputBytes: 262_144,
    resultBytes: 262_144,
    epoch: 1,
    incarnation: 1,
    ttlMs: 5_000,
    inputHash: new Uint8Array(32).fill(leaseNumber),
    adopted: false,
    operands: []
  }
}

export type LeasePair = NodePair<{ lease: LeaseService }>

/** Two nodes whose clock for rate limits stands still, so that a burst is a burst on any machine. */
export function leasePair(): Promise<LeasePair> {
  return connectNodes({ lease: leaseService({ nowMs: () => 0 }) })
}

/** A submitter whose answers the test sets; it keeps what it was told. */
export class FakeSubmitter implements LeaseHandler {
  readonly releases: { leaseNumbers: readonly number[]; reason: ReleaseReason }[] = []
  readonly heartbeats: (readonly LeaseProgress[])[] = []
  readonly operandChanges: OperandChanges[] = []
  readonly opened = Promise.withResolvers<LeaseSession>()
  readonly closed = Promise.withResolvers<void>()
  readonly released = Promise.withResolvers<void>()
  readonly toldOperands = Promise.withResolvers<void>()
  onClaim: (claim: { jobId: string; count: number }) => Promise<ClaimReply> = async ({ count }) => ({
    grants: Array.from({ length: count }, (_, index) => grant(index + 1)),
    retryAfterMs: 0
  })
  gone: readonly number[] = []

  onSession(session: LeaseSession) {
    this.opened.resolve(session)
    return {
      onClaim: (claim: { jobId: string; count: number }) => this.onClaim(claim),
      onHeartbeat: (progress: readonly LeaseProgress[]) => {
        this.heartbeats.push(progress)
        return this.gone
      },
      onRelease: (leaseNumbers: readonly number[], reason: ReleaseReason) => {
        this.releases.push({ leaseNumbers, reason })
        this.released.resolve()
      },
      onOperands: (changes: OperandChanges) => {
        this.operandChanges.push(changes)
        this.toldOperands.resolve()
      },
      onClose: () => this.closed.resolve()
    }
  }
}

/** A worker that keeps the first of each kind of push. */
export class FakeWorker implements LeaseClientHandler {
  readonly revoked = Promise.withResolvers<{ leaseNumbers: readonly number[]; reason: number }>()
  readonly woken = Promise.withResolvers<string>()

  onRevoked(leaseNumbers: readonly number[], reason: number): void {
    this.revoked.resolve({ leaseNumbers, reason })
  }

  onWake(jobId: string): void {
    this.woken.resolve(jobId)
  }
}

/** Resolves when a signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
