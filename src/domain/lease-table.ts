import type { PeerName } from './ids.ts'
import { LeaseBook, revokedLease } from './lease-book.ts'
import { LeaseClaims } from './lease-claims.ts'
import type { Lease } from './lease-live.ts'
import type {
  ChunkView,
  ClaimResult,
  GiveBackReason,
  HeldClaim,
  LeaseCounters,
  LeaseGrant,
  LeaseTableOptions,
  LocalClaim,
  OfferOutcome,
  PassedOutcome,
  PeerClaim,
  ProgressReport,
  Release,
  RevokedLease
} from './lease-types.ts'

/**
 * Owns the leases of one job: who works on which chunk, until when, and which result counts. Pure; the submitter drives
 * it, journals each grant in the same turn (before it leaves), and tells it what peers, sink and clock say.
 *
 * At-least-once compute, exactly-once merge: the first verified result of a chunk wins, at any epoch. A chunk has at
 * most two live leases. What a peer can cause is a returned value.
 */
export class LeaseTable {
  readonly #book: LeaseBook
  readonly #claims: LeaseClaims
  #failedChunk: number | undefined

  /** @throws SwarmError JOURNAL_CORRUPT when the restored chunks do not lie on the grid */
  constructor(options: LeaseTableOptions) {
    this.#book = new LeaseBook(options)
    this.#claims = new LeaseClaims(this.#book)
  }

  /** Whether every byte is merged. */
  get done(): boolean {
    return this.#book.chunks.bytesIn('merged') === this.#book.options.grid.inputBytes
  }

  /** The chunk on which the submitter's own kernel failed; the job has failed with it. */
  get failedChunk(): number | undefined {
    return this.#failedChunk
  }

  /** Whether a peer's claim could be granted something now, backup copies aside: time to wake idle workers. */
  get hasGrantable(): boolean {
    const { closed, options, chunks } = this.#book
    return !closed && options.local !== 'only' && chunks.hasGrantable
  }

  get counters(): LeaseCounters {
    return this.#book.counters()
  }

  /** @returns one chunk with its live leases, or undefined when it is not cut. */
  view(chunkIndex: number): ChunkView | undefined {
    const entry = this.#book.chunks.get(chunkIndex)
    if (entry === undefined) return undefined
    const { chunk, state, epoch, attempts } = entry
    return { chunk, state, epoch, attempts, leases: entry.leases.map(revokedLease) }
  }

  /** @returns the chunk of a live lease when `peer` holds that lease. */
  leased(peer: PeerName, leaseNumber: number): ChunkView | undefined {
    const lease = this.#book.live.get(leaseNumber)
    return lease?.peer === peer ? this.view(lease.chunk.chunkIndex) : undefined
  }

  /**
   * `pending → leased`, or `leased → leased` twice. A peer asks for chunks: queued ones first, lowest chunkIndex first,
   * then fresh cuts within the window, then one backup copy of a straggler's chunk.
   */
  claim(claim: PeerClaim): ClaimResult {
    return this.#claims.byPeer(claim)
  }

  /**
   * `pending → local`: the submitter's own worker asks; its leases have no deadline. Chunks that peers gave up on come
   * to it alone. With policy `never` it gets nothing, and those chunks wait for further peers.
   */
  claimLocal(claim: LocalClaim): ClaimResult {
    return this.#claims.byLocal(claim)
  }

  /**
   * `pending → leased`: a worker still holds the result of a grant from before the submitter's restart.
   * @returns a fresh lease under which to offer it; undefined when the chunk is placed, or has two live leases, or one of
   *   that peer, or the epoch never left this machine: then the result is of no use
   */
  adopt(held: HeldClaim): LeaseGrant | undefined {
    return this.#claims.byHolder(held)
  }

