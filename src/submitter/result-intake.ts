import type { IncomingOffer } from '../../protocols/result/types.ts'
import type { Claim } from '../../protocols/wire/receipt-types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { Chunk } from '../domain/job.ts'
import { SwarmError } from '../errors.ts'
import type { TakenInput } from './chunk-input.ts'
import type { JobContext } from './job-context.ts'
import type { LiarReview } from './liar-review.ts'
import type { MergeLog } from './merge-log.ts'

/** An offer with what is known of its lease. */
interface Taken {
  readonly offer: IncomingOffer
  readonly chunk: Chunk
  /** Of the lease under which the result is offered. */
  readonly epoch: number
  readonly input: TakenInput | undefined
  readonly peer: PeerName
}

/**
 * Takes offered results in: claim checked, bytes pulled, hash and task checked in a compute thread, handed to the sink.
 * Only then, and once durable, does the {@link MergeLog} give the receipt.
 */
export class ResultIntake {
  readonly #job: JobContext
  readonly #log: MergeLog
  readonly #review: LiarReview

  constructor(job: JobContext, log: MergeLog, review: LiarReview) {
    this.#job = job
    this.#log = log
    this.#review = review
  }

  /** Decides on an offer and sees it through. Never rejects: what goes wrong ends the lease or the job. */
  async take(offer: IncomingOffer): Promise<void> {
    const peer = peerName(offer.peerId.toString())
    const decision = this.#job.table.offer(peer, offer.leaseNumber, this.#job.ports.clock.nowMs())
    const input = this.#job.source.take(offer.leaseNumber, peer)
    if (decision.outcome !== 'verify') {
      offer.refuse(REFUSALS[decision.outcome])
      if (input?.buffer !== undefined) this.#job.ports.buffers.give(input.buffer)
      return
    }
    const taken: Taken = { offer, chunk: decision.chunk, epoch: decision.epoch, input, peer }
    try {
      await this.#verify(taken)
    } catch (error) {
      this.#lost(taken, error)
    }
    this.#job.changed()
  }

  async #verify(taken: Taken): Promise<void> {
    const { offer, chunk, input, peer } = taken
    const { ports, table } = this.#job
    const opened = await ports.openClaim(offer.claim)
    const mismatch = claimMismatch(opened.claim, opened.worker, taken, this.#job)
    if (mismatch !== undefined) {
      // The claim is not about this lease, so it proves nothing about the result; the lease is over all the same.
      this.#job.released(table.refused(offer.leaseNumber, { proof: false, nowMs: ports.clock.nowMs() }))
      this.#notice(chunk, peer, `claim refused: ${mismatch}`)
      offer.refuse(RefusalCode.claimInvalid)
      return
    }
    const pulled = await this.#pull(taken)
    table.received(offer.leaseNumber)
    const inputHash = input?.inputHash ?? opened.claim.inputHash
    const { options, source, metrics, signal } = this.#job
    const { outputHash } = opened.claim
    const checked = await source.check({ chunk, peerId: peer, inputHash, buffer: pulled, outputHash }, { signal })
    metrics.onChecked(checked.checkMs ?? 0)
    if (checked.verdict === 'passed') this.#accept(taken, opened.claim, checked.buffer)
    else if (checked.verdict === 'input-changed' && input !== undefined)
      throw inputChanged(checked.reason ?? options.inputPath, chunk)
    else await this.#refuse(taken, checked.buffer, checked.reason ?? 'the claim names another input')
  }

