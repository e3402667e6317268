import type { Advert } from '../../protocols/advert/types.ts'
import type { InputRange } from '../../protocols/chunk/types.ts'
import type {
  ClaimReply,
  LeaseProgress,
  LeaseSession,
  OperandChanges,
  ReleaseReason
} from '../../protocols/lease/types.ts'
import type { OperandRange } from '../../protocols/operand/types.ts'
import type { IncomingOffer } from '../../protocols/result/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { sleepOrAbort } from '../domain/clock.ts'
import type { JobCounters, JobEvent, JobOutputs } from '../domain/events.ts'
import { peerName } from '../domain/ids.ts'
import type { JournalJob } from '../domain/journal.ts'
import type { Release, RevokedLease } from '../domain/lease-types.ts'
import { SwarmError } from '../errors.ts'
import { ClaimDesk } from './claim-desk.ts'
import { closeInLedger, finishJob } from './finish-job.ts'
import type { JobContext } from './job-context.ts'
import { JobReporter } from './job-reporter.ts'
import type { LeasedJob } from './lease-desk.ts'
import { LiarReview } from './liar-review.ts'
import { LocalWorker } from './local-worker.ts'
import { MergeLog } from './merge-log.ts'
import { ResultIntake } from './result-intake.ts'

/** Longest sleep between two looks at lease deadlines. */
const DEADLINE_LOOK_MS = 100

/** How a job was ended from outside. */
export type JobEnd = 'stopped' | 'cancelled'

/**
 * One running job of this peer: owns its lease table's clock, its local worker and its end. Driven by the desk (what
 * workers say), the sink (what became durable) and the clock (deadlines).
 */
export class JobRun implements LeasedJob {
  readonly jobId: string
  readonly #job: JobContext
  readonly #record: JournalJob
  readonly #controller: AbortController
  readonly #log: MergeLog
  readonly #claims: ClaimDesk
  readonly #review: LiarReview
  readonly #intake: ResultIntake
  readonly #local: LocalWorker
  readonly #reporter: JobReporter
  readonly #placed = Promise.withResolvers<void>()
  readonly #startedMs: number
  #durable: Promise<void> = Promise.resolve()
  #started = false
  #pumping = false

