import { SEAL_NS_PER_BYTE } from './cost-model.ts'
import { machineRate, peersRate, type Rates, sharedHere, shippedTraffic } from './forecast-rates.ts'
import type { ForecastInput, ForecastLimit } from './forecast-types.ts'

/** Journal, sink, syncs and ledger of the smallest job, in ms. Measured: 64² alone takes this beside its kernel. */
export const JOB_BASE_MS = 70
/** Writing and syncing a byte of the result, in ns; what comes in while others compute costs nothing more. */
const SYNC_NS_PER_BYTE = 2
/** From the opening of a job until a peer's first chunk is under way, beside its kernel's start, in ms. */
const PEER_START_MS = 120
/** CPU time of this machine for each peer of a job, however little it does: links, claims, a probe; in ms. */
const PEER_CPU_MS = 30
/** Parts that this machine takes for itself at once beyond its threads. */
const LOCAL_AHEAD = 1
/** Two times are told apart from here: below, neither way is faster. */
const FASTER_RATIO = 1.05

/** What a job would take. Times in ms. */
export interface Forecast {
  readonly aloneMs: number
  /** With the connected peers under the job's policy; alone when it has none, or wants none. */
  readonly swarmMs: number
  /** aloneMs / swarmMs; below 1 the swarm makes it slower. */
  readonly speedup: number
  readonly faster: 'alone' | 'swarm' | 'neither'
  readonly limit: ForecastLimit
  /** Share of the work that peers would do, 0 to 1. */
  readonly shippedShare: number
  /** Bytes that would leave this machine and come back, probes included. */
  readonly shippedBytes: number
}

/**
 * Forecasts a job's time alone and with the swarm, before a byte moves. A fluid model: every machine works at its speed
 * from its start until all is done. What shipping and checking take of this machine's cores is lost to its kernels, and
 * peers on this machine share them.
 */
export function forecast(input: ForecastInput): Forecast {
  const { work, local } = input
  const aloneWorkMs = work.computeMs / Math.min(input.threads, input.cores, work.parts)
  const aloneMs = whole(input, work.startMs + aloneWorkMs)
  if (local === 'only' || input.peers.length === 0) {
    return finished({ aloneMs, swarmMs: aloneMs, limit: local === 'only' ? 'asked' : 'no-peers', share: 0 }, input)
  }
  const peersMs = (input.peers.length * PEER_CPU_MS) / input.cores
  if (local === 'auto' && work.parts <= input.threads + LOCAL_AHEAD) {
    return finished({ aloneMs, swarmMs: aloneMs + peersMs, limit: 'latency', share: 0 }, input)
  }
  if (local === 'auto' && work.kept) {
    const share = Math.min(1, input.peers.length / work.parts)
    return finished({ aloneMs, swarmMs: aloneMs + peersMs, limit: 'transport', share }, input)
  }
  // Kernels that start on these cores take their time from what runs there.
  const setUpMs = peersMs + input.peers.filter(({ sameMachine }) => sameMachine).length * work.startMs
  const { workMs, share, rates } = workTogether(input)
  const swarmMs = whole(input, setUpMs + workMs)
  return finished({ aloneMs, swarmMs, limit: limitOf(input, rates, { aloneMs, swarmMs, share }), share }, input)
}

interface Found {
  readonly aloneMs: number
  readonly swarmMs: number
  readonly limit: ForecastLimit
  readonly share: number
}

function finished({ aloneMs, swarmMs, limit, share }: Found, input: ForecastInput): Forecast {
  const speedup = aloneMs / swarmMs
  // Too short for peers to help at all: what they cost is little, and still for nothing.
  const isAlone = speedup <= 1 / FASTER_RATIO || (limit === 'latency' && speedup < 1)
  const faster = speedup >= FASTER_RATIO ? 'swarm' : isAlone ? 'alone' : 'neither'
  const { outBytes, backBytes } = shippedTraffic(input.work, share)
  return { aloneMs, swarmMs, speedup, faster, limit, shippedShare: share, shippedBytes: outBytes + backBytes }
}

/** All of a job: sealing is one serial chain, beside the work or after it; then the result is synced. */
function whole({ work }: ForecastInput, workMs: number): number {
  const sealMs = (work.resultBytes * SEAL_NS_PER_BYTE) / 1e6
  const sealedMs =
    work.sealing === 'along' ? Math.max(workMs, sealMs) : work.sealing === 'after' ? workMs + sealMs : workMs
  return JOB_BASE_MS + sealedMs + (work.resultBytes * SYNC_NS_PER_BYTE) / 1e6
}

/** Steps from one peer's start to the next, each stretch at the speed of those who have started. */
function workTogether(input: ForecastInput): { workMs: number; share: number; rates: Rates } {
  const { work, local } = input
  const machine = sharedHere(input)
  const remote = peersRate(input)
  const here = { beginMs: work.startMs + (local === 'never' ? PEER_START_MS : 0), machine }
  const starts = remote.peers.map((peer) => peer.beginMs + PEER_START_MS + work.startMs)
  const steps = [...new Set([here.beginMs, ...starts])].sort((a, b) => a - b)
  let done = 0
  let shipped = 0
  let rates = machineRate(input, machine, 0)
  for (const [index, beginMs] of steps.entries()) {
    const running = remote.peers.filter((_, peer) => (starts[peer] ?? 0) <= beginMs)
    const wanted = Math.min(
      running.reduce((sum, { rate }) => sum + rate, 0),
      remote.uplinkRate
    )
    rates = machineRate(input, beginMs >= here.beginMs ? machine : undefined, wanted)
    const rate = rates.machine + rates.remote
    const endMs = steps[index + 1] ?? Number.POSITIVE_INFINITY
    const neededMs = rate > 0 ? (1 - done) / rate : Number.POSITIVE_INFINITY
    const stretchMs = Math.min(neededMs, endMs - beginMs)
    done += rate * stretchMs
    shipped += (rates.remote + rates.machine * machine.shippedShare) * stretchMs
    if (neededMs <= endMs - beginMs) return { workMs: beginMs + neededMs, share: Math.min(1, shipped), rates }
  }
  throw new RangeError('a job with peers has nobody who works')
}

function limitOf(
  { work, local, peers }: ForecastInput,
  rates: Rates,
  { aloneMs, swarmMs, share }: { aloneMs: number; swarmMs: number; share: number }
): ForecastLimit {
  if (local === 'auto' && aloneMs - JOB_BASE_MS <= PEER_START_MS + 2 * work.startMs) return 'latency'
  if (swarmMs >= aloneMs && peers.every(({ sameMachine }) => sameMachine)) return 'shared-cores'
  if (rates.limit !== 'compute') return rates.limit
  return share > 0 && swarmMs >= aloneMs ? 'checks' : 'compute'
}
