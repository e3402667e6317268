import type { PeerId } from '@libp2p/interface'
import type { ChunkHandler, InputRange } from '../../protocols/chunk/types.ts'
import type {
  ClaimReply,
  LeaseHandler,
  LeaseProgress,
  LeaseSession,
  LeaseSessionHandler,
  OperandChanges,
  ReleaseReason
} from '../../protocols/lease/types.ts'
import type { OperandRange } from '../../protocols/operand/types.ts'
import type { IncomingOffer, ResultHandler } from '../../protocols/result/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { LeaseNumberSource } from '../domain/lease-numbers.ts'
import type { RevokedLease } from '../domain/lease-types.ts'

/** Leases of all jobs whose numbers lead to their job; the oldest, long over, are forgotten first. */
export const LEASES_ROUTED_MAX = 65_536

/** What the desk asks of a running job. */
export interface LeasedJob {
  readonly jobId: string
  claim(session: LeaseSession, count: number, options: { signal: AbortSignal }): Promise<ClaimReply>
  /** A worker's stream opened; it may hold results from before a restart. */
  onSession(session: LeaseSession): void
  onSessionClosed(peerId: string): void
  /** @returns the lease numbers among these that are not live any more */
  renew(peerId: string, progress: readonly LeaseProgress[]): readonly number[]
  release(peerId: string, leaseNumbers: readonly number[], reason: ReleaseReason): void
  read(peerId: string, range: InputRange): Uint8Array
  /** What {@link LeasedJob.read} gave was read and is looked at no more. */
  onRead(peerId: string, range: InputRange): void
  /** @returns the bytes for a peer, good until `held` aborts, or undefined when this job has no such operand */
  readOperand(peerId: string, range: OperandRange, options: { held: AbortSignal }): Promise<Uint8Array> | undefined
  onOperands(peerId: string, changes: OperandChanges): void
  onOffer(offer: IncomingOffer): void
}

/**
 * Routes what workers say to the running jobs of this peer. Owns the sessions and the lease numbers, which are unique
 * over all jobs of one incarnation. Driven by the lease, chunk and result services.
 */
export class LeaseDesk implements LeaseHandler, ChunkHandler, ResultHandler {
  readonly #jobs = new Map<string, LeasedJob>()
  readonly #jobByLease = new Map<number, LeasedJob>()
  readonly #sessions = new Map<string, LeaseSession>()
  /** Numbers for the leases of all jobs. */
  readonly numbers = new LeaseNumberSource()

  /** Open sessions by peer id. */
  get sessions(): ReadonlyMap<string, LeaseSession> {
    return this.#sessions
  }

  /** Takes a job in; sessions that are open already are told to it, and the workers are woken. */
  open(job: LeasedJob): void {
    this.#jobs.set(job.jobId, job)
    for (const session of this.#sessions.values()) job.onSession(session)
    this.wake(job.jobId)
  }

  /** Ends a job's leases and forgets it. */
  close(job: LeasedJob): void {
    this.#jobs.delete(job.jobId)
    for (const [leaseNumber, owner] of this.#jobByLease) if (owner === job) this.#jobByLease.delete(leaseNumber)
  }

  /** Routes what is said about these leases to their job. */
  assign(leaseNumbers: readonly number[], job: LeasedJob): void {
    for (const leaseNumber of leaseNumbers) this.#jobByLease.set(leaseNumber, job)
    for (const oldest of this.#jobByLease.keys()) {
      if (this.#jobByLease.size <= LEASES_ROUTED_MAX) return
      this.#jobByLease.delete(oldest)
    }
  }

  /** Tells all workers that there may be work for this job. */
  wake(jobId: string): void {
    for (const session of this.#sessions.values()) session.wake(jobId)
  }

  /** Tells the holders that these leases are over. */
  revoke(leases: readonly RevokedLease[], code: RefusalCode): void {
    for (const { peer, leaseNumber } of leases) {
      if (peer !== undefined) this.#sessions.get(peer)?.revoke([leaseNumber], code)
    }
  }

  onSession(session: LeaseSession): LeaseSessionHandler {
    const peerId = session.peerId.toString()
    const before = this.#sessions.get(peerId)
    if (before !== undefined) {
      before.close()
      this.#onClose(before)
    }
    this.#sessions.set(peerId, session)
    for (const job of this.#jobs.values()) job.onSession(session)
    return {
      onClaim: (claim, options) => this.#claim(session, claim, options),
      onHeartbeat: (progress) => this.#heartbeat(peerId, progress),
      onRelease: (leaseNumbers, reason) => {
        for (const [job, numbers] of this.#byJob(leaseNumbers)) job.release(peerId, numbers, reason)
      },
      onOperands: (changes) => this.#jobs.get(changes.jobId)?.onOperands(peerId, changes),
      onClose: () => this.#onClose(session)
    }
  }

  async read(peerId: PeerId, range: InputRange): Promise<Uint8Array> {
    const job = this.#jobByLease.get(range.leaseNumber)
    if (job !== undefined) return job.read(peerId.toString(), range)
    throw new WireError('REFUSED', `lease ${range.leaseNumber} is not known here`, {
      refusal: RefusalCode.unknownLease
    })
  }

  onRead(peerId: PeerId, range: InputRange): void {
    this.#jobByLease.get(range.leaseNumber)?.onRead(peerId.toString(), range)
  }

  /** @returns the bytes for a peer, good until `held` aborts, or undefined when no running job has such an operand */
  readOperand(peerId: PeerId, range: OperandRange, options: { held: AbortSignal }): Promise<Uint8Array> | undefined {
    for (const job of this.#jobs.values()) {
      const bytes = job.readOperand(peerId.toString(), range, options)
      if (bytes !== undefined) return bytes
    }
    return undefined
  }

  onOffer(offer: IncomingOffer): void {
    const job = this.#jobByLease.get(offer.leaseNumber)
    if (job === undefined) offer.refuse(RefusalCode.unknownLease)
    else job.onOffer(offer)
  }

  /** Does nothing for a session that a newer one of the same peer took the place of: its leases ended then. */
  #onClose(session: LeaseSession): void {
    const peerId = session.peerId.toString()
    if (this.#sessions.get(peerId) !== session) return
    this.#sessions.delete(peerId)
    for (const job of this.#jobs.values()) job.onSessionClosed(peerId)
  }

  async #claim(
    session: LeaseSession,
    { jobId, count }: { jobId: string; count: number },
    options: { signal: AbortSignal }
  ): Promise<ClaimReply> {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return { grants: [], refusal: RefusalCode.unknownJob, retryAfterMs: 0 }
    return job.claim(session, count, options)
  }

  #heartbeat(peerId: string, progress: readonly LeaseProgress[]): readonly number[] {
    const dead: number[] = []
    const live = new Map<LeasedJob, LeaseProgress[]>()
    for (const item of progress) {
      const job = this.#jobByLease.get(item.leaseNumber)
      if (job === undefined) dead.push(item.leaseNumber)
      else live.set(job, [...(live.get(job) ?? []), item])
    }
    for (const [job, items] of live) dead.push(...job.renew(peerId, items))
    return dead
  }

  #byJob(leaseNumbers: readonly number[]): Map<LeasedJob, number[]> {
    const byJob = new Map<LeasedJob, number[]>()
    for (const leaseNumber of leaseNumbers) {
      const job = this.#jobByLease.get(leaseNumber)
      if (job !== undefined) byJob.set(job, [...(byJob.get(job) ?? []), leaseNumber])
    }
    return byJob
  }
}
