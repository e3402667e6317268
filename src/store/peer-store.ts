import type { StatementSync } from 'node:sqlite'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { Database } from './database.ts'

/** Peers remembered; the ones not seen for longest are forgotten. */
export const PEERS_MAX = 1_000
/** Addresses remembered of one peer. */
export const PEER_ADDRESSES_MAX = 16
/** Task kinds whose speed is remembered of one peer. */
export const PEER_SPEEDS_MAX = 32

/** Weight of the newest measurement in a remembered speed. */
const NEWEST_WEIGHT = 0.5

/** A peer that this home has met. */
export interface RememberedPeer {
  readonly peerId: PeerName
  readonly name: string
  /** Multiaddrs, best first. */
  readonly addresses: readonly string[]
  /** Unix ms. */
  readonly lastSeenMs: number
  /** Jobs that it took part in, as submitter or worker, together with this home. */
  readonly jobs: number
  /** Input bytes per second by task kind, as measured here. */
  readonly speeds: Readonly<Record<string, number>>
}

/** The peers that this home remembers across restarts. libp2p's own memory of addresses ends after an hour. */
export class PeerStore {
  readonly #database: Database
  readonly #upsert: StatementSync
  readonly #select: StatementSync
  readonly #list: StatementSync
  readonly #prune: StatementSync
  readonly #addJob: StatementSync
  readonly #delete: StatementSync

  constructor(database: Database) {
    this.#database = database
    this.#upsert = database.prepare(`INSERT INTO peers (peer_id, name, addresses, last_seen_ms, jobs, speeds)
      VALUES (:peer_id, :name, :addresses, :last_seen_ms, 0, '{}')
      ON CONFLICT DO UPDATE SET name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END,
        addresses = CASE excluded.addresses WHEN '[]' THEN addresses ELSE excluded.addresses END,
        last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)`)
    this.#select = database.prepare('SELECT * FROM peers WHERE peer_id = ?')
    this.#list = database.prepare('SELECT * FROM peers ORDER BY last_seen_ms DESC, peer_id LIMIT ?')
    this.#prune = database.prepare(`DELETE FROM peers WHERE peer_id IN
      (SELECT peer_id FROM peers ORDER BY last_seen_ms DESC, peer_id LIMIT -1 OFFSET ${PEERS_MAX})`)
    this.#addJob = database.prepare('UPDATE peers SET jobs = jobs + 1, speeds = :speeds WHERE peer_id = :peer_id')
    this.#delete = database.prepare('DELETE FROM peers WHERE peer_id = ?')
  }

  /** Notes that a peer was met. An empty name, or no addresses, leaves what was known. */
  remember(peer: { peerId: string; name?: string; addresses: readonly string[]; seenAtMs: number }): void {
    this.#database.transaction(
      () => {
        this.#upsert.run({
          peer_id: peer.peerId,
          name: peer.name ?? '',
          addresses: JSON.stringify([...new Set(peer.addresses)].slice(0, PEER_ADDRESSES_MAX)),
          last_seen_ms: peer.seenAtMs
        })
        this.#prune.run()
      },
      { durable: false }
    )
  }

  /** Counts a job done together with a peer, and its measured speeds (input bytes per second by task kind). */
  addJob(peerId: string, speeds: Readonly<Record<string, number>>): void {
    this.#database.transaction(
      () => {
        const known = this.get(peerId)
        if (known === undefined) return
        this.#addJob.run({ peer_id: peerId, speeds: JSON.stringify(blend(known.speeds, speeds)) })
      },
      { durable: false }
    )
  }

  get(peerId: string): RememberedPeer | undefined {
    const row = this.#select.get(peerId)
    return row === undefined ? undefined : peerFromRow(row)
  }

  /** @returns the peers seen last, newest first. */
  list(limit: number = PEERS_MAX): readonly RememberedPeer[] {
    return this.#list.all(limit).map(peerFromRow)
  }

  forget(peerId: string): void {
    this.#database.transaction(() => this.#delete.run(peerId), { durable: false })
  }
}

function peerFromRow(row: Record<string, unknown>): RememberedPeer {
  return {
    peerId: peerName(String(row.peer_id)),
    name: String(row.name),
    addresses: JSON.parse(String(row.addresses)) as string[],
    lastSeenMs: Number(row.last_seen_ms),
    jobs: Number(row.jobs),
    speeds: JSON.parse(String(row.speeds)) as Record<string, number>
  }
}

function blend(
  known: Readonly<Record<string, number>>,
  measured: Readonly<Record<string, number>>
): Record<string, number> {
  const blended = new Map(Object.entries(known))
  for (const [kind, speed] of Object.entries(measured)) {
    if (!Number.isFinite(speed) || speed <= 0) continue
    const before = blended.get(kind)
    blended.set(kind, before === undefined ? speed : before * (1 - NEWEST_WEIGHT) + speed * NEWEST_WEIGHT)
  }
  return Object.fromEntries([...blended].slice(-PEER_SPEEDS_MAX))
}
