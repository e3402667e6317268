import type { PeerName } from './ids.ts'

/** Place of a peer among all peers, by one unit; equal amounts share a place. */
export type Medal = 'gold' | 'silver' | 'bronze'

/** Credit in one unit. */
export interface UnitCredit {
  readonly unit: string
  readonly units: number
  readonly chunks: number
  /** Only for the first three places. */
  readonly medal?: Medal
}

/** What one peer earned, over distinct (submitter, job, chunk). */
export interface PeerCredit {
  readonly peerId: PeerName
  /** As it named itself last. */
  readonly name: string
  readonly chunks: number
  readonly jobs: number
  readonly units: readonly UnitCredit[]
  /** As claimed by the peer. */
  readonly computeMs: number
  /** Input that it computed. */
  readonly bytesIn: number
  /** Results that it returned. */
  readonly bytesOut: number
  /** Newest receipt, Unix ms at the submitter. */
  readonly lastSeenMs: number
  /** How its chunks were verified. */
  readonly verifications: readonly { readonly verification: string; readonly chunks: number }[]
}

/** What a submitter did itself, as it says: listed, never credited. */
export interface LocalWork {
  readonly submitter: PeerName
  readonly kind: string
  readonly jobs: number
  readonly chunks: number
  readonly units: number
}

const MEDALS: readonly Medal[] = ['gold', 'silver', 'bronze']

/** @returns the peers with medals, most credit first: by their best medal, then units, then peer id. */
export function rankPeers(peers: readonly PeerCredit[]): readonly PeerCredit[] {
  const amounts = new Map<string, number[]>()
  for (const { unit, units } of peers.flatMap((peer) => peer.units)) {
    const known = amounts.get(unit)
    if (known === undefined) amounts.set(unit, [units])
    else known.push(units)
  }
  for (const list of amounts.values()) list.sort((left, right) => right - left)
  const ranked = peers.map((peer) => ({
    ...peer,
    units: peer.units.map((credit) => withMedal(credit, amounts.get(credit.unit) ?? []))
  }))
  return ranked.sort(byCredit)
}

function withMedal(credit: UnitCredit, descending: readonly number[]): UnitCredit {
  const { unit, units, chunks } = credit
  // Peers with more come first in the list, so the first equal amount is at the place that all equal ones share.
  const medal = units > 0 ? MEDALS[descending.indexOf(units)] : undefined
  return { unit, units, chunks, ...(medal === undefined ? {} : { medal }) }
}

function byCredit(left: PeerCredit, right: PeerCredit): number {
  const medals = bestPlace(left) - bestPlace(right)
  if (medals !== 0) return medals
  const units = mostUnits(right) - mostUnits(left)
  if (units !== 0) return units
  return left.peerId < right.peerId ? -1 : 1
}

function bestPlace(peer: PeerCredit): number {
  const places = peer.units.map(({ medal }) => (medal === undefined ? MEDALS.length : MEDALS.indexOf(medal)))
  return Math.min(MEDALS.length, ...places)
}

function mostUnits(peer: PeerCredit): number {
  return Math.max(0, ...peer.units.map(({ units }) => units))
}
