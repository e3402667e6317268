import type { LeaseNumber, PeerName } from './ids.ts'
import { BACKOFF_MS, BACKOFF_MS_MAX, PEERS_MAX } from './lease-limits.ts'

interface PeerRecord {
  readonly live: Set<LeaseNumber>
  leasedBytes: number
  failures: number
  idleUntilMs: number
  barred: boolean
}

/**
 * Owns what one job knows of each peer: its live leases, its failures in a row and its bar. Driven by the lease table.
 */
export class LeasePeers {
  readonly #peers = new Map<PeerName | undefined, PeerRecord>()

  isBarred(peer: PeerName | undefined): boolean {
    return this.#peers.get(peer)?.barred ?? false
  }

  /** How long the peer has to wait before its next claim, in ms; 0 when it need not. */
  backoffMs(peer: PeerName | undefined, nowMs: number): number {
    return Math.max(0, (this.#peers.get(peer)?.idleUntilMs ?? nowMs) - nowMs)
  }

  leasedBytes(peer: PeerName | undefined): number {
    return this.#peers.get(peer)?.leasedBytes ?? 0
  }

  /** Live leases of the peer; a copy, so that leases may end while it is walked. */
  leases(peer: PeerName | undefined): readonly LeaseNumber[] {
    return [...(this.#peers.get(peer)?.live ?? [])]
  }

  /** The peer got a lease. */
  add(peer: PeerName | undefined, leaseNumber: LeaseNumber, inputBytes: number): void {
    const record = this.#record(peer)
    record.live.add(leaseNumber)
    record.leasedBytes += inputBytes
  }

  /** A lease of the peer ended, for whatever reason. */
  remove(peer: PeerName | undefined, leaseNumber: LeaseNumber, inputBytes: number): void {
    const record = this.#peers.get(peer)
    if (record?.live.delete(leaseNumber)) record.leasedBytes -= inputBytes
  }

  /** Makes the peer wait, twice as long with each failure in a row. */
  backOff(peer: PeerName | undefined, nowMs: number): void {
    const record = this.#record(peer)
    record.idleUntilMs = nowMs + Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** record.failures)
    record.failures = Math.min(record.failures + 1, 30)
  }

  /** A result of the peer passed. */
  forgive(peer: PeerName | undefined): void {
    const record = this.#peers.get(peer)
    if (record !== undefined) record.failures = 0
  }

  /** Proven false once: the peer gets nothing of this job any more. */
  bar(peer: PeerName | undefined): void {
    this.#record(peer).barred = true
  }

  #record(peer: PeerName | undefined): PeerRecord {
    let record = this.#peers.get(peer)
    if (record === undefined) {
      if (this.#peers.size >= PEERS_MAX) this.#forgetOne()
      record = { live: new Set(), leasedBytes: 0, failures: 0, idleUntilMs: 0, barred: false }
      this.#peers.set(peer, record)
    }
    return record
  }

  /** Forgets the oldest peer that holds nothing; a barred one only when every idle peer is barred. */
  #forgetOne(): void {
    let oldest: PeerName | undefined
    for (const [peer, record] of this.#peers) {
      if (record.live.size > 0) continue
      oldest ??= peer
      if (!record.barred) {
        oldest = peer
        break
      }
    }
    if (oldest !== undefined) this.#peers.delete(oldest)
  }
}
