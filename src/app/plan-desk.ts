import { availableParallelism } from 'node:os'
import type { Connection } from '@libp2p/interface'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { JobEvent } from '../domain/events.ts'
import type { JobForecast } from '../domain/job.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import type { SwarmNode } from '../network/create-node.ts'
import { type LinkMeasure, MeasureStore } from '../store/measure-store.ts'
import type { LeaseDesk } from '../submitter/lease-desk.ts'
import type { PlanView, SubmitRequest, Waiting } from './api-types.ts'
import { shapeJob } from './job-shape.ts'
import { KERNEL_MEASURE_MS_MAX, measureKernel } from './measure-kernel.ts'
import { isThisMachine, measureLinks } from './measure-links.ts'
import type { Members } from './members.ts'
import type { OpenHome } from './open-home.ts'
import { keptForecast, type PlanFacts, planJob } from './plan.ts'
import { learnFromJob } from './plan-learn.ts'
import { type Candidate, planPeer } from './plan-peers.ts'
import { assumedKernel, kernelName } from './plan-work.ts'
import type { JobShape } from './shaped-job.ts'

/** How long a measure of a kernel is used. */
export const KERNEL_FRESH_MS = 24 * 3_600_000
/** How long a measure of a link is used: machines move between networks. */
export const LINK_FRESH_MS = 3_600_000
/** How long a plan waits for peers that the home remembers, unless the request says, in ms. */
const PLAN_WAIT_MS = 1_500
/** How long a submit waits for them, in ms; only for jobs of {@link WORTH_WAITING_MS}. */
const SUBMIT_WAIT_MS = 100
const WORTH_WAITING_MS = 1_000
const LOOK_MS = 20
/** A process that began so lately has not found all its peers yet, in ms. */
const STARTING_MS = 5_000
/** Peers seen so lately are waited for, so many at most. */
const RECENT_MS = 3_600_000
const RECENT_PEERS_MAX = 8
/** Peers that a forecast looks at; more make no difference that it could tell. */
const PEERS_MAX = 256

/** What forecasts are made from. */
export interface PlanDeskParts {
  readonly home: Pick<OpenHome, 'database' | 'journal' | 'peers'>
  readonly node: SwarmNode
  readonly bulk: BulkConnections
  readonly compute: ComputePool
  readonly members: Pick<Members, 'connections' | 'nameOf' | 'count'>
  readonly desk: Pick<LeaseDesk, 'sessions'>
  readonly clock: Clock
  readonly onTrouble: (message: string) => void
}

/** Owns what is known for forecasts: measures when a plan asks, and learns from jobs that are done. */
export class PlanDesk {
  readonly #parts: PlanDeskParts
  readonly #measures: MeasureStore
  readonly #startedMs: number

  constructor(parts: PlanDeskParts) {
    this.#parts = parts
    this.#startedMs = parts.clock.nowMs()
    this.#measures = new MeasureStore(parts.home.database)
  }

