import type { CostModel, PeerSpeed } from './cost-model.ts'
import type { PeerName } from './ids.ts'
import type { LocalPolicy } from './job.ts'
import { type ChunkBounds, planChunkBytes, type ShipDecision, shipOrKeep } from './planner.ts'

/** A kept peer is told to ask again after this long, in ms: by then the averages may say otherwise. */
const RETRY_KEPT_MS = 1_000
/** Peers whose probe is remembered. */
const PROBES_MAX = 4_096

/** What a scheduler is made of. */
export interface SchedulerOptions extends ChunkBounds {
  readonly local: LocalPolicy
  /** Kernel threads that the submitter itself computes with. */
  readonly threads: number
  /** Cores of the submitter's machine. */
  readonly cores: number
  /** Whether a peer runs on the submitter's machine. */
  readonly isHere: (peer: PeerName) => boolean
}

/** What a claimant gets: pass it on to the lease table's claim, or refuse the claim as busy. */
export interface ClaimPlan extends ShipDecision {
  readonly chunkBytes: number
  /** Grants at most; one while the peer is probed. */
  readonly count: number
  readonly estimateMs?: (bytes: number) => number
  /** Above 0 when `ship` is false. */
  readonly retryAfterMs: number
}

/**
 * Decides, for each claim, whether the peer gets work and in which lengths. Owns who was probed; driven by the submitter
 * before it claims from the lease table.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #costs: CostModel
  readonly #probed = new Set<PeerName>()

  constructor(options: SchedulerOptions, costs: CostModel) {
    this.#options = options
    this.#costs = costs
  }

  /**
   * @param openBytes bytes that nobody holds yet
   * @param heldBytes bytes that the peer holds already
   */
  planPeer(peer: PeerName, wanted: { count: number; openBytes: number; heldBytes: number }): ClaimPlan {
    const { local, threads } = this.#options
    const costs = this.#costs
    const speed = costs.peer(peer)
    const chunkBytes = planChunkBytes(this.#options, speed, this.#load(wanted.openBytes))
    const decision = shipOrKeep({
      local,
      place: this.#placeOf(peer),
      probe: speed !== undefined ? 'returned' : this.#probed.has(peer) ? 'sent' : 'unsent',
      localNsPerByte: costs.localNsPerByte,
      shipNsPerByte: costs.shipNsPerByte,
      peerMs: costs.estimateMs(peer, wanted.heldBytes + chunkBytes) ?? 0,
      // With nothing open only backup copies are left, and for these the lease table compares the holders itself.
      localDrainMs: wanted.openBytes > 0 ? costs.localEstimateMs(wanted.openBytes) / threads : Number.POSITIVE_INFINITY
    })
    const count = decision.reason === 'probe' ? 1 : wanted.count
    const retryAfterMs = decision.ship ? 0 : RETRY_KEPT_MS
    if (speed === undefined) return { ...decision, chunkBytes, count, retryAfterMs }
    return { ...decision, chunkBytes, count, retryAfterMs, estimateMs: (bytes) => costs.estimateMs(peer, bytes) ?? 0 }
  }

  /** The submitter's own worker. */
  planLocal(openBytes: number): { readonly chunkBytes: number; readonly estimateMs: (bytes: number) => number } {
    const speed: PeerSpeed = {
      bytesPerSecond: 1e9 / this.#costs.localNsPerByte,
      computeNsPerByte: this.#costs.localNsPerByte,
      latencyMs: 0,
      largestBytes: this.#options.chunkBytesMax,
      chunks: 0
    }
    const chunkBytes = planChunkBytes(this.#options, speed, this.#load(openBytes))
    return { chunkBytes, estimateMs: (bytes) => this.#costs.localEstimateMs(bytes) }
  }

  /** A probe was granted to the peer. */
  probeSent(peer: PeerName): void {
    if (this.#probed.size >= PROBES_MAX) this.#probed.clear()
    this.#probed.add(peer)
  }

  /** The peer lost its probe (released or revoked), or left: it is probed again when it comes back. */
  forget(peer: PeerName): void {
    this.#probed.delete(peer)
  }

  #placeOf(peer: PeerName): 'elsewhere' | 'spare-cores' | 'shared-cores' {
    const { cores, isHere, threads } = this.#options
    if (!isHere(peer)) return 'elsewhere'
    return threads < cores ? 'spare-cores' : 'shared-cores'
  }

  #load(openBytes: number): { openBytes: number; bytesPerSecond: number } {
    const localPerSecond =
      this.#options.local === 'never' ? 0 : (this.#options.threads * 1e9) / this.#costs.localNsPerByte
    return { openBytes, bytesPerSecond: localPerSecond + this.#costs.peersBytesPerSecond }
  }
}
