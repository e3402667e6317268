import type { PeerName } from './ids.ts'
import type { Grantee, LeaseBook } from './lease-book.ts'
import type { ChunkWish } from './lease-chunks.ts'
import {
  ADOPT_WINDOWS,
  ESTIMATE_UNKNOWN_MS,
  GRANTS_PER_CLAIM_MAX,
  LIVE_LEASES_MAX,
  NO_PEER_MS,
  RETRY_BUSY_MS,
  RETRY_LEASED_MS
} from './lease-limits.ts'
import type { ClaimRefusal, ClaimResult, HeldClaim, LeaseGrant, LocalClaim, PeerClaim } from './lease-types.ts'

interface Claimant extends Grantee, Pick<ChunkWish, 'by' | 'chunkBytes'> {
  readonly memoryBytes: number
  readonly count: number
}

/** The half of a lease table that begins leases: who gets which chunk. Holds no state of its own. */
export class LeaseClaims {
  readonly #book: LeaseBook

  constructor(book: LeaseBook) {
    this.#book = book
  }

  /** `pending → leased`, `leased → leased` twice: by a peer. */
  byPeer(claim: PeerClaim): ClaimResult {
    const { peer, nowMs, memoryBytes } = claim
    const { peers, options, closed } = this.#book
    if (closed) return refuse('jobClosed', 0)
    if (options.local === 'only') return refuse('localOnly', 0)
    if (peers.isBarred(peer)) return refuse('barred', 0)
    this.#book.seePeer(nowMs)
    const backoffMs = peers.backoffMs(peer, nowMs)
    if (backoffMs > 0) return refuse('busy', backoffMs)
    return this.#serve({ ...claimant(claim, peer), by: 'peer', memoryBytes })
  }

  /** `pending → local`: by the submitter's own worker. */
  byLocal(claim: LocalClaim): ClaimResult {
    const { options, closed } = this.#book
    if (closed) return refuse('jobClosed', 0)
    if (options.local === 'never') return refuse('nothingLeft', 0)
    const givenUpOnly = claim.fallbackOnly === true && this.#book.peerlessMs(claim.nowMs) < NO_PEER_MS
    const by = givenUpOnly ? 'given-up' : 'local'
    return this.#serve({ ...claimant(claim, undefined), by, memoryBytes: Number.POSITIVE_INFINITY })
  }

  /** `pending → leased`, `leased → leased` twice: by a peer that holds the result already. */
  byHolder({ peer, chunkIndex, epoch, nowMs }: HeldClaim): LeaseGrant | undefined {
    const { chunks, peers, options, closed } = this.#book
    const entry = chunks.get(chunkIndex)
    if (closed || entry === undefined || options.local === 'only' || peers.isBarred(peer)) return undefined
    if (epoch < 1 || epoch > entry.epoch || !chunks.isNear(entry.chunk, ADOPT_WINDOWS)) return undefined
    if (entry.state !== 'pending' && entry.state !== 'leased') return undefined
    if (entry.leases.length >= LIVE_LEASES_MAX || entry.leases.some((lease) => lease.peer === peer)) return undefined
    this.#book.seePeer(nowMs)
    return this.#book.grant(entry, { peer, nowMs, estimateMs: () => ESTIMATE_UNKNOWN_MS })
  }

  #serve(claimant: Claimant): ClaimResult {
    const { chunks, live } = this.#book
    const grants: LeaseGrant[] = []
    const wanted = Math.min(Math.max(claimant.count, 1), GRANTS_PER_CLAIM_MAX)
    while (grants.length < wanted) {
      const entry = chunks.next({ ...claimant, ...this.#room(claimant) })
      if (entry === undefined) break
      grants.push(this.#book.grant(entry, claimant))
    }
    if (grants.length === 0 && claimant.by !== 'given-up') grants.push(...this.#grantBackup(claimant))
    if (grants.length > 0) return { grants, retryAfterMs: 0 }
    if (chunks.hasWork) return refuse('busy', RETRY_BUSY_MS)
    return refuse('nothingLeft', live.count > 0 ? RETRY_LEASED_MS : 0)
  }

  #room({ peer, memoryBytes }: Claimant): Pick<ChunkWish, 'roomBytes' | 'leasableBytes'> {
    const { live, peers, options } = this.#book
    return {
      roomBytes: memoryBytes - peers.leasedBytes(peer),
      leasableBytes: options.leasedBytesMax() - live.leasedBytes
    }
  }

  /** Once nothing is grantable, any straggler may get a copy; while the window is full, only the chunk it waits for. */
  #grantBackup(claimant: Claimant): readonly LeaseGrant[] {
    const { backups, chunks, peers } = this.#book
    const aheadBytes = peers.leasedBytes(claimant.peer)
    const estimateMs = (inputBytes: number) => claimant.estimateMs(aheadBytes + inputBytes)
    const { roomBytes } = this.#room(claimant)
    const head = chunks.hasWork ? chunks.head : undefined
    const straggler = backups.choose({ peer: claimant.peer, nowMs: claimant.nowMs, roomBytes, estimateMs }, head)
    if (straggler === undefined) return []
    const entry = chunks.of(straggler)
    backups.spend(entry)
    return [this.#book.grant(entry, claimant)]
  }
}

function claimant(claim: LocalClaim, peer: PeerName | undefined): Omit<Claimant, 'by' | 'memoryBytes'> {
  const { count, nowMs, chunkBytes } = claim
  return { peer, count, nowMs, chunkBytes, estimateMs: claim.estimateMs ?? (() => ESTIMATE_UNKNOWN_MS) }
}

function refuse(refusal: ClaimRefusal, retryAfterMs: number): ClaimResult {
  return { grants: [], refusal, retryAfterMs }
}
