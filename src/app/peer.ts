import type { JobEvent } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import type { SwarmNode } from '../network/create-node.ts'
import { formatJoinCode } from '../network/join-code.ts'
import type { SwarmKeys } from '../network/swarm-keys.ts'
import { bestFirst } from './addresses.ts'
import type {
  ExportRequest,
  InviteView,
  JobDetail,
  JobView,
  LedgerFilter,
  LedgerView,
  PeerEvent,
  PeerView,
  PlanView,
  StatusView,
  SubmitRequest,
  SwarmApp,
  Waiting
} from './api-types.ts'
import { unknownJob } from './end-stored-job.ts'
import type { FanOut } from './fan-out.ts'
import type { JobRunner } from './job-runner.ts'
import { jobDetail, jobView, mergedBytesOf } from './job-views.ts'
import type { Members } from './members.ts'
import type { OpenHome } from './open-home.ts'
import type { PlanDesk } from './plan-desk.ts'
import { exportRecords, ledgerView } from './records.ts'

/** What a peer is made of; compose.ts puts it together. */
export interface PeerParts {
  readonly home: OpenHome
  readonly keys: SwarmKeys
  readonly node: SwarmNode
  readonly members: Members
  readonly plans: PlanDesk
  readonly jobs: JobRunner
  readonly threads: number
  /** Chunks held under a lease from others now. */
  readonly leaseCount: () => number
  /** Dials multiaddrs that the user named. @throws SwarmError NOT_A_MEMBER when one is in another swarm */
  readonly dial: (addresses: readonly string[], waiting: Waiting) => Promise<void>
  /** Ends everything in the right order. */
  readonly close: () => Promise<void>
}

/** A running peer of the swarm: what commands and the API call. */
export class Peer implements SwarmApp {
  readonly #parts: PeerParts
  readonly #events: FanOut<PeerEvent>
  readonly #startedMs = performance.now()
  #stopped: Promise<void> | undefined

  constructor(parts: PeerParts, events: FanOut<PeerEvent>) {
    this.#parts = parts
    this.#events = events
  }

  async status(): Promise<StatusView> {
    const { home, keys, members, threads, jobs, leaseCount } = this.#parts
    return {
      running: true,
      home: home.paths.folder,
      swarmName: home.membership.name,
      swarmId: keys.swarmId,
      peerId: home.identity.peerId,
      name: home.name,
      addresses: this.addresses(),
      peers: members.count,
      threads,
      pid: process.pid,
      upMs: Math.round(performance.now() - this.#startedMs),
      jobsOpen: jobs.running.size,
      leases: leaseCount()
    }
  }

  async peers(): Promise<readonly PeerView[]> {
    return this.#parts.members.list()
  }

  async invite(): Promise<InviteView> {
    const { home, keys } = this.#parts
    const { code, addresses } = this.code()
    return { swarmName: home.membership.name, swarmId: keys.swarmId, code, addresses }
  }

  async jobs(): Promise<readonly JobView[]> {
    const { home } = this.#parts
    return home.journal.list().map((record) => this.#view(record.spec.jobId))
  }

  async job(jobId: JobId): Promise<JobDetail> {
    const { home, jobs } = this.#parts
    const record = home.journal.get(jobId)
    if (record === undefined) throw unknownJob(jobId)
    const run = jobs.running.get(jobId)
    const detail = jobDetail(record, home.journal, jobs.running.has(jobId))
    return run === undefined ? detail : { ...detail, counters: run.counters(), mergedBytes: run.progress().mergedBytes }
  }

  async cancel(jobId: JobId): Promise<JobView> {
    await this.#parts.jobs.cancel(jobId)
    return this.#view(jobId)
  }

  async ledger(filter: LedgerFilter): Promise<LedgerView> {
    return ledgerView(this.#parts.home.database, filter)
  }

  async exportLedger(request: ExportRequest, waiting: Waiting): Promise<{ path: string; receipts: number }> {
    return exportRecords(this.#parts.home.database, request, waiting)
  }

  async plan(request: SubmitRequest, waiting: Waiting): Promise<PlanView> {
    await this.#parts.dial(request.peers, waiting)
    return this.#parts.plans.plan(request, waiting)
  }

  async *submit(request: SubmitRequest, waiting: Waiting): AsyncIterable<JobEvent> {
    await this.#parts.dial(request.peers, waiting)
    yield* await this.#parts.jobs.submit(request, waiting)
  }

  async *resume(jobId: JobId, waiting: Waiting): AsyncIterable<JobEvent> {
    yield* await this.#parts.jobs.resume(jobId, waiting)
  }

  async *watch(jobId: JobId, waiting: Waiting): AsyncIterable<JobEvent> {
    yield* this.#parts.jobs.watch(jobId, waiting)
  }

  events({ signal }: Waiting): AsyncIterable<PeerEvent> {
    const { home, keys, threads } = this.#parts
    const { code } = this.code()
    const ready: PeerEvent = {
      event: 'ready',
      peerId: home.identity.peerId,
      name: home.name,
      swarmName: home.membership.name,
      swarmId: keys.swarmId,
      home: home.paths.folder,
      addresses: this.addresses(),
      code,
      founded: home.founded,
      threads
    }
    return this.#events.subscribe([ready, ...this.#connectedBefore()], { signal })
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#parts.close().finally(() => this.#events.end())
    return this.#stopped
  }

  /** Dialable addresses with peer id, best first. */
  addresses(): string[] {
    return bestFirst(this.#parts.node.getMultiaddrs()).map((address) => address.toString())
  }

  /** The join code with this peer's addresses. */
  code(): { code: string; addresses: readonly string[] } {
    const { home, node } = this.#parts
    const { name, secret } = home.membership
    const addresses = bestFirst(node.getMultiaddrs())
    return { code: formatJoinCode({ name, secret, addresses }), addresses: addresses.map(String) }
  }

  /** Members that came before anybody listened. */
  #connectedBefore(): PeerEvent[] {
    const connected = this.#parts.members.list().filter((peer) => peer.connected)
    return connected.map(({ peerId, name }) => ({ event: 'peer-connected', peerId, name }))
  }

  #view(jobId: JobId): JobView {
    const { home, jobs } = this.#parts
    const record = home.journal.get(jobId)
    if (record === undefined) throw unknownJob(jobId)
    const mergedBytes = jobs.running.get(jobId)?.progress().mergedBytes ?? mergedBytesOf(record, home.journal)
    return jobView(record, mergedBytes, jobs.running.has(jobId), home.journal.history.totals(record.spec))
  }
}
