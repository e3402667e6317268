import type { LeaseSession } from '../../protocols/lease/types.ts'
import { sleepOrAbort } from '../domain/clock.ts'
import type { JobCounters, JobEvent } from '../domain/events.ts'
import type { PeerName } from '../domain/ids.ts'
import type { LeaseGrant, Release } from '../domain/lease-types.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { advertOf } from './advert-of.ts'
import type { JobContext } from './job-context.ts'

/** How often progress is reported. */
const PROGRESS_MS = 250
/** How often an open job is advertised again, since gossip is only a hint. */
const ADVERT_MS = 1_000
/** How often workers are woken at most. */
const WAKE_MS = 50
/** How long a job is without peers before the user is told that it waits, and how often again. */
const WAITING_NOTICE_MS = 3_000
/** Step of the wait for peers. */
const PEERS_LOOK_MS = 50

/** Tells the user how a job goes, and the swarm that it is there. Owns nothing but times; the table has the facts. */
export class JobReporter {
  readonly #job: JobContext
  readonly #counters: () => JobCounters
  #sequence = 0
  #wokenAtMs = Number.NEGATIVE_INFINITY
  #peerlessSinceMs: number | undefined
  #toldOfGossip = false

  constructor(job: JobContext, counters: () => JobCounters) {
    this.#job = job
    this.#counters = counters
  }

  /** Progress now. */
  progress(): Extract<JobEvent, { event: 'progress' }> {
    const { spec, table, metrics, ports } = this.#job
    const { placedBytes, leasedChunks } = table.counters
    const bytesPerSecond = metrics.rate(ports.clock.nowMs(), placedBytes)
    const remainingMs = ((spec.inputBytes - placedBytes) / bytesPerSecond) * 1000
    return {
      event: 'progress',
      jobId: spec.jobId,
      mergedBytes: placedBytes,
      inputBytes: spec.inputBytes,
      bytesPerSecond: Math.round(bytesPerSecond),
      ...(bytesPerSecond > 0 && { remainingMs: Math.round(remainingMs) }),
      leasedChunks,
      counters: this.#counters()
    }
  }

  /** Reports progress until the job ends. */
  async run(): Promise<void> {
    const { signal, ports } = this.#job
    this.#job.emit(this.progress())
    while (!signal.aborted) {
      await sleepOrAbort(ports.clock, PROGRESS_MS, signal)
      if (signal.aborted) return
      this.#job.emit(this.progress())
      this.#noticePeerless()
      this.saveTraffic()
    }
  }

  /** Advertises the job until it ends, and that it has ended. */
  async advertise(): Promise<void> {
    const { signal, ports } = this.#job
    while (!signal.aborted) {
      await this.#publish('open')
      await sleepOrAbort(ports.clock, ADVERT_MS, signal)
    }
    await this.#publish('closed')
  }

  /** The job's advert, with a fresh sequence number. */
  advert(state: 'open' | 'closed'): ReturnType<typeof advertOf> {
    this.#sequence += 1
    return advertOf(this.#job, state, this.#sequence)
  }

  /**
   * Waits until `wanted` workers have a session, telling the user once it takes long.
   * @throws SwarmError NO_PEERS after `waitMs`
   */
  async untilPeers(wanted: number, waitMs: number): Promise<void> {
    const { ports, desk, signal, spec } = this.#job
    const sinceMs = ports.clock.nowMs()
    let toldAtMs = sinceMs
    while (!signal.aborted && desk.sessions.size < wanted) {
      const nowMs = ports.clock.nowMs()
      if (nowMs - sinceMs >= waitMs) throw noPeers(desk.sessions.size, wanted, waitMs)
      if (nowMs - toldAtMs >= WAITING_NOTICE_MS) {
        toldAtMs = nowMs
        const reason = `${desk.sessions.size} of ${wanted} peers are here: run "swarm join" on another machine`
        this.#job.emit({ event: 'waiting', jobId: spec.jobId, reason })
      }
      await sleepOrAbort(ports.clock, PEERS_LOOK_MS, signal)
    }
  }

  /** @returns whether idle workers may be woken now; at most once in {@link WAKE_MS} */
  mayWake(): boolean {
    const nowMs = this.#job.ports.clock.nowMs()
    if (nowMs - this.#wokenAtMs < WAKE_MS) return false
    this.#wokenAtMs = nowMs
    return true
  }

  onSession(session: LeaseSession): void {
    this.#peerlessSinceMs = undefined
    this.#job.metrics.onTraffic(session.peerId.toString(), session.hello.name, 0, 0)
  }

  /** Tells of chunks that were lost and are granted again. */
  onGranted(grants: readonly LeaseGrant[], peerId: PeerName | undefined): void {
    const { spec, ports } = this.#job
    for (const { chunk, requeuedAtMs } of grants) {
      if (requeuedAtMs === undefined) continue
      this.#job.emit({
        event: 'regranted',
        jobId: spec.jobId,
        chunkIndex: chunk.chunkIndex,
        ...(peerId !== undefined && { peerId }),
        afterMs: round(ports.clock.nowMs() - requeuedAtMs)
      })
    }
  }

  onReleased(releases: readonly Release[]): void {
    const { spec, ports } = this.#job
    const nowMs = ports.clock.nowMs()
    for (const { chunkIndex, peer, reason, sinceMs } of releases) {
      this.#job.cost.lost(peer)
      const afterMs = round(nowMs - sinceMs)
      this.#job.emit({ event: 'released', jobId: spec.jobId, chunkIndex, peerId: peer, reason, afterMs })
    }
  }

  /** Journals the bytes moved since the last call. */
  saveTraffic(): void {
    const { metrics, ports, spec } = this.#job
    for (const { peerId, name, bytesIn, bytesOut } of metrics.takeTraffic()) {
      ports.journal.addTraffic(spec.jobId, peerId, name, bytesIn, bytesOut)
    }
  }

  /** The last line of a submit: what was kept, what was shipped, and why. */
  summary(): string {
    const { units, spec } = this.#job
    return this.#job.cost.summary(this.#counters(), units(spec.inputBytes) / spec.inputBytes)
  }

  /** Gossip is a hint: a job does not fail with it, and the user is told once. */
  async #publish(state: 'open' | 'closed'): Promise<void> {
    try {
      await this.#job.ports.advert.publish(this.advert(state))
    } catch (error) {
      if (this.#toldOfGossip) return
      this.#toldOfGossip = true
      const why = error instanceof Error ? error.message : String(error)
      const message = `the job could not be gossiped, so peers learn of it only on connecting: ${why}`
      this.#job.emit({ event: 'notice', jobId: this.#job.spec.jobId, message })
    }
  }

  #noticePeerless(): void {
    const { desk, ports, options, spec } = this.#job
    if (options.local !== 'never' || desk.sessions.size > 0) {
      this.#peerlessSinceMs = undefined
      return
    }
    const nowMs = ports.clock.nowMs()
    this.#peerlessSinceMs ??= nowMs
    if (nowMs - this.#peerlessSinceMs < WAITING_NOTICE_MS) return
    this.#peerlessSinceMs = nowMs
    const reason = 'no peer is left and --local never keeps the work off this machine: run "swarm join" on another one'
    this.#job.emit({ event: 'waiting', jobId: spec.jobId, reason })
  }
}

function noPeers(found: number, wanted: number, waitMs: number): SwarmError {
  const message = `${found} of ${wanted} peers joined within ${Math.round(waitMs / 1000)} s: run "swarm join" on another machine, wait longer with --wait, or use --local auto`
  return new SwarmError('NO_PEERS', message, { exitCode: EXIT_CODES.noPeers })
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