  /** The result goes into the buffer that the input was sent from, where that is still here. */
  async #pull({ offer, chunk, input, peer }: Taken): Promise<ArrayBuffer> {
    const { ports, table, metrics, signal } = this.#job
    const buffer = input?.buffer ?? ports.buffers.take(chunk.outputBytes)
    await offer.pull(new Uint8Array(buffer, 0, chunk.outputBytes), {
      signal: AbortSignal.any([signal, offer.signal]),
      onBytes: () => table.touch(peer, offer.leaseNumber, ports.clock.nowMs())
    })
    metrics.onTraffic(peer, '', 0, chunk.outputBytes)
    return buffer
  }

  #accept({ offer, chunk }: Taken, claim: Claim, buffer: ArrayBuffer): void {
    const { ports, table } = this.#job
    const nowMs = ports.clock.nowMs()
    const passed = table.passed(offer.leaseNumber, nowMs)
    if (passed.outcome !== 'placed' || passed.peer === undefined) {
      offer.refuse(passed.outcome === 'duplicate' ? RefusalCode.duplicate : RefusalCode.jobClosed)
      ports.buffers.give(buffer)
      return
    }
    this.#job.revoked(passed.revoked)
    const { peer, leaseMs } = passed
    const { computeMs } = claim
    this.#job.cost.shipped({ peer, inputBytes: chunk.inputBytes, leaseMs, computeMs, nowMs })
    const threads = this.#job.desk.sessions.get(peer)?.hello.threads ?? 1
    const transferMs = this.#job.metrics.onReturned({ peerId: peer, threads, leaseMs, computeMs, nowMs })
    const named = { chunkIndex: chunk.chunkIndex, peerId: peer, peerName: claim.workerName }
    const merged = { ...named, computeMs, transferMs, outputHash: claim.outputHash }
    this.#review.accepted(peer, chunk, claim.outputHash)
    this.#log.expect(chunk, merged, { offer, claim: offer.claim })
    this.#log.put(chunk, buffer)
  }

  async #refuse({ offer, chunk, peer }: Taken, buffer: ArrayBuffer, reason: string): Promise<void> {
    const { ports, table, spec } = this.#job
    this.#job.released(table.refused(offer.leaseNumber, { proof: true, nowMs: ports.clock.nowMs() }))
    offer.refuse(RefusalCode.resultWrong)
    const named = { jobId: spec.jobId, chunkIndex: chunk.chunkIndex, peerId: peer, reason }
    const result = new Uint8Array(buffer, 0, chunk.outputBytes)
    const evidence = await ports.keepEvidence({ ...named, claim: offer.claim, result }).catch((error: unknown) => {
      // A full disk must not turn a false result into a failed job.
      return `none: ${error instanceof Error ? error.message : String(error)}`
    })
    ports.buffers.give(buffer)
    this.#job.emit({ event: 'barred', ...named, evidence })
    this.#review.lied(peer)
  }

  /** The offer could not be seen through: a lost peer frees the chunk, anything else is the job's own failure. */
  #lost({ offer, chunk, peer }: Taken, error: unknown): void {
    if (this.#job.signal.aborted) {
      // Every offer gets its verdict: until then it takes a place on the worker's stream, which outlives the job.
      offer.refuse(RefusalCode.jobClosed)
      return
    }
    if (!(error instanceof WireError)) {
      this.#job.fail(error)
      return
    }
    const { table, ports } = this.#job
    const nowMs = ports.clock.nowMs()
    if (offer.signal.aborted) {
      // The stream took all that this peer was sending or asking for with it; it opens a new one.
      this.#job.released(table.disconnect(peer, nowMs))
      return
    }
    this.#job.released(table.refused(offer.leaseNumber, { proof: false, nowMs }))
    offer.refuse(RefusalCode.claimInvalid)
    this.#notice(chunk, peer, error.message)
  }

  #notice(chunk: Chunk, peer: PeerName, message: string): void {
    const text = `chunk ${chunk.chunkIndex} from peer ${peer}: ${message}`
    this.#job.emit({ event: 'notice', jobId: this.#job.spec.jobId, message: text })
  }
}

const REFUSALS = {
  duplicate: RefusalCode.duplicate,
  unknown: RefusalCode.unknownLease,
  barred: RefusalCode.barred,
  closed: RefusalCode.jobClosed
} as const

/** @returns what in a claim is not about this lease, or undefined when all is. */
function claimMismatch(claim: Claim, worker: string, taken: Taken, job: JobContext): string | undefined {
  const { chunk, epoch, input, peer } = taken
  if (worker !== peer) return `it is signed by ${worker}`
  if (claim.jobId !== job.spec.jobId || claim.chunkIndex !== chunk.chunkIndex) return 'it names another chunk'
  if (claim.epoch !== epoch || claim.incarnation !== job.incarnation) return 'it names another lease'
  if (claim.submitter !== job.ports.submitter) return 'it names another submitter'
  if (claim.kernelId !== job.spec.kernelId) return `it names kernel ${claim.kernelId}, not ${job.spec.kernelId}`
  if (input !== undefined && claim.inputBytes !== input.inputBytes) return 'it names another input length'
  if (claim.outputBytes !== chunk.outputBytes || taken.offer.resultBytes !== chunk.outputBytes) {
    return `the result has ${taken.offer.resultBytes} bytes, expected ${chunk.outputBytes}`
  }
  if (input !== undefined && Buffer.compare(claim.inputHash, input.inputHash) !== 0) return 'it names another input'
  return undefined
}

function inputChanged(reason: string, { chunkIndex }: Chunk): SwarmError {
  const message = `${reason} (chunk ${chunkIndex}): an input may not change while its job runs. Submit it anew`
  return new SwarmError('INPUT_CHANGED', message)
}