  /**
   * `leased → leased`: a heartbeat of all leases of a peer.
   * @returns the numbers among them that are not live
   */
  renew(peer: PeerName, progress: readonly ProgressReport[], nowMs: number): readonly number[] {
    const { live } = this.#book
    this.#book.seePeer(nowMs)
    const over: number[] = []
    for (const report of progress) {
      const lease = live.get(report.leaseNumber)
      if (lease === undefined || lease.peer !== peer) {
        over.push(report.leaseNumber)
        continue
      }
      live.hear(lease, nowMs)
      if (report.progress > lease.progress) live.advance(lease, nowMs, report.progress)
    }
    return over
  }

  /** `leased → leased`: data of a lease moved, in either direction. @returns whether `peer` holds that live lease */
  touch(peer: PeerName, leaseNumber: number, nowMs: number): boolean {
    const { live } = this.#book
    const lease = live.get(leaseNumber)
    if (lease === undefined || lease.peer !== peer) return false
    this.#book.seePeer(nowMs)
    live.hear(lease, nowMs)
    live.advance(lease, nowMs)
    return true
  }

  /** `leased → pending`: a peer's stream ended. Results that are here whole are still checked. */
  disconnect(peer: PeerName, nowMs: number): readonly Release[] {
    const lost = this.#book.leasesOf(peer).filter((lease) => lease.phase !== 'received')
    if (lost.length > 0) this.#book.peers.backOff(peer, nowMs)
    return lost.map((lease) => this.#book.release(lease, 'disconnected', nowMs, nowMs))
  }

  /**
   * `leased → pending`: a peer gives leases back. Only a failure counts as an attempt; leaving needs no back-off. Results
   * that are here whole are still checked.
   */
  release(peer: PeerName, leaseNumbers: readonly number[], reason: GiveBackReason, nowMs: number): readonly Release[] {
    const given = [...new Set(leaseNumbers)].flatMap((leaseNumber) => this.#book.live.get(leaseNumber) ?? [])
    const own = given.filter((lease) => lease.peer === peer && lease.phase !== 'received')
    if (own.length > 0 && reason !== 'shutdown') this.#book.peers.backOff(peer, nowMs)
    return own.map((lease) => this.#book.release(lease, reason, nowMs, nowMs))
  }

  /** `leased → pending`: time to live or progress limit is over. Call it at {@link LeaseTable.nextDeadlineMs}. */
  expire(nowMs: number): readonly Release[] {
    const expired = this.#book.live.expired(nowMs)
    const silent = new Set(expired.map(({ lease }) => lease.peer))
    for (const peer of silent) this.#book.peers.backOff(peer, nowMs)
    return expired.map(({ lease, reason, sinceMs }) => this.#book.release(lease, reason, sinceMs, nowMs))
  }

  /** When to call {@link LeaseTable.expire} next; may be a little early. */
  nextDeadlineMs(): number | undefined {
    return this.#book.live.nextDeadlineMs()
  }

  /**
   * A peer offers a result. A late one is still checked as long as its chunk is not placed; `pending → leased` when
   * nobody else took the chunk meanwhile.
   */
  offer(peer: PeerName, leaseNumber: number, nowMs: number): OfferOutcome {
    const { closed, peers, live, chunks } = this.#book
    if (closed) return { outcome: 'closed' }
    if (peers.isBarred(peer)) return { outcome: 'barred' }
    const lease = live.get(leaseNumber) ?? live.ended(leaseNumber)
    if (lease === undefined || lease.peer !== peer || lease.verdict === 'refused') return { outcome: 'unknown' }
    const entry = chunks.of(lease)
    if (entry.state === 'placed' || entry.state === 'merged') return this.#duplicate(lease)
    if (entry.state === 'pending') this.#book.open(entry, lease)
    const late = !this.touch(peer, leaseNumber, nowMs)
    if (lease.phase === 'working') lease.phase = 'offered'
    return { outcome: 'verify', chunk: entry.chunk, epoch: lease.epoch, late }
  }

  /** `leased → verifying`: the result is here whole and is what was claimed, so its holder may go silent. */
  received(leaseNumber: number): void {
    const { live, chunks, backups } = this.#book
    const lease = live.get(leaseNumber)
    if (lease === undefined) return
    live.receive(lease)
    const entry = chunks.of(lease)
    chunks.receive(entry)
    backups.update(entry)
  }

  /** `verifying → placed`: the first verified result wins, at any epoch. Other copies carry no blame. */
  passed(leaseNumber: number, nowMs: number): PassedOutcome {
    const { closed, peers, live, chunks, backups } = this.#book
    const lease = live.get(leaseNumber) ?? live.ended(leaseNumber)
    if (closed || lease === undefined || peers.isBarred(lease.peer)) return { outcome: 'void' }
    const entry = chunks.of(lease)
    if (entry.state === 'placed' || entry.state === 'merged') return this.#duplicate(lease)
    const others = entry.leases.filter((other) => other !== lease)
    for (const live of [...entry.leases]) this.#book.end(live)
    backups.settle(entry)
    chunks.place(entry)
    peers.forgive(lease.peer)
    lease.verdict = 'passed'
    return {
      outcome: 'placed',
      chunk: entry.chunk,
      epoch: lease.epoch,
      ...(lease.peer !== undefined && { peer: lease.peer }),
      leaseMs: nowMs - lease.grantedAtMs,
      revoked: others.map(revokedLease)
    }
  }

  /**
   * `verifying → pending`: a result did not pass. Proven false bars its peer from the job and ends all its leases; else
   * the peer backs off.
   */
  refused(leaseNumber: number, verdict: { proof: boolean; nowMs: number }): readonly Release[] {
    const { live, peers } = this.#book
    const { proof, nowMs } = verdict
    const lease = live.get(leaseNumber) ?? live.ended(leaseNumber)
    if (lease?.peer === undefined) return []
    const releases = live.get(leaseNumber) ? [this.#book.release(lease, 'refused', nowMs, nowMs)] : []
    lease.verdict = 'refused'
    if (!proof) {
      peers.backOff(lease.peer, nowMs)
      return releases
    }
    peers.bar(lease.peer)
    const rest = this.#book.leasesOf(lease.peer).map((other) => this.#book.release(other, 'barred', nowMs, nowMs))
    return [...releases, ...rest]
  }

  /** `placed → placed`: the sink let go of a chunk's bytes, so the window moves. Optional: `merged` implies it. */
  consumed(chunkIndex: number): void {
    const { chunks } = this.#book
    const entry = chunks.get(chunkIndex)
    if (entry?.state === 'placed') chunks.consume(entry)
  }

  /** `placed → merged`: chunks that became durable. */
  merged(chunkIndexes: readonly number[]): void {
    const { chunks } = this.#book
    for (const chunkIndex of chunkIndexes) {
      const entry = chunks.get(chunkIndex)
      if (entry !== undefined) chunks.merge(entry)
    }
  }

  /** `local → failed`: the submitter's own kernel failed, so the job fails. @returns the leases to revoke */
  localFailed(leaseNumber: number, nowMs: number): readonly RevokedLease[] {
    const { live, chunks } = this.#book
    const lease = live.get(leaseNumber)
    if (lease === undefined || lease.peer !== undefined) return []
    this.#failedChunk = lease.chunk.chunkIndex
    const revoked = this.#book.close(nowMs).filter((other) => other.leaseNumber !== leaseNumber)
    chunks.fail(chunks.of(lease))
    return revoked
  }

  /** `any → cancelled`, merged ones aside. @returns the leases to revoke */
  cancel(nowMs: number): readonly RevokedLease[] {
    const revoked = this.#book.close(nowMs)
    this.#book.chunks.cancel()
    return revoked
  }

  #duplicate(lease: Lease): { readonly outcome: 'duplicate'; readonly chunkIndex: number } {
    if (lease.verdict === 'none') {
      this.#book.duplicates++
      lease.verdict = 'duplicate'
    }
    return { outcome: 'duplicate', chunkIndex: lease.chunk.chunkIndex }
  }
}
