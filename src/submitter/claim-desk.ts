import type { ClaimReply, Grant, HeldResult, LeaseSession } from '../../protocols/lease/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { peerName } from '../domain/ids.ts'
import type { ClaimRefusal, LeaseGrant } from '../domain/lease-types.ts'
import type { JobContext } from './job-context.ts'
import type { LeasedJob } from './lease-desk.ts'

const REFUSALS: Readonly<Record<ClaimRefusal, RefusalCode>> = {
  nothingLeft: RefusalCode.nothingLeft,
  barred: RefusalCode.barred,
  busy: RefusalCode.busy,
  localOnly: RefusalCode.localOnly,
  jobClosed: RefusalCode.jobClosed
}

/**
 * Answers workers' claims: asks the ship policy and the table, journals the grants before they leave, and reads and
 * hashes the inputs. Results that a worker still holds from before a restart are adopted first.
 */
export class ClaimDesk {
  readonly #job: JobContext
  readonly #owner: LeasedJob
  /** Held results of each session that were not adopted yet. */
  readonly #held = new WeakMap<LeaseSession, HeldResult[]>()

  constructor(job: JobContext, owner: LeasedJob) {
    this.#job = job
    this.#owner = owner
  }

  /** Notes what a worker holds for this job. */
  onSession(session: LeaseSession): void {
    const held = session.hello.held.filter(({ jobId }) => jobId === this.#job.spec.jobId)
    if (held.length > 0) this.#held.set(session, held)
  }

  /** @throws SwarmError INPUT_UNREADABLE, which also ends the job */
  async claim(session: LeaseSession, count: number, { signal }: { signal: AbortSignal }): Promise<ClaimReply> {
    const { spec, table, cost, ports } = this.#job
    const peer = peerName(session.peerId.toString())
    if (!session.hello.kernelIds.includes(spec.kernelId)) {
      return { grants: [], refusal: RefusalCode.unsupportedKernel, retryAfterMs: 0 }
    }
    const adopted = this.#adopt(session, count)
    if (adopted.length > 0) return { grants: await this.#prepare(session, adopted, true, signal), retryAfterMs: 0 }
    const wish = cost.peerClaim(peer, count)
    if ('retryAfterMs' in wish) {
      return { grants: [], refusal: RefusalCode.nothingLeft, retryAfterMs: wish.retryAfterMs }
    }
    const { memoryBytes } = session.hello
    const result = table.claim({ peer, nowMs: ports.clock.nowMs(), memoryBytes, ...wish })
    if (result.refusal !== undefined) {
      return { grants: [], refusal: REFUSALS[result.refusal], retryAfterMs: result.retryAfterMs }
    }
    return { grants: await this.#prepare(session, result.grants, false, signal), retryAfterMs: 0 }
  }

  #adopt(session: LeaseSession, count: number): LeaseGrant[] {
    const { table, ports } = this.#job
    const peer = peerName(session.peerId.toString())
    const nowMs = ports.clock.nowMs()
    const held = this.#held.get(session)?.splice(0, count) ?? []
    return held.flatMap(({ chunkIndex, epoch }) => table.adopt({ peer, chunkIndex, epoch, nowMs }) ?? [])
  }

  /** Journals leases and reads their inputs. A read that fails ends the job, since nobody can do the chunk. */
  async #prepare(
    session: LeaseSession,
    leases: readonly LeaseGrant[],
    adopted: boolean,
    signal: AbortSignal
  ): Promise<Grant[]> {
    const { spec, ports, desk, source } = this.#job
    const peerId = session.peerId.toString()
    const numbers = leases.map(({ leaseNumber }) => leaseNumber)
    desk.assign(numbers, this.#owner)
    const rows = leases.map(({ chunk, epoch, attempts }) => ({ ...chunk, epoch, attempts }))
    ports.journal.grant(spec.jobId, rows)
    this.#job.cost.granted(peerName(peerId), leases)
    this.#job.granted(leases, peerName(peerId))
    const reading = AbortSignal.any([signal, this.#job.signal])
    try {
      const prepare = (lease: LeaseGrant) => source.prepare(lease.leaseNumber, peerId, lease.chunk, { signal: reading })
      const hashes = await Promise.all(leases.map(prepare))
      if (signal.aborted) for (const leaseNumber of numbers) source.drop(leaseNumber)
      return leases.map((lease, index) => this.#grantOf(lease, hashes[index] ?? new Uint8Array(0), adopted))
    } catch (error) {
      if (!reading.aborted) this.#job.fail(error)
      throw error
    }
  }

  #grantOf({ leaseNumber, chunk, epoch, ttlMs }: LeaseGrant, inputHash: Uint8Array, adopted: boolean): Grant {
    return {
      leaseNumber,
      jobId: this.#job.spec.jobId,
      chunkIndex: chunk.chunkIndex,
      inputBytes: chunk.inputBytes,
      resultBytes: chunk.outputBytes,
      epoch,
      incarnation: this.#job.incarnation,
      ttlMs,
      inputHash,
      adopted
    }
  }
}
