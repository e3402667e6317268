import { createHistogram } from 'node:perf_hooks'
import type { GrantTimes, JobCounters, PeerShare } from '../domain/events.ts'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { MergedChunk } from '../domain/journal.ts'

/** Longest time from claim to grant that is told apart: far above the time that a worker waits, in µs. */
const GRANT_US_MAX = 60_000_000

/** Window of the moving rate shown to the user, in ms. */
const RATE_WINDOW_MS = 3_000

interface Share {
  name: string
  chunks: number
  units: number
  computeMs: number
  bytesIn: number
  bytesOut: number
  unsavedIn: number
  unsavedOut: number
}

/** Adds up what a job reports: shares per peer, times, bytes and rate. Pure arithmetic; times are handed in. */
export class JobMetrics {
  readonly #shares = new Map<string, Share>()
  readonly #rate: { atMs: number; bytes: number }[] = []
  /** In µs, to one percent. */
  readonly #grantTimes = createHistogram({ lowest: 1, highest: GRANT_US_MAX, figures: 2 })
  #chunks = 0
  #localChunks = 0
  #computeMs = 0
  #transferMs = 0
  #checkMs = 0
  /** When each peer's last result came. */
  readonly #returnedAtMs = new Map<string, number>()

  /**
   * A peer returned a result, or this machine (`peerId` empty) has one. @returns the time that its kernel threads had for it and did not compute, in ms: of all its
   * results together, the time that they waited
   */
  onReturned(result: { peerId: string; threads: number; leaseMs: number; computeMs: number; nowMs: number }): number {
    const { peerId, threads, leaseMs, computeMs, nowMs } = result
    const sinceMs = Math.max(nowMs - leaseMs, this.#returnedAtMs.get(peerId) ?? Number.NEGATIVE_INFINITY)
    this.#returnedAtMs.set(peerId, nowMs)
    return (nowMs - sinceMs) * threads - computeMs
  }

  /** Counts the time that the check of a peer's result took its thread. */
  onChecked(checkMs: number): void {
    this.#checkMs += checkMs
  }

  /** Counts one merged chunk. `units` is its credit. */
  onMerged(chunk: MergedChunk, units: number): void {
    this.#chunks += 1
    this.#computeMs += chunk.computeMs
    this.#transferMs += chunk.transferMs
    if (chunk.peerId === undefined) {
      this.#localChunks += 1
      return
    }
    const share = this.#share(chunk.peerId, chunk.peerName ?? '')
    share.chunks += 1
    share.units += units
    share.computeMs += chunk.computeMs
  }

  /** Counts a claim that was answered with grants, `afterMs` after it came. */
  onGranted(afterMs: number): void {
    this.#grantTimes.record(Math.min(GRANT_US_MAX, Math.max(1, Math.round(afterMs * 1000))))
  }

  /** Counts bytes sent to and received from a peer. */
  onTraffic(peerId: string, name: string, bytesIn: number, bytesOut: number): void {
    const share = this.#share(peerId, name)
    share.bytesIn += bytesIn
    share.bytesOut += bytesOut
    share.unsavedIn += bytesIn
    share.unsavedOut += bytesOut
  }

  /** Counts bytes that a former incarnation moved and journalled. */
  restoreTraffic(peerId: string, name: string, bytesIn: number, bytesOut: number): void {
    const share = this.#share(peerId, name)
    share.bytesIn += bytesIn
    share.bytesOut += bytesOut
  }

  /** Bytes moved since the last call, by peer. */
  takeTraffic(): { peerId: PeerName; name: string; bytesIn: number; bytesOut: number }[] {
    const moved = [...this.#shares].filter(([, share]) => share.unsavedIn + share.unsavedOut > 0)
    return moved.map(([peerId, share]) => {
      const taken = { peerId: peerName(peerId), name: share.name, bytesIn: share.unsavedIn, bytesOut: share.unsavedOut }
      share.unsavedIn = 0
      share.unsavedOut = 0
      return taken
    })
  }

  /** Bytes per second over the last few seconds. */
  rate(nowMs: number, mergedBytes: number): number {
    this.#rate.push({ atMs: nowMs, bytes: mergedBytes })
    while (this.#rate.length > 2 && nowMs - (this.#rate[0]?.atMs ?? nowMs) > RATE_WINDOW_MS) this.#rate.shift()
    const first = this.#rate[0]
    if (first === undefined || nowMs <= first.atMs) return 0
    return ((mergedBytes - first.bytes) / (nowMs - first.atMs)) * 1000
  }

  /** Everything so far. */
  counters(job: {
    inputBytes: number
    outputBytes: number
    releases: number
    duplicates: number
    totalMs: number
  }): JobCounters {
    const transferMs = Math.max(0, this.#transferMs)
    const worked = this.#computeMs + transferMs
    return {
      ...job,
      chunks: this.#chunks,
      localChunks: this.#localChunks,
      computeMs: round(this.#computeMs),
      transferMs: round(transferMs),
      checkMs: round(this.#checkMs),
      efficiency: worked === 0 ? 0 : round((this.#computeMs / worked) * 100),
      grants: this.#grants(),
      peers: this.#peers()
    }
  }

  #grants(): GrantTimes {
    const { count: claims, max } = this.#grantTimes
    if (claims === 0) return { claims, p50Ms: 0, p99Ms: 0, mostMs: 0 }
    const [p50Ms, p99Ms, mostMs] = [this.#grantTimes.percentile(50), this.#grantTimes.percentile(99), max].map(toMs)
    return { claims, p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0, mostMs: mostMs ?? 0 }
  }

  #peers(): PeerShare[] {
    return [...this.#shares]
      .map(([peerId, { unsavedIn, unsavedOut, ...share }]): PeerShare => {
        return { peerId: peerName(peerId), ...share, computeMs: round(share.computeMs) }
      })
      .sort((a, b) => b.units - a.units || (a.peerId < b.peerId ? -1 : 1))
  }

  #share(peerId: string, name: string): Share {
    const share = this.#shares.get(peerId) ?? emptyShare(name)
    if (name !== '') share.name = name
    this.#shares.set(peerId, share)
    return share
  }
}

function emptyShare(name: string): Share {
  return { name, chunks: 0, units: 0, computeMs: 0, bytesIn: 0, bytesOut: 0, unsavedIn: 0, unsavedOut: 0 }
}

function toMs(us: number): number {
  return round(us / 1000)
}

/** To a hundredth. */
function round(value: number): number {
  return Math.round(value * 100) / 100
}
