import type { ClaimReply, Grant, HeldResult, LeaseSession } from '../../protocols/lease/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { peerName } from '../domain/ids.ts'
import type { ClaimRefusal, LeaseGrant } from '../domain/lease-types.ts'
import type { PreparedInput } from './chunk-input.ts'
import type { JobContext } from './job-context.ts'
import type { LeasedJob } from './lease-desk.ts'

const REFUSALS: Readonly<Record<ClaimRefusal, RefusalCode>> = {
  nothingLeft: RefusalCode.nothingLeft,
  barred: RefusalCode.barred,
  busy: RefusalCode.busy,
  localOnly: RefusalCode.localOnly,
  jobClosed: RefusalCode.jobClosed
}

/** When to ask again after all grants of a claim ended while their inputs were read, in ms. */
const GRANTS_OVER_RETRY_MS = 250

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
  async claim(session: LeaseSession, wanted: number, { signal }: { signal: AbortSignal }): Promise<ClaimReply> {
    const { spec, table, cost, ports, source } = this.#job
    const count = Math.min(wanted, source.grantsMax)
    const peer = peerName(session.peerId.toString())
    if (!session.hello.kernelIds.includes(spec.kernelId)) {
      return { grants: [], refusal: RefusalCode.unsupportedKernel, retryAfterMs: 0 }
    }
    const adopted = this.#adopt(session, count)
    if (adopted.length > 0) return this.#grant(session, adopted, true, signal)
    const wish = cost.peerClaim(peer, count)
    if ('retryAfterMs' in wish) {
      return { grants: [], refusal: RefusalCode.nothingLeft, retryAfterMs: wish.retryAfterMs }
    }
    const { memoryBytes } = session.hello
    const result = table.claim({ peer, nowMs: ports.clock.nowMs(), memoryBytes, ...wish })
    if (result.refusal !== undefined) {
      return { grants: [], refusal: REFUSALS[result.refusal], retryAfterMs: result.retryAfterMs }
    }
    return this.#grant(session, result.grants, false, signal)
  }

  #adopt(session: LeaseSession, count: number): LeaseGrant[] {
    const { table, ports } = this.#job
    const peer = peerName(session.peerId.toString())
    const nowMs = ports.clock.nowMs()
    const held = this.#held.get(session)?.splice(0, count) ?? []
    return held.flatMap(({ chunkIndex, epoch }) => table.adopt({ peer, chunkIndex, epoch, nowMs }) ?? [])
  }

  /** Journals leases and reads their inputs. A read that fails ends the job, since nobody can do the chunk. */
  async #grant(
    session: LeaseSession,
    leases: readonly LeaseGrant[],
    adopted: boolean,
    signal: AbortSignal
  ): Promise<ClaimReply> {
    const { spec, ports, desk, source, table, metrics } = this.#job
    const peerId = session.peerId.toString()
    const claimedMs = ports.clock.nowMs()
    desk.assign(
      leases.map(({ leaseNumber }) => leaseNumber),
      this.#owner
    )
    const rows = leases.map(({ chunk, epoch, attempts }) => ({ ...chunk, epoch, attempts }))
    ports.journal.grant(spec.jobId, rows)
    this.#job.cost.granted(peerName(peerId), leases)
    this.#job.granted(leases, peerName(peerId))
    const reading = AbortSignal.any([signal, this.#job.signal])
    try {
      const inputs = await source.prepare(peerId, leases, { signal: reading })
      const grants = leases.flatMap((lease, index) => {
        const input = inputs[index]
        return input === undefined ? [] : [this.#grantOf(lease, input, adopted)]
      })
      // Some may have ended while they were read; what was prepared for these came after it was dropped.
      const [live, over] = partition(grants, ({ leaseNumber }) => table.leased(peerName(peerId), leaseNumber))
      for (const { leaseNumber } of over) source.drop(leaseNumber)
      if (live.length > 0) {
        metrics.onGranted(ports.clock.nowMs() - claimedMs)
        return { grants: live, retryAfterMs: 0 }
      }
      return { grants: [], refusal: RefusalCode.busy, retryAfterMs: GRANTS_OVER_RETRY_MS }
    } catch (error) {
      // A claim that was under way when the job ended must not cost the worker its stream, which serves other jobs too.
      if (this.#job.signal.aborted) return { grants: [], refusal: RefusalCode.jobClosed, retryAfterMs: 0 }
      if (!signal.aborted) this.#job.fail(error)
      throw error
    }
  }

  #grantOf({ leaseNumber, chunk, epoch, ttlMs }: LeaseGrant, input: PreparedInput, adopted: boolean): Grant {
    return {
      leaseNumber,
      jobId: this.#job.spec.jobId,
      chunkIndex: chunk.chunkIndex,
      resultBytes: chunk.outputBytes,
      epoch,
      incarnation: this.#job.incarnation,
      ttlMs,
      ...input,
      adopted
    }
  }
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => unknown): [Item[], Item[]] {
  return [items.filter((item) => isFirst(item)), items.filter((item) => !isFirst(item))]
}
