import type { PeerSpeed } from './cost-model.ts'
import type { LocalPolicy } from './job.ts'

/** Round trip that a chunk aims at, in ms. */
const CHUNK_TARGET_MS = 400
/** Kernel time of one chunk at most, in ms. */
const CHUNK_WORK_MS_MAX = 10_000
/** A chunk is at most this many times the longest one that the peer returned. */
const CHUNK_GROWTH_MAX = 4
/** Of its fair share of what is left a peer gets this part at once, so that all finish together. */
const CHUNK_SHARE = 0.5

/** Bounds of a chunk's length, in bytes. */
export interface ChunkBounds {
  readonly blockBytes: number
  readonly chunkBytesMax: number
  /** True when the user named the length: then every chunk is `chunkBytesMax` long. */
  readonly chunkBytesFixed: boolean
}

/** What is left, and who works on it. */
export interface SwarmLoad {
  /** Bytes that nobody holds yet. */
  readonly openBytes: number
  /** Speed of everybody together, the submitter's own cores included, in bytes per second. */
  readonly bytesPerSecond: number
}

/**
 * Length of a worker's next chunk, in bytes: one block for a worker that was never measured, then about
 * {@link CHUNK_TARGET_MS} of its time, less near the end.
 */
export function planChunkBytes(
  bounds: ChunkBounds,
  speed: Pick<PeerSpeed, 'bytesPerSecond' | 'computeNsPerByte' | 'largestBytes'> | undefined,
  load: SwarmLoad
): number {
  if (bounds.chunkBytesFixed) return bounds.chunkBytesMax
  if (speed === undefined) return bounds.blockBytes
  const share = Math.min(1, speed.bytesPerSecond / Math.max(load.bytesPerSecond, 1))
  const wanted = Math.min(
    (speed.bytesPerSecond * CHUNK_TARGET_MS) / 1e3,
    (CHUNK_WORK_MS_MAX * 1e6) / Math.max(speed.computeNsPerByte, 1e-3),
    CHUNK_GROWTH_MAX * speed.largestBytes,
    load.openBytes * share * CHUNK_SHARE,
    bounds.chunkBytesMax
  )
  return Math.max(bounds.blockBytes, Math.floor(wanted / bounds.blockBytes) * bounds.blockBytes)
}

/** What shipping to a peer on this machine costs it, of what it costs the submitter's end alone. */
const SAME_MACHINE_COST = 3

/** Why a chunk goes out or stays. */
export type ShipReason =
  /** `--local only`. */
  | 'only'
  /** `--local never`. */
  | 'never'
  /** The peer's first chunk, so that it is known and seen to work. */
  | 'probe'
  /** Its probe is not back yet. */
  | 'probing'
  /** The peer runs on this machine, whose cores are all at work already. */
  | 'shared-cores'
  /** Shipping costs this machine more time than the work itself. */
  | 'transport'
  /** This machine would be through before the peer. */
  | 'late'
  /** The peer is a gain. */
  | 'gain'

/** Whether a chunk is shipped, and why. */
export interface ShipDecision {
  readonly ship: boolean
  readonly reason: ShipReason
}

/** What the decision rests on. Times in ms. */
export interface ShipInput {
  readonly local: LocalPolicy
  readonly probe: 'unsent' | 'sent' | 'returned'
  /** Whether the peer runs on this machine, and this machine has cores that the submitter leaves free. */
  readonly place: 'elsewhere' | 'spare-cores' | 'shared-cores'
  readonly localNsPerByte: number
  readonly shipNsPerByte: number
  /** How long the peer needs for the chunk, what it holds included. */
  readonly peerMs: number
  /** How long the submitter's own cores need for all that nobody holds yet. */
  readonly localDrainMs: number
}

/**
 * Ship what pays: when shipping costs the submitter less time than computing would, and the peer is back before the
 * submitter would be through alone. Every peer gets one probe whatever it costs.
 */
export function shipOrKeep(input: ShipInput): ShipDecision {
  if (input.local === 'only') return { ship: false, reason: 'only' }
  if (input.local === 'never') return { ship: true, reason: 'never' }
  if (input.probe === 'unsent') return { ship: true, reason: 'probe' }
  if (input.probe === 'sent') return { ship: false, reason: 'probing' }
  if (input.place === 'shared-cores') return { ship: false, reason: 'shared-cores' }
  // Both ends of the way take their time here, and so does what the peer does beside its kernel.
  const shipNsPerByte = input.shipNsPerByte * (input.place === 'elsewhere' ? 1 : SAME_MACHINE_COST)
  if (shipNsPerByte >= input.localNsPerByte) return { ship: false, reason: 'transport' }
  if (input.peerMs >= input.localDrainMs) return { ship: false, reason: 'late' }
  return { ship: true, reason: 'gain' }
}

/** What a finished job tells about itself. */
export interface ShipSummary {
  /** Peers that got no more than a probe because they share this machine's cores. */
  readonly sharingPeers: number
  readonly local: LocalPolicy
  readonly keptBytes: number
  readonly shippedBytes: number
  /** Peers that returned a merged chunk. */
  readonly peers: number
  readonly localNsPerByte: number
  readonly shipNsPerByte: number
}

/** One sentence: what was kept, what was shipped, and why. */
export function summarize(job: ShipSummary): string {
  const totalBytes = job.keptBytes + job.shippedBytes
  const shipped = `${percent(job.shippedBytes, totalBytes)} of the work was shipped to ${count(job.peers, 'peer')}`
  const kept = `${percent(job.keptBytes, totalBytes)} stayed here`
  const costs = `shipping a byte costs this machine ${nanoseconds(job.shipNsPerByte)}, computing it ${nanoseconds(job.localNsPerByte)}`
  if (job.local === 'only') return 'All work stayed here, as asked.'
  if (job.local === 'never' && job.keptBytes === 0)
    return `All work was shipped to ${count(job.peers, 'peer')}, as asked.`
  if (job.peers === 0) return 'All work stayed here: no peer returned a chunk.'
  if (job.shipNsPerByte >= job.localNsPerByte) return `${kept} and ${shipped} as a probe: ${costs}.`
  if (job.sharingPeers >= job.peers) {
    return `${kept} and ${shipped} as a probe: peers on this machine share its cores, which are at work already.`
  }
  return `${shipped} and ${kept}: ${costs}.`
}

function percent(part: number, whole: number): string {
  const share = whole > 0 ? (part / whole) * 100 : 0
  return `${share > 0 && share < 1 ? share.toFixed(1) : Math.round(share)} %`
}

function count(things: number, name: string): string {
  return `${things} ${name}${things === 1 ? '' : 's'}`
}

function nanoseconds(ns: number): string {
  return `${ns < 10 ? ns.toFixed(2) : Math.round(ns)} ns`
}
