import { SEAL_NS_PER_BYTE, SHIP_BOTH_ENDS_NS_PER_BYTE, SHIP_NS_PER_BYTE } from './cost-model.ts'
import type { LocalPolicy } from './job.ts'
import { type ChunkBounds, planChunkBytes } from './planner.ts'

/** A peer as a forecast sees it; what was never measured is left out. */
export interface ForecastPeer {
  readonly threads: number
  /** Measured speed of bytes out and back, per second. */
  readonly bytesPerSecond?: number
  /** Measured kernel time, in ns per byte; that of this machine when absent. */
  readonly computeNsPerByte?: number
}

/** What a forecast rests on. */
export interface ForecastInput extends ChunkBounds {
  readonly inputBytes: number
  readonly local: LocalPolicy
  /** Kernel threads of this machine. */
  readonly threads: number
  /** Kernel time on one core of this machine, in ns per byte. */
  readonly localNsPerByte: number
  readonly encrypt: boolean
  readonly peers: readonly ForecastPeer[]
  /** {@link SHIP_NS_PER_BYTE} when absent. */
  readonly shipNsPerByte?: number
  /** Bytes per second that this machine's network carries each way, when that is known. */
  readonly linkBytesPerSecond?: number
}

/** What a job would take. */
export interface Forecast {
  readonly aloneMs: number
  readonly swarmMs: number
  /** aloneMs / swarmMs; below 1 the swarm makes it slower. */
  readonly speedup: number
  /** Typical length of a shipped chunk, in bytes. */
  readonly chunkBytes: number
  /** Bytes that would go to peers, probes included. */
  readonly shippedBytes: number
  /** One sentence. */
  readonly reason: string
}

/**
 * Forecasts a job's time alone and with the swarm, before a byte moves. A fluid model: every machine works at its speed
 * until all is done; the submitter's transport takes its share of the submitter's cores, and sealing is one serial chain.
 */
export function forecast(input: ForecastInput): Forecast {
  const shipNsPerByte = input.shipNsPerByte ?? SHIP_NS_PER_BYTE
  const alonePerSecond = bounded(input, (input.threads * 1e9) / input.localNsPerByte)
  const aloneMs = (input.inputBytes / alonePerSecond) * 1e3
  const peersPerSecond = Math.min(speedOfPeers(input), 1e9 / shipNsPerByte, input.linkBytesPerSecond ?? Infinity)
  const chunkBytes = typicalChunkBytes(input, peersPerSecond)
  const build = (swarmMs: number, shippedBytes: number, reason: string): Forecast => {
    return {
      aloneMs,
      swarmMs,
      speedup: aloneMs / swarmMs,
      chunkBytes,
      shippedBytes: Math.min(shippedBytes, input.inputBytes),
      reason
    }
  }
  if (input.local === 'only') return build(aloneMs, 0, 'All work stays here, as asked.')
  if (input.peers.length === 0) return build(aloneMs, 0, 'All work stays here: no peer is connected.')
  if (input.local === 'never') {
    const swarmMs = (input.inputBytes / bounded(input, peersPerSecond)) * 1e3
    return build(swarmMs, input.inputBytes, `All work is shipped, as asked, which is ${comparison(aloneMs / swarmMs)}.`)
  }
  if (shipNsPerByte >= input.localNsPerByte) {
    const probeBytes = Math.min(input.peers.length * input.blockBytes, input.inputBytes)
    const probeMs = (probeBytes * shipNsPerByte) / 1e6 / input.threads
    const costs = `shipping a byte costs this machine ${shipNsPerByte} ns, computing it ${input.localNsPerByte} ns`
    return build(aloneMs + probeMs, probeBytes, `Only a probe is shipped to each peer: ${costs}.`)
  }
  return together(input, { aloneMs, shipNsPerByte, peersPerSecond }, build)
}

/** All work at once: what transport takes of the submitter's cores is lost to its kernels. */
function together(
  input: ForecastInput,
  rates: { aloneMs: number; shipNsPerByte: number; peersPerSecond: number },
  build: (swarmMs: number, shippedBytes: number, reason: string) => Forecast
): Forecast {
  const busyCores = (rates.peersPerSecond * rates.shipNsPerByte) / 1e9
  const localPerSecond = (Math.max(0, input.threads - busyCores) * 1e9) / input.localNsPerByte
  const bothPerSecond = localPerSecond + rates.peersPerSecond
  const swarmMs = (input.inputBytes / bounded(input, bothPerSecond)) * 1e3
  const shippedShare = rates.peersPerSecond / bothPerSecond
  const shippedBytes = Math.round(input.inputBytes * shippedShare)
  const share = `${Math.round(shippedShare * 100)} % of the work goes to ${input.peers.length} peer${input.peers.length === 1 ? '' : 's'}`
  return build(swarmMs, shippedBytes, `${share}, which is ${comparison(rates.aloneMs / swarmMs)}.`)
}

function speedOfPeers(input: ForecastInput): number {
  const transportNsPerByte = SHIP_BOTH_ENDS_NS_PER_BYTE - SHIP_NS_PER_BYTE
  let bytesPerSecond = 0
  for (const peer of input.peers) {
    const nsPerByte = (peer.computeNsPerByte ?? input.localNsPerByte) + transportNsPerByte
    bytesPerSecond += peer.bytesPerSecond ?? (peer.threads * 1e9) / nsPerByte
  }
  return bytesPerSecond
}

/** No job is faster than the serial chain that seals its result. */
function bounded(input: ForecastInput, bytesPerSecond: number): number {
  return input.encrypt ? Math.min(bytesPerSecond, 1e9 / SEAL_NS_PER_BYTE) : bytesPerSecond
}

function typicalChunkBytes(input: ForecastInput, peersPerSecond: number): number {
  const peers = Math.max(1, input.peers.length)
  const speed = {
    bytesPerSecond: peersPerSecond / peers,
    computeNsPerByte: input.localNsPerByte,
    largestBytes: input.chunkBytesMax
  }
  const load = { openBytes: input.inputBytes, bytesPerSecond: peersPerSecond }
  return Math.min(planChunkBytes(input, speed, load), input.inputBytes)
}

function comparison(speedup: number): string {
  if (speedup >= 1.05) return `${speedup.toFixed(1)} times as fast as this machine alone`
  if (speedup > 0.95) return 'about as fast as this machine alone'
  return `${(1 / speedup).toFixed(1)} times as slow as this machine alone`
}