  /** Measures what is not known yet, then forecasts. @throws SwarmError as `submit` does for a bad request */
  async plan(request: SubmitRequest, { signal }: Waiting): Promise<PlanView> {
    const shape = await shapeJob(request)
    const alone = request.local === 'only'
    if (!alone) await this.#waitForPeers(request, request.minPeers > 0 ? request.waitMs : PLAN_WAIT_MS, signal)
    const kernel = await this.#measuredKernel(shape, request, signal)
    const controls = alone ? [] : this.#connections()
    const links = await this.#measuredLinks(controls, signal)
    const candidates = controls.map((control) => this.#candidate(control))
    return planJob(shape, request, this.#facts(shape, kernel, candidates, links))
  }

  /**
   * A forecast for a job that is about to begin, from what is remembered: nothing is measured, and only a long job waits a
   * moment for its peers. What goes wrong here costs the job its forecast and nothing else.
   */
  async forecast(request: SubmitRequest, shape: JobShape): Promise<JobForecast | undefined> {
    const { onTrouble } = this.#parts
    try {
      const kernel = this.#rememberedKernel(shape) ?? assumed(shape)
      const workMs = (shape.inputBytes * kernel.nsPerByte) / 1e6
      const alone = request.local === 'only'
      if (!alone && workMs >= WORTH_WAITING_MS) {
        await this.#waitForPeers(request, SUBMIT_WAIT_MS, new AbortController().signal)
      }
      const peers = alone ? [] : this.#likely(request)
      return keptForecast(shape, request, this.#facts(shape, kernel, peers, new Map()))
    } catch (error) {
      onTrouble(`the job has no forecast: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  /** A job's state changed: one that is done has measured kernels. */
  onJob(event: JobEvent): void {
    if (event.event !== 'done') return
    const { clock, desk, home } = this.#parts
    const record = home.journal.get(event.jobId)
    if (record === undefined) return
    learnFromJob(record, event, {
      measures: this.#measures,
      peers: home.peers,
      threadsOf: (peerId) => desk.sessions.get(peerId)?.hello.threads,
      freshMs: KERNEL_FRESH_MS,
      nowMs: clock.wallMs()
    })
  }

  async #measuredKernel(shape: JobShape, { inputPath }: SubmitRequest, signal: AbortSignal) {
    const remembered = this.#rememberedKernel(shape)
    if (remembered?.source === 'remembered') return remembered
    const { clock, compute, onTrouble } = this.#parts
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(KERNEL_MEASURE_MS_MAX)])
    try {
      const measure = await measureKernel(shape, inputPath, compute, { clock, signal: inTime })
      const measuredAtMs = clock.wallMs()
      this.#measures.keepKernel(kernelName(shape), { ...measure, source: 'measured', measuredAtMs })
      return { ...measure, source: 'measured' as const, measuredAtMs }
    } catch (error) {
      // Out of time, or a kernel that fails here: the plan says that it rests on an assumption.
      if (signal.aborted || !inTime.aborted) throw error
      onTrouble(`the kernel could not be measured within ${KERNEL_MEASURE_MS_MAX} ms`)
      return remembered ?? assumed(shape)
    }
  }

  #rememberedKernel(shape: JobShape) {
    const kernel = this.#measures.kernel(kernelName(shape), this.#parts.clock.wallMs() - KERNEL_FRESH_MS)
    return kernel && { ...kernel, source: kernel.source === 'jobs' ? ('jobs' as const) : ('remembered' as const) }
  }

  /** Peers on this machine have no network between, and a link that was measured lately is not measured again. */
  async #measuredLinks(
    controls: readonly Connection[],
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, LinkMeasure>> {
    const { bulk, clock, node } = this.#parts
    const sinceMs = clock.wallMs() - LINK_FRESH_MS
    const unknown = controls.filter(({ remoteAddr, remotePeer }) => {
      return !isThisMachine(remoteAddr.toString()) && this.#measures.link(remotePeer.toString(), sinceMs) === undefined
    })
    if (unknown.length === 0) return new Map()
    const measured = await measureLinks(node, bulk, unknown, { signal })
    const measuredAtMs = clock.wallMs()
    for (const [peerId, link] of measured) this.#measures.keepLink(peerId, { ...link, measuredAtMs })
    return measured
  }

  #facts(
    shape: JobShape,
    kernel: PlanFacts['kernel'],
    candidates: readonly Candidate[],
    measured: ReadonlyMap<string, LinkMeasure>
  ): PlanFacts {
    const { clock, compute, home } = this.#parts
    const { threads } = compute
    const known = {
      inputBytes: shape.inputBytes,
      kernel: kernelName(shape),
      nsPerByte: kernel.nsPerByte,
      threads,
      measured,
      measures: this.#measures,
      sinceMs: clock.wallMs() - LINK_FRESH_MS,
      remembered: (peerId: string) => home.peers.get(peerId)
    }
    return { kernel, threads, cores: availableParallelism(), peers: candidates.map((peer) => planPeer(peer, known)) }
  }

  /** Who is connected, and who is likely to be in a moment: when the job will wait for some, or this process just began. */
  #likely(request: SubmitRequest): Candidate[] {
    const { clock, home } = this.#parts
    const connected = this.#connections().map((control) => this.#candidate(control))
    const here = new Set(connected.map(({ peerId }) => peerId))
    const starting = clock.nowMs() - this.#startedMs < STARTING_MS ? this.#recent() : 0
    const missing = Math.max(0, wantedPeers(request), starting) - here.size
    if (missing <= 0) return connected
    // Those seen last are the likeliest.
    const awaited = home.peers
      .list(missing + here.size)
      .flatMap(({ addresses: [address], name, peerId }): Candidate[] => {
        return address === undefined || here.has(peerId) ? [] : [{ peerId, name, address }]
      })
    return [...connected, ...awaited.slice(0, missing)]
  }

  /** Peers seen lately. */
  #recent(): number {
    const { clock, home } = this.#parts
    return home.peers.list(RECENT_PEERS_MAX).filter((peer) => clock.wallMs() - peer.lastSeenMs < RECENT_MS).length
  }

  #connections(): Connection[] {
    return this.#parts.members.connections().slice(0, PEERS_MAX)
  }

  #candidate({ remoteAddr, remotePeer }: Connection): Candidate {
    const { desk, members } = this.#parts
    const peerId = remotePeer.toString()
    const threads = desk.sessions.get(peerId)?.hello.threads
    const named = { peerId, name: members.nameOf(peerId), address: remoteAddr.toString() }
    return threads === undefined ? named : { ...named, threads }
  }

  /** A process that was just started finds its peers within moments, if there are any. */
  async #waitForPeers(request: SubmitRequest, waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock, members } = this.#parts
    const wanted = Math.max(wantedPeers(request), this.#recent())
    const untilMs = clock.nowMs() + waitMs
    while (members.count < wanted && clock.nowMs() < untilMs) await clock.sleep(LOOK_MS, { signal })
  }
}

function wantedPeers({ local, minPeers }: SubmitRequest): number {
  return Math.max(minPeers, local === 'never' ? 1 : 0)
}

function assumed(shape: JobShape) {
  return { ...assumedKernel(shape), source: 'assumed' as const }
}
