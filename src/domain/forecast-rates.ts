import type { ForecastInput, ForecastLimit, ForecastPeer, ForecastWork } from './forecast-types.ts'

/* Speeds are shares of the whole job per ms. */

/** How this machine's cores are spent. */
export interface SharedHere {
  /** CPU time of the whole job on this machine, its peers' transport and checks included, in ms. */
  readonly computeMs: number
  /** Threads that kernels run on, at most its cores. */
  readonly threads: number
  /** Share of the work done here that peers on this machine do. */
  readonly shippedShare: number
}

/** What is done in a ms, by whom. */
export interface Rates {
  readonly machine: number
  readonly remote: number
  readonly limit: ForecastLimit
}

/** Peers on other machines. */
export interface RemotePeers {
  readonly peers: readonly { readonly rate: number; readonly beginMs: number; readonly byLink: boolean }[]
  /** What this machine's uplink and downlink allow all of them together. */
  readonly uplinkRate: number
}

/** Bytes that leave this machine and come back when peers do this share of the work; shared inputs leave it once. */
export function shippedTraffic(work: ForecastWork, share: number): { outBytes: number; backBytes: number } {
  return { outBytes: Math.round(fetchedBytes(work, share)), backBytes: Math.round(work.resultBytes * share) }
}

/**
 * Peers on this machine take their turn on its cores. Each unit that one of them does costs its transport at both ends
 * and its check on top.
 */
export function sharedHere({ work, local, threads, cores, peers }: ForecastInput): SharedHere {
  const same = peers.filter(({ sameMachine }) => sameMachine)
  const ownThreads = local === 'never' ? 0 : threads
  const peerThreads = same.reduce((sum, peer) => sum + peer.threads, 0)
  const shippedMs = work.computeMs + overheadHere(work, 1, same.length)
  const [ownRate, peerRate] = [ownThreads / work.computeMs, peerThreads / shippedMs]
  // With nobody here the share is of nothing.
  const shippedShare = peerRate > 0 ? peerRate / (ownRate + peerRate) : 0
  return {
    computeMs: work.computeMs + overheadHere(work, shippedShare, same.length),
    threads: Math.min(cores, ownThreads + peerThreads, work.parts),
    shippedShare
  }
}

/** What peers on other machines do at most. */
export function peersRate({ work, local, threads, peers }: ForecastInput): RemotePeers {
  const away = peers.filter(({ sameMachine }) => !sameMachine)
  const kernels = away.reduce((sum, peer) => sum + 1 / peer.computeMs, 0)
  const all = kernels + (local === 'never' ? 0 : threads / work.computeMs)
  const remote = away.map((peer) => {
    const share = 1 / peer.computeMs / all
    const linkMs = Math.max(perWhole(work, share), work.resultBytes) / bytesPerMs(peer)
    const firstBytes = Math.min(work.partInputBytes ?? 0, work.inputBytes)
    const beginMs = peer.latencyMs + firstBytes / bytesPerMs(peer)
    return { rate: 1 / Math.max(peer.computeMs, linkMs), beginMs, byLink: linkMs > peer.computeMs }
  })
  // What one peer's link was seen to carry, this machine's own link carries too.
  const uplink = away.reduce((most, peer) => Math.max(most, bytesPerMs(peer)), 0)
  const share = all > 0 ? kernels / all : 0
  const uplinkRate = away.length === 0 ? 0 : uplink / Math.max(perWhole(work, share), work.resultBytes, 1)
  return { peers: remote, uplinkRate }
}

/**
 * Speeds at which `wanted` goes to peers on other machines: their results are checked here first, and kernels get the
 * cores that are left.
 * @param machine undefined while nobody works here yet
 */
export function machineRate(input: ForecastInput, machine: SharedHere | undefined, wanted: number): Rates {
  const { work, cores } = input
  const shipMs = work.checkMs + transportHereMs(work, 1)
  const checked = shipMs > 0 ? cores / shipMs : Number.POSITIVE_INFINITY
  const remote = Math.min(wanted, checked)
  const free = Math.max(0, cores - remote * shipMs)
  const kernels = machine === undefined ? 0 : Math.min(free, machine.threads) / machine.computeMs
  const { peers, uplinkRate } = peersRate(input)
  const linked = peers.filter(({ byLink }) => byLink).length
  const limit =
    wanted > checked
      ? 'checks'
      : wanted > 0 && wanted >= uplinkRate
        ? 'uplink'
        : linked * 2 > peers.length
          ? 'links'
          : 'compute'
  return { machine: kernels, remote, limit }
}

/** Thread time of this machine for the share that peers on it do, beside their kernels, in ms. */
function overheadHere(work: ForecastWork, share: number, peers: number): number {
  if (share === 0 || peers === 0) return 0
  const { thereNsPerByte } = work.transport
  const { outBytes, backBytes } = shippedTraffic(work, share)
  const fetched = work.partInputBytes === undefined ? outBytes : peers * fetchedBytes(work, share / peers)
  const between = Math.max(0, fetched - outBytes)
  const thereMs = ((fetched + backBytes + between) * thereNsPerByte) / 1e6
  return work.checkMs * share + transportHereMs(work, share) + thereMs
}

function transportHereMs(work: ForecastWork, share: number): number {
  const { outBytes, backBytes } = shippedTraffic(work, share)
  return ((outBytes + backBytes) * work.transport.hereNsPerByte) / 1e6
}

/** Bytes of input that somebody needs for a share of the work. */
function fetchedBytes({ inputBytes, partInputBytes, parts }: ForecastWork, share: number): number {
  if (partInputBytes === undefined) return inputBytes * share
  return Math.min(inputBytes, share * parts * partInputBytes)
}

/** The same for each whole job's worth of work at that share. */
function perWhole(work: ForecastWork, share: number): number {
  return share > 0 ? fetchedBytes(work, share) / share : 0
}

function bytesPerMs({ linkBytesPerSecond }: ForecastPeer): number {
  return linkBytesPerSecond / 1e3
}
