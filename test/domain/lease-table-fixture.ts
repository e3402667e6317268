import { type PeerName, peerName } from '../../src/domain/ids.ts'
import { LeaseNumberSource } from '../../src/domain/lease-numbers.ts'
import { LeaseTable } from '../../src/domain/lease-table.ts'
import type { LeaseGrant, LeaseTableOptions, LocalClaim, PeerClaim } from '../../src/domain/lease-types.ts'

/** Bytes of one block of the tables made here. */
export const BLOCK_BYTES = 100

/** A peer. */
export const ada = peerName('ada')
/** A peer. */
export const bob = peerName('bob')
/** A peer. */
export const cyd = peerName('cyd')
/** A peer. */
export const dan = peerName('dan')

/** Options of a table whose bounds are numbers. */
type TableOptions = Omit<LeaseTableOptions, 'windowBytes' | 'leasedBytesMax'> & {
  readonly windowBytes: number
  readonly leasedBytesMax: number
}

/** A table over `blocks` blocks of 100 bytes, with room for all of them unless told otherwise. */
export function makeTable(
  blocks: number,
  { windowBytes = 1e9, leasedBytesMax = 1e9, ...options }: Partial<TableOptions> = {}
): LeaseTable {
  return new LeaseTable({
    grid: { inputBytes: blocks * BLOCK_BYTES, blockBytes: BLOCK_BYTES, reverse: true },
    local: 'auto',
    windowBytes: () => windowBytes,
    leasedBytesMax: () => leasedBytesMax,
    numbers: new LeaseNumberSource(),
    nowMs: 0,
    ...options
  })
}

/** A claim for one block at time 0 unless told otherwise. */
export function claimOf(peer: PeerName, claim: Partial<PeerClaim> = {}): PeerClaim {
  return { peer, count: 1, nowMs: 0, chunkBytes: BLOCK_BYTES, memoryBytes: 1e9, ...claim }
}

/** A claim of the submitter's own worker, for one block at time 0 unless told otherwise. */
export function localClaimOf(claim: Partial<LocalClaim> = {}): LocalClaim {
  return { count: 1, nowMs: 0, chunkBytes: BLOCK_BYTES, ...claim }
}

/** Claims one chunk that must be there. */
export function grantTo(table: LeaseTable, peer: PeerName, claim: Partial<PeerClaim> = {}): LeaseGrant {
  return only(table.claim(claimOf(peer, claim)).grants)
}

/** The one item that must be there. @throws Error when there are none or several */
export function only<Item>(items: readonly Item[]): Item {
  const [first] = items
  if (first === undefined || items.length !== 1) throw new Error(`expected one item, got ${items.length}`)
  return first
}

/** Receives and passes the result of a grant. */
export function finish(table: LeaseTable, grant: LeaseGrant, nowMs: number): void {
  table.received(grant.leaseNumber)
  table.passed(grant.leaseNumber, nowMs)
}