  /** @param controller aborts the context's signal */
  constructor(makeContext: (run: JobRunHooks) => JobContext, record: JournalJob, controller: AbortController) {
    this.#record = record
    this.#controller = controller
    this.#job = makeContext({
      changed: () => this.#changed(),
      fail: (error) => this.#placed.reject(error),
      granted: (grants, peer) => this.#reporter.onGranted(grants, peer),
      released: (releases) => this.#released(releases),
      revoked: (leases) => this.#revoked(leases, RefusalCode.duplicate)
    })
    this.jobId = this.#job.spec.jobId
    this.#startedMs = this.#job.ports.clock.nowMs()
    this.#log = new MergeLog(this.#job)
    this.#claims = new ClaimDesk(this.#job, this)
    this.#review = new LiarReview(this.#job)
    this.#intake = new ResultIntake(this.#job, this.#log, this.#review)
    this.#local = new LocalWorker(this.#job, this.#log)
    this.#reporter = new JobReporter(this.#job, () => this.counters())
  }

  /** Figures so far, over all incarnations. */
  counters(): JobCounters {
    const { metrics, spec, table, ports, source, units } = this.#job
    const { releases, duplicates, mergedBytes } = table.counters
    const totalMs = Math.round(this.#record.ranMs + ports.clock.nowMs() - this.#startedMs)
    const operands = source.figures()
    const product = operands && { ...rateOf(units(mergedBytes), totalMs), operands }
    const counters = metrics.counters({
      inputBytes: spec.inputBytes,
      outputBytes: spec.inputBytes,
      releases: this.#record.releases + releases,
      duplicates: this.#record.duplicates + duplicates,
      totalMs
    })
    return product === undefined ? counters : { ...counters, product }
  }

  /** What the table and the sink hold now, for `progress`. */
  progress(): Extract<JobEvent, { event: 'progress' }> {
    return this.#reporter.progress()
  }

  /** The job as advertised now. */
  advert(): Advert {
    return this.#reporter.advert('open')
  }

  /**
   * Runs the job to its end and returns the last event, which the caller hands out. Stops, resumable, when the signal
   * aborts; the abort reason `cancelled` ends it for good.
   */
  async run({ signal }: { signal: AbortSignal }): Promise<JobEvent> {
    const { desk, ports } = this.#job
    const stop = () => this.#placed.reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    this.#durable = this.#log.run()
    this.#durable.catch((error) => this.#placed.reject(error))
    desk.open(this)
    const background = signal.aborted
      ? []
      : [this.#watchDeadlines(), this.#reporter.run(), this.#reporter.advertise(), this.#start()]
    for (const work of background) work.catch((error) => this.#placed.reject(error))
    try {
      await this.#placed.promise
      const findings = await this.#job.source.passes?.conclude({ signal })
      await this.#job.sink.finish({ signal, content: findings?.content })
      await this.#durable
      await this.#review.settled()
      const summary = this.#reporter.summary()
      this.#end()
      const outputs: JobOutputs = await finishJob(this.#job, () => this.counters(), { summary, findings })
      const { jobId, kind } = this.#job.spec
      const found = findings && { findings: findings.figures }
      return { event: 'done', jobId, task: kind, summary, outputs, ...found, ...this.counters() }
    } catch (error) {
      this.#end()
      return await this.#unfinished(signal.aborted ? signal.reason : error)
    } finally {
      signal.removeEventListener('abort', stop)
      const { releases, duplicates } = this.#job.table.counters
      const ranMs = Math.round(ports.clock.nowMs() - this.#startedMs)
      ports.journal.count(this.#job.spec.jobId, { releases, duplicates, ranMs })
      this.#reporter.saveTraffic()
      await Promise.allSettled(background)
    }
  }

  async claim(session: LeaseSession, count: number, options: { signal: AbortSignal }): Promise<ClaimReply> {
    if (!this.#started) return { grants: [], refusal: RefusalCode.busy, retryAfterMs: DEADLINE_LOOK_MS }
    return this.#claims.claim(session, count, options)
  }

  onSession(session: LeaseSession): void {
    this.#claims.onSession(session)
    this.#reporter.onSession(session)
    this.#changed()
  }

  onSessionClosed(peerId: string): void {
    const { table, ports } = this.#job
    this.#released(table.disconnect(peerName(peerId), ports.clock.nowMs()))
    this.#job.source.onPeerLost(peerId)
    this.#changed()
  }

  renew(peerId: string, progress: readonly LeaseProgress[]): readonly number[] {
    const over = this.#job.table.renew(peerName(peerId), progress, this.#job.ports.clock.nowMs())
    return over.filter((leaseNumber) => !this.#log.owes(peerId, leaseNumber))
  }

  release(peerId: string, leaseNumbers: readonly number[], reason: ReleaseReason): void {
    const { table, ports } = this.#job
    this.#released(table.release(peerName(peerId), leaseNumbers, reason, ports.clock.nowMs()))
    this.#changed()
  }

  read(peerId: string, range: InputRange): Uint8Array {
    const { source, table, metrics, ports } = this.#job
    const bytes = source.read(peerId, range)
    table.touch(peerName(peerId), range.leaseNumber, ports.clock.nowMs())
    metrics.onTraffic(peerId, '', range.byteLength, 0)
    return bytes
  }

  onRead(peerId: string, range: InputRange): void {
    this.#job.source.onRead(peerId, range)
  }

  readOperand(peerId: string, range: OperandRange, options: { held: AbortSignal }): Promise<Uint8Array> | undefined {
    const bytes = this.#job.source.readOperand(range, options)
    if (bytes !== undefined) this.#job.metrics.onTraffic(peerId, '', range.byteLength, 0)
    return bytes
  }

  onOperands(peerId: string, changes: OperandChanges): void {
    this.#job.source.onOperands(peerId, changes)
  }

  onOffer(offer: IncomingOffer): void {
    this.#intake.take(offer).catch((error) => this.#placed.reject(error))
  }

  /** Waits for the peers that the user asked for, then lets grants go. */
  async #start(): Promise<void> {
    const { options, ports, signal } = this.#job
    const wanted = Math.max(options.minPeers, options.local === 'never' ? 1 : 0)
    if (options.local !== 'only') await this.#reporter.untilPeers(wanted, options.waitMs)
    if (signal.aborted) return
    this.#started = true
    if (ports.connectedPeers() > 0) this.#job.desk.wake(this.jobId)
    this.#changed()
  }

  async #watchDeadlines(): Promise<void> {
    const { table, ports, signal } = this.#job
    while (!signal.aborted) {
      await sleepOrAbort(ports.clock, DEADLINE_LOOK_MS, signal)
      const nowMs = ports.clock.nowMs()
      if (nowMs >= (table.nextDeadlineMs() ?? Number.POSITIVE_INFINITY)) this.#released(table.expire(nowMs))
      this.#changed()
    }
  }

  /** Looks for work for idle hands. Many changes in one turn are one look. */
  #changed(): void {
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      try {
        this.#pump()
      } catch (error) {
        // Such as a journal that cannot be written: nobody is above a microtask.
        this.#placed.reject(error)
      }
    })
  }

  #pump(): void {
    const { table, signal, spec, desk } = this.#job
    if (signal.aborted || !this.#started) return
    this.#local.pump()
    const { consumedBytes, placedBytes } = table.counters
    const { passes } = this.#job.source
    passes?.advance(consumedBytes)?.then(
      () => this.#changed(),
      (error) => this.#placed.reject(error)
    )
    // What all segments found is read from the file, so all of it has to be there.
    const doneBytes = passes === undefined ? placedBytes : consumedBytes
    if (doneBytes === spec.inputBytes) this.#placed.resolve()
    else if (table.hasGrantable && this.#reporter.mayWake()) desk.wake(this.jobId)
  }

  #released(releases: readonly Release[]): void {
    for (const { leaseNumber } of releases) this.#job.source.drop(leaseNumber)
    this.#job.desk.revoke(releases, RefusalCode.leaseRevoked)
    this.#reporter.onReleased(releases)
    this.#changed()
  }

  #revoked(leases: readonly RevokedLease[], code: RefusalCode): void {
    for (const { leaseNumber, peer } of leases) {
      this.#job.source.drop(leaseNumber)
      if (peer !== undefined) this.#job.cost.lost(peer)
    }
    this.#job.desk.revoke(leases, code)
  }

  /** Ends leases, background work and adverts; nothing is granted any more. */
  #end(): void {
    this.#revoked(this.#job.table.cancel(this.#job.ports.clock.nowMs()), RefusalCode.jobClosed)
    this.#job.desk.close(this)
    this.#controller.abort(new SwarmError('JOB_ENDED', 'the job has ended'))
  }

  async #unfinished(reason: unknown): Promise<JobEvent> {
    const { sink, ports, spec, options } = this.#job
    const { jobId } = spec
    const ended = reason instanceof JobEndRequest ? reason.end : undefined
    // The key of a sealed job goes with its end, so what was sealed is of no use after a failure.
    await sink.abort({ discard: ended === 'cancelled' || (ended === undefined && options.encrypt) })
    // What became durable before is journalled and receipted first, so that the ledger's close covers it.
    await Promise.allSettled([this.#durable])
    this.#log.abandon()
    if (ended === 'cancelled') {
      await closeInLedger(this.#job, 'cancelled', this.counters())
      ports.journal.close(jobId, 'cancelled', {})
      return { event: 'cancelled', jobId, message: 'the job was cancelled; receipts already given stand' }
    }
    if (ended === 'stopped') {
      ports.journal.close(jobId, 'stopped', {})
      return { event: 'stopped', jobId, message: `resume with: swarm jobs resume ${jobId}` }
    }
    const code = reason instanceof SwarmError ? reason.code : 'INTERNAL'
    const message = reason instanceof Error ? reason.message : String(reason)
    ports.journal.close(jobId, 'failed', { failure: { code, message } })
    return { event: 'failed', jobId, code, message }
  }
}

function rateOf(flops: number, totalMs: number): { readonly flops: number; readonly flopsPerSecond: number } {
  return { flops, flopsPerSecond: totalMs > 0 ? Math.round((flops * 1000) / totalMs) : 0 }
}

/** What a context is given of its run. */
export type JobRunHooks = Pick<JobContext, 'changed' | 'fail' | 'granted' | 'released' | 'revoked'>

/** The abort reason that ends a job from outside. */
export class JobEndRequest extends SwarmError {
  readonly end: JobEnd

  constructor(end: JobEnd) {
    super(end === 'stopped' ? 'JOB_STOPPED' : 'JOB_CANCELLED', `the job was ${end}`)
    this.end = end
  }
}
