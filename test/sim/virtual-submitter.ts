import { CostModel } from '../../src/domain/cost-model.ts'
import { type PeerName, peerName } from '../../src/domain/ids.ts'
import type { Chunk } from '../../src/domain/job.ts'
import { LeaseNumberSource } from '../../src/domain/lease-numbers.ts'
import { LeaseTable } from '../../src/domain/lease-table.ts'
import type { LeaseGrant, ProgressReport, Release, RevokedLease } from '../../src/domain/lease-types.ts'
import { Scheduler } from '../../src/domain/scheduler.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import type { Figures } from './figures.ts'
import type { MemoryJournal, PlacedResult } from './memory-journal.ts'
import { type Scenario, SIM_BLOCK_BYTES } from './scenario.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { VirtualWorker } from './virtual-worker.ts'

const FLUSH_MS = 60
const VERIFY_MS = 1
const LOCAL_RETRY_MS = 100
const WAKE_MAX = 8

/** One incarnation of the submitter, around the real lease table, scheduler and cost model. */
export class VirtualSubmitter {
  readonly table: LeaseTable
  readonly #scheduler: Scheduler
  readonly #costs: CostModel
  readonly #scenario: Scenario
  readonly #time: VirtualTime
  readonly #input: Uint8Array
  readonly #journal: MemoryJournal
  readonly #figures: Figures
  readonly #sessions = new Map<PeerName, VirtualWorker>()
  readonly #grants = new Map<number, { grant: LeaseGrant; atMs: number }>()
  readonly #idle = new Set<VirtualWorker>()
  readonly #waiting = new Map<number, PlacedResult>()
  #unflushed: PlacedResult[] = []
  #sealed = 0
  #deadlineMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(around: {
    scenario: Scenario
    time: VirtualTime
    input: Uint8Array
    journal: MemoryJournal
    figures: Figures
  }) {
    const { scenario, time, input, journal, figures } = around
    this.#scenario = scenario
    this.#time = time
    this.#input = input
    this.#journal = journal
    this.#figures = figures
    const localNsPerByte = (scenario.localBlockMs * 1e6) / SIM_BLOCK_BYTES
    this.#costs = new CostModel({ localNsPerByte, shipNsPerByte: localNsPerByte * scenario.shipShare })
    const chunkBytesMax = scenario.chunkBlocksMax * SIM_BLOCK_BYTES
    const bounds = { blockBytes: SIM_BLOCK_BYTES, chunkBytesMax, chunkBytesFixed: scenario.chunkFixed }
    this.#scheduler = new Scheduler(
      { ...bounds, local: scenario.local, threads: 1, cores: 1, isHere: () => false },
      this.#costs
    )
    const windowBytes = () => scenario.windowBlocks * SIM_BLOCK_BYTES
    const restored = journal.chunks()
    this.table = new LeaseTable({
      grid: { inputBytes: scenario.inputBytes, blockBytes: SIM_BLOCK_BYTES, reverse: scenario.reverse },
      local: scenario.local,
      windowBytes,
      leasedBytesMax: windowBytes,
      numbers: new LeaseNumberSource(),
      nowMs: time.nowMs,
      restored
    })
    this.#sealed = restored.filter(({ merged }) => merged).length
    this.#later(FLUSH_MS, () => this.#flush())
    this.#later(0, () => this.#computeLocal())
  }

  /** The process is gone; what was not flushed is lost. */
  stop(): void {
    this.#stopped = true
    this.#figures.add(this.table.counters)
  }

  onHello(worker: VirtualWorker, held: readonly { chunkIndex: number; epoch: number }[]): void {
    const peer = this.#heard(worker)
    const grants = held.flatMap((result) => this.table.adopt({ peer, ...result, nowMs: this.#time.nowMs }) ?? [])
    this.#figures.adopted += grants.length
    this.#note(grants)
    this.#tell(peer, (target) => target.onAdopted(grants))
  }

  onClose(worker: VirtualWorker): void {
    const peer = peerName(worker.plan.name)
    this.#sessions.delete(peer)
    this.#idle.delete(worker)
    this.#costs.forget(peer)
    this.#released(this.table.disconnect(peer, this.#time.nowMs))
    this.#scheduler.forget(peer)
  }

  onClaim(worker: VirtualWorker, claimNumber: number, count: number): void {
    const peer = this.#heard(worker)
    const { openBytes } = this.table.counters
    const plan = this.#scheduler.planPeer(peer, { count, openBytes, heldBytes: 0 })
    if (!plan.ship && plan.reason !== 'only') {
      this.#tell(peer, (target) => target.onReply(claimNumber, [], plan.retryAfterMs))
      return
    }
    const memoryBytes = 32 * SIM_BLOCK_BYTES
    const { nowMs } = this.#time
    const { grants, retryAfterMs } = this.table.claim({ peer, nowMs, memoryBytes, ...plan })
    if (plan.reason === 'probe' && grants.length > 0) this.#scheduler.probeSent(peer)
    this.#note(grants)
    if (grants.length === 0) this.#idle.add(worker)
    this.#tell(peer, (target) => target.onReply(claimNumber, grants, retryAfterMs))
  }

  onPull(worker: VirtualWorker, leaseNumber: number): void {
    const peer = this.#heard(worker)
    const held = this.table.leased(peer, leaseNumber)
    this.table.touch(peer, leaseNumber, this.#time.nowMs)
    const input = held && this.#read(held.chunk)
    this.#tell(peer, (target) => target.onInput(leaseNumber, input), input?.byteLength)
  }

  onHeartbeat(worker: VirtualWorker, reports: readonly ProgressReport[]): void {
    const peer = this.#heard(worker)
    const dead = this.table.renew(peer, reports, this.#time.nowMs)
    this.#tell(peer, (target) => target.onDead(dead))
  }

  onRelease(worker: VirtualWorker, leaseNumber: number): void {
    this.#released(this.table.release(peerName(worker.plan.name), [leaseNumber], 'kernel-failed', this.#time.nowMs))
  }

  onOffer(worker: VirtualWorker, leaseNumber: number): void {
    const peer = this.#heard(worker)
    const { outcome } = this.table.offer(peer, leaseNumber, this.#time.nowMs)
    if (outcome === 'verify') this.#tell(peer, (target) => target.onResultPull(leaseNumber))
    else this.#tell(peer, (target) => target.onVerdict(leaseNumber))
    this.#arm()
  }

  onResult(worker: VirtualWorker, leaseNumber: number, result: Uint8Array): void {
    const peer = this.#heard(worker)
    this.table.touch(peer, leaseNumber, this.#time.nowMs)
    this.table.received(leaseNumber)
    this.#later(VERIFY_MS, () => this.#verify(peer, leaseNumber, result))
  }

  /** The first message makes the session, since the hello may be lost. */
  #heard(worker: VirtualWorker): PeerName {
    const peer = peerName(worker.plan.name)
    this.#sessions.set(peer, worker)
    return peer
  }

  #verify(peer: PeerName, leaseNumber: number, result: Uint8Array): void {
    const known = this.#grants.get(leaseNumber)
    if (known === undefined) return
    const { nowMs } = this.#time
    const { chunk } = known.grant
    const call = { kind: 'invert', params: new Uint8Array(0), reverse: this.#scenario.reverse }
    if (invert.verify(this.#read(chunk), result, call) !== undefined) {
      this.#figures.barred++
      this.#released(this.table.refused(leaseNumber, { proof: true, nowMs }))
      this.#tell(peer, (target) => target.onVerdict(leaseNumber))
      return
    }
    const passed = this.table.passed(leaseNumber, nowMs)
    if (passed.outcome === 'placed') {
      const sample = { bytes: chunk.inputBytes, grantedAtMs: known.atMs, returnedAtMs: nowMs, computeMs: 1 }
      this.#costs.observePeer(peer, sample)
      this.#place(
        { chunkIndex: chunk.chunkIndex, outputOffset: chunk.outputOffset, bytes: result, peer },
        passed.revoked
      )
    }
    this.#tell(peer, (target) => target.onVerdict(leaseNumber))
  }

  #computeLocal(): void {
    const { nowMs } = this.#time
    const plan = this.#scheduler.planLocal(this.table.counters.openBytes)
    const { grants } = this.table.claimLocal({ count: 1, nowMs, ...plan })
    this.#note(grants)
    const [grant] = grants
    const computeMs = (this.#scenario.localBlockMs * (grant?.chunk.inputBytes ?? 0)) / SIM_BLOCK_BYTES
    this.#later(grant === undefined ? LOCAL_RETRY_MS : computeMs, () => {
      if (grant !== undefined) this.#finishLocal(grant)
      this.#computeLocal()
    })
  }

  #finishLocal({ leaseNumber, chunk }: LeaseGrant): void {
    const passed = this.table.passed(leaseNumber, this.#time.nowMs)
    if (passed.outcome !== 'placed') return
    const call = { kind: 'invert', params: new Uint8Array(0), reverse: this.#scenario.reverse }
    const bytes = invert.run(this.#read(chunk), call)
    this.#place({ chunkIndex: chunk.chunkIndex, outputOffset: chunk.outputOffset, bytes }, passed.revoked)
  }

  /** Seals in order; what is out of order waits. */
  #place(result: PlacedResult, revoked: readonly RevokedLease[]): void {
    for (const { peer, leaseNumber } of revoked) {
      if (peer === undefined) continue
      this.#scheduler.forget(peer)
      this.#tell(peer, (target) => target.onRevoked(leaseNumber))
    }
    this.#waiting.set(result.chunkIndex, result)
    const waitingBytes = [...this.#waiting.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    const boundBytes = (2 * this.#scenario.windowBlocks + this.#scenario.chunkBlocksMax) * SIM_BLOCK_BYTES
    if (waitingBytes > boundBytes)
      throw new Error(`${waitingBytes} bytes wait in memory, over the bound of ${boundBytes}`)
    for (let next = this.#waiting.get(this.#sealed); next; next = this.#waiting.get(this.#sealed)) {
      this.#waiting.delete(this.#sealed++)
      this.#unflushed.push(next)
      this.table.consumed(next.chunkIndex)
    }
    this.#wake()
  }

  #flush(): void {
    const results = this.#unflushed
    this.#unflushed = []
    this.#journal.merge(results)
    this.table.merged(results.map(({ chunkIndex }) => chunkIndex))
    this.#later(FLUSH_MS, () => this.#flush())
  }

  #note(grants: readonly LeaseGrant[]): void {
    this.#journal.grant(grants)
    for (const grant of grants) {
      this.#grants.set(grant.leaseNumber, { grant, atMs: this.#time.nowMs })
      const { leases } = this.table.view(grant.chunk.chunkIndex) ?? { leases: [] }
      if (leases.length > 2) throw new Error(`chunk ${grant.chunk.chunkIndex} has ${leases.length} live leases`)
      if (grant.requeuedAtMs !== undefined) this.#figures.regrantedAfter(this.#time.nowMs - grant.requeuedAtMs)
    }
    this.#figures.grants += grants.length
    this.#arm()
  }

  #released(releases: readonly Release[]): void {
    for (const { peer, leaseNumber } of releases) {
      this.#scheduler.forget(peer)
      this.#tell(peer, (target) => target.onRevoked(leaseNumber))
    }
    if (releases.length > 0) this.#wake()
  }

  #wake(): void {
    if (!this.table.hasGrantable) return
    for (const worker of [...this.#idle].slice(0, WAKE_MAX)) {
      this.#idle.delete(worker)
      this.#tell(peerName(worker.plan.name), (target) => target.onWake())
    }
  }

  #arm(): void {
    const nextMs = this.table.nextDeadlineMs()
    if (nextMs === undefined || nextMs >= this.#deadlineMs) return
    this.#deadlineMs = nextMs
    this.#later(nextMs - this.#time.nowMs, () => {
      this.#deadlineMs = Number.POSITIVE_INFINITY
      this.#released(this.table.expire(this.#time.nowMs))
      this.#arm()
    })
  }

  #read({ inputOffset, inputBytes }: Chunk): Uint8Array {
    return this.#input.slice(inputOffset, inputOffset + inputBytes)
  }

  #tell(peer: PeerName, say: (worker: VirtualWorker) => void, byteLength = 32): void {
    const worker = this.#sessions.get(peer)
    worker?.link.send(byteLength, () => worker.receive(() => say(worker)))
  }

  #later(delayMs: number, action: () => void): void {
    this.#time.after(delayMs, () => {
      if (!this.#stopped) action()
    })
  }
}
