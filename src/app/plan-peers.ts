import type { LinkMeasure, MeasureStore } from '../store/measure-store.ts'
import type { RememberedPeer } from '../store/peer-store.ts'
import type { PlanPeer } from './api-types.ts'
import { isThisMachine } from './measure-links.ts'

/** What a link carries that was never measured: a wired network of 1 Gbit/s. */
export const LINK_ASSUMED: LinkMeasure = { bytesPerSecond: 110e6, latencyMs: 1 }

/** A member that may take part. */
export interface Candidate {
  readonly peerId: string
  readonly name: string
  /** Where it was reached, or is to be. */
  readonly address: string
  /** As it said when it last took part here; absent before. */
  readonly threads?: number
}

/** What plans of one job know. */
export interface PeerFacts {
  readonly inputBytes: number
  readonly kernel: string
  /** Thread time on this machine for a byte, in ns. */
  readonly nsPerByte: number
  /** Kernel threads of this peer, which others are taken to have too. */
  readonly threads: number
  /** Links that were measured just now. */
  readonly measured: ReadonlyMap<string, LinkMeasure>
  readonly measures: Pick<MeasureStore, 'link'>
  /** Remembered links older than this are not used, in Unix ms. */
  readonly sinceMs: number
  remembered(peerId: string): RememberedPeer | undefined
}

/** Joins what is known of a peer: its kernels from earlier jobs, its link from a measurement; the rest is assumed. */
export function planPeer({ address, name, peerId, ...said }: Candidate, facts: PeerFacts): PlanPeer {
  const { inputBytes, kernel, nsPerByte } = facts
  const threads = said.threads ?? facts.threads
  const speed = facts.remembered(peerId)?.speeds[kernel]
  const computeMs = speed === undefined ? (inputBytes * nsPerByte) / 1e6 / threads : (inputBytes / speed) * 1e3
  const computeSource = speed === undefined ? 'assumed' : 'jobs'
  const peer = { peerId, name, threads, computeMs, computeSource } as const
  const sameMachine = isThisMachine(address)
  if (sameMachine) {
    const { bytesPerSecond, latencyMs } = LINK_ASSUMED
    return { ...peer, sameMachine, linkBytesPerSecond: bytesPerSecond, latencyMs }
  }
  const now = facts.measured.get(peerId)
  const before = now === undefined ? facts.measures.link(peerId, facts.sinceMs) : undefined
  const { bytesPerSecond, latencyMs } = now ?? before ?? LINK_ASSUMED
  const linkSource = now !== undefined ? 'measured' : before !== undefined ? 'remembered' : 'assumed'
  return { ...peer, sameMachine, linkBytesPerSecond: bytesPerSecond, latencyMs, linkSource }
}
