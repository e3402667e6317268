import type { PeerName } from './ids.ts'

/** CPU time that shipping a byte out and back costs the submitter, before it was measured, in ns. @see LIBP2P.md, "Local limits" */
export const SHIP_NS_PER_BYTE = 2.1
/** The same for both ends together, in ns. */
export const SHIP_BOTH_ENDS_NS_PER_BYTE = 4
/** AES-256-CBC and HMAC of a byte, one serial chain, in ns. */
export const SEAL_NS_PER_BYTE = 0.95
/** Share of the newest measurement in a moving average. */
const NEWEST_SHARE = 0.3
/** Peers remembered; the one that was measured longest ago goes first. */
const PEERS_MAX = 4_096

/** What was measured of one peer. */
export interface PeerSpeed {
  /** Input bytes out and their result back, per second, in steady work. */
  readonly bytesPerSecond: number
  /** Kernel time of the peer, as it claims, in ns per byte. */
  readonly computeNsPerByte: number
  /** Claim to first byte, in ms; 0 until measured. */
  readonly latencyMs: number
  /** Longest chunk that it returned, in bytes. */
  readonly largestBytes: number
  readonly chunks: number
}

/** One chunk that a peer returned. */
export interface PeerSample {
  readonly bytes: number
  readonly grantedAtMs: number
  /** When its result was here whole. */
  readonly returnedAtMs: number
  readonly computeMs: number
}

interface PeerRecord {
  bytesPerSecond: number
  computeNsPerByte: number
  latencyMs: number
  largestBytes: number
  chunks: number
  returnedAtMs: number
}

/**
 * Owns the moving averages that decide what is shipped: of each peer, of the submitter's own kernel and of its transport.
 * Driven by the submitter with what it measured.
 */
export class CostModel {
  readonly #peers = new Map<PeerName, PeerRecord>()
  #localNsPerByte: number
  #localChunks = 0
  #shipNsPerByte: number
  #peersBytesPerSecond = 0

  /** @param start of the local kernel as the task kind estimates it, and of shipping by {@link SHIP_NS_PER_BYTE} */
  constructor(start: { localNsPerByte: number; shipNsPerByte?: number }) {
    this.#localNsPerByte = start.localNsPerByte
    this.#shipNsPerByte = start.shipNsPerByte ?? SHIP_NS_PER_BYTE
  }

  /** Kernel time of the submitter's own cores, in ns per byte. */
  get localNsPerByte(): number {
    return this.#localNsPerByte
  }

  /** CPU time that shipping a byte out and back costs the submitter, in ns. */
  get shipNsPerByte(): number {
    return this.#shipNsPerByte
  }

  /** Speed of all measured peers together, in bytes per second. */
  get peersBytesPerSecond(): number {
    return this.#peersBytesPerSecond
  }

  /** Peers that were measured. */
  get measuredPeers(): number {
    return this.#peers.size
  }

  /** @returns undefined until a chunk came back from the peer. */
  peer(peer: PeerName): PeerSpeed | undefined {
    return this.#peers.get(peer)
  }

  /** How long the peer needs for this many bytes, in ms; undefined until it was measured. */
  estimateMs(peer: PeerName, bytes: number): number | undefined {
    const speed = this.#peers.get(peer)
    return speed && speed.latencyMs + (bytes * 1e3) / speed.bytesPerSecond
  }

  /** How long one of the submitter's own cores needs for this many bytes, in ms. */
  localEstimateMs(bytes: number): number {
    return (bytes * this.#localNsPerByte) / 1e6
  }

  /**
   * A chunk came back. With several chunks under way a peer is busy with the one before, so its time runs from whichever
   * is later: the grant, or the return of the chunk before.
   */
  observePeer(peer: PeerName, sample: PeerSample): void {
    const before = this.#peers.get(peer)
    const beganAtMs = Math.max(sample.grantedAtMs, before?.returnedAtMs ?? sample.grantedAtMs)
    const bytesPerSecond = (sample.bytes * 1e3) / Math.max(sample.returnedAtMs - beganAtMs, 0.1)
    const computeNsPerByte = (sample.computeMs * 1e6) / sample.bytes
    this.#forgetOldestFor(peer)
    this.#put(peer, {
      bytesPerSecond: average(before?.bytesPerSecond, bytesPerSecond),
      computeNsPerByte: average(before?.computeNsPerByte, computeNsPerByte),
      latencyMs: before?.latencyMs ?? 0,
      largestBytes: Math.max(before?.largestBytes ?? 0, sample.bytes),
      chunks: (before?.chunks ?? 0) + 1,
      returnedAtMs: sample.returnedAtMs
    })
  }

  /** Claim to first byte of a measured peer. */
  observeLatency(peer: PeerName, latencyMs: number): void {
    const record = this.#peers.get(peer)
    if (record !== undefined) record.latencyMs = average(record.latencyMs || undefined, latencyMs)
  }

  /** The submitter's own worker finished a chunk. */
  observeLocal(sample: { bytes: number; computeMs: number }): void {
    const nsPerByte = (sample.computeMs * 1e6) / sample.bytes
    this.#localNsPerByte = average(this.#localChunks > 0 ? this.#localNsPerByte : undefined, nsPerByte)
    this.#localChunks++
  }

  /** The submitter spent CPU time on shipping bytes out and back. */
  observeTransport(sample: { bytes: number; cpuMs: number }): void {
    this.#shipNsPerByte = average(this.#shipNsPerByte, (sample.cpuMs * 1e6) / sample.bytes)
  }

  /** The peer left. */
  forget(peer: PeerName): void {
    this.#peersBytesPerSecond -= this.#peers.get(peer)?.bytesPerSecond ?? 0
    this.#peers.delete(peer)
  }

  /** Puts the peer last in the map, so that the first is the one measured longest ago. */
  #put(peer: PeerName, record: PeerRecord): void {
    this.forget(peer)
    this.#peers.set(peer, record)
    this.#peersBytesPerSecond += record.bytesPerSecond
  }

  #forgetOldestFor(peer: PeerName): void {
    if (this.#peers.size < PEERS_MAX || this.#peers.has(peer)) return
    for (const oldest of this.#peers.keys()) {
      this.forget(oldest)
      return
    }
  }
}

function average(before: number | undefined, newest: number): number {
  return before === undefined ? newest : before + NEWEST_SHARE * (newest - before)
}
