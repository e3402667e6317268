import { CostModel } from '../domain/cost-model.ts'
import type { JobCounters } from '../domain/events.ts'
import type { PeerName } from '../domain/ids.ts'
import type { JobOptions, JobSpec } from '../domain/job.ts'
import type { LeaseTable } from '../domain/lease-table.ts'
import type { LeaseGrant } from '../domain/lease-types.ts'
import { summarize } from '../domain/planner.ts'
import { Scheduler } from '../domain/scheduler.ts'

/** Least bytes moved between two measurements of what transport costs. */
const TRANSPORT_SAMPLE_BYTES = 4 * 1024 * 1024
/** Peers on this machine that are counted. */
const SHARING_MAX = 1_024

/** What a claimant is asked to take, as the lease table's claim wants it. */
export interface ClaimWish {
  readonly count: number
  readonly chunkBytes: number
  readonly estimateMs?: (inputBytes: number) => number
}

/** What a policy is made of. */
export interface ShipPolicyInit {
  readonly spec: JobSpec
  readonly options: JobOptions
  /** Kernel threads of this machine, and its cores. */
  readonly threads: number
  readonly cores: number
  /** Whether a peer runs on this machine. */
  readonly isHere: (peer: PeerName) => boolean
  /** Kernel time as the task kind estimates it, in ns per byte. */
  readonly estimateNsPerByte: number
  readonly table: LeaseTable
  /** CPU time of the main thread so far, in ms. */
  readonly mainThreadCpuMs: () => number
}

/** Joins what a job measures with the scheduler that decides what is shipped. Owns the cost model. */
export class ShipPolicy {
  readonly #init: ShipPolicyInit
  readonly #costs: CostModel
  readonly #scheduler: Scheduler
  /** Peers that got no more than a probe because they share this machine's cores. */
  readonly #sharing = new Set<PeerName>()
  #movedBytes = 0
  #cpuMs: number

  constructor(init: ShipPolicyInit) {
    const { cores, isHere, options, spec, threads } = init
    const { chunkBytesMax, chunkBytesFixed, local } = options
    this.#init = init
    this.#costs = new CostModel({ localNsPerByte: init.estimateNsPerByte })
    const bounds = { blockBytes: spec.blockBytes, chunkBytesMax, chunkBytesFixed }
    this.#scheduler = new Scheduler({ ...bounds, local, threads, cores, isHere }, this.#costs)
    this.#cpuMs = init.mainThreadCpuMs()
  }

  /** @returns what a peer may claim now, or when it may ask again because its work would not pay */
  peerClaim(peer: PeerName, count: number): ClaimWish | { readonly retryAfterMs: number } {
    const { openBytes } = this.#init.table.counters
    const plan = this.#scheduler.planPeer(peer, { count, openBytes, heldBytes: 0 })
    if (plan.reason === 'shared-cores' && this.#sharing.size < SHARING_MAX) this.#sharing.add(peer)
    if (!plan.ship) return { retryAfterMs: plan.retryAfterMs }
    const { chunkBytes, estimateMs } = plan
    return { count: plan.count, chunkBytes, ...(estimateMs !== undefined && { estimateMs }) }
  }

  /** What this machine claims next. */
  localClaim(): Omit<ClaimWish, 'count'> {
    return this.#scheduler.planLocal(this.#init.table.counters.openBytes)
  }

  /** Leases went out to a peer. */
  granted(peer: PeerName, grants: readonly LeaseGrant[]): void {
    if (grants.length > 0 && this.#costs.peer(peer) === undefined) this.#scheduler.probeSent(peer)
  }

  /** A peer lost leases or left; a probe among them is sent again. */
  lost(peer: PeerName): void {
    this.#scheduler.forget(peer)
  }

  /** A peer's result passed. */
  shipped(sample: { peer: PeerName; inputBytes: number; leaseMs: number; computeMs: number; nowMs: number }): void {
    const { peer, inputBytes, leaseMs, computeMs, nowMs } = sample
    const times = { grantedAtMs: nowMs - leaseMs, returnedAtMs: nowMs }
    this.#costs.observePeer(peer, { bytes: inputBytes, ...times, computeMs })
    this.#movedBytes += inputBytes
    this.#measureTransport()
  }

  /** This machine computed a chunk. */
  computed(sample: { inputBytes: number; computeMs: number }): void {
    this.#costs.observeLocal({ bytes: sample.inputBytes, computeMs: sample.computeMs })
  }

  /** The last line of a submit: what was kept, what was shipped, and why. */
  summary({ peers }: JobCounters, unitsPerByte: number): string {
    const { spec, options } = this.#init
    const shippedBytes = peers.reduce((sum, peer) => sum + peer.units, 0) / unitsPerByte
    return summarize({
      sharingPeers: this.#sharing.size,
      local: options.local,
      shippedBytes,
      keptBytes: spec.inputBytes - shippedBytes,
      peers: peers.filter(({ chunks }) => chunks > 0).length,
      localNsPerByte: this.#costs.localNsPerByte,
      shipNsPerByte: this.#costs.shipNsPerByte
    })
  }

  /** Nearly all that the main thread does while chunks move is to move them. */
  #measureTransport(): void {
    if (this.#movedBytes < TRANSPORT_SAMPLE_BYTES) return
    const cpuMs = this.#init.mainThreadCpuMs()
    this.#costs.observeTransport({ bytes: this.#movedBytes, cpuMs: cpuMs - this.#cpuMs })
    this.#cpuMs = cpuMs
    this.#movedBytes = 0
  }
}
