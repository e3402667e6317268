import type { StatementSync } from 'node:sqlite'
import { sameBytes } from '../domain/bytes.ts'
import { type LocalWork, type PeerCredit, rankPeers, type UnitCredit } from '../domain/credit.ts'
import { peerName } from '../domain/ids.ts'
import { MerkleTree } from '../domain/merkle.ts'
import type { Database } from './database.ts'
import { sha256 } from './sha256.ts'

/** Jobs that one summary lists at most, newest first. */
export const LEDGER_JOBS_MAX = 1_000

/** What to look at; everything when both are absent. */
export interface LedgerFilter {
  readonly jobId?: string
  /** Peer id text. */
  readonly peerId?: string
}

/** The end of a job, as its submitter recorded it, beside what is known here. */
export interface LedgerJob {
  readonly submitter: string
  readonly jobId: string
  readonly outcome: string
  readonly kind: string
  readonly inputBytes: number
  readonly chunks: number
  /** Done by the submitter itself: listed, never credited. */
  readonly localChunks: number
  readonly localUnits: number
  /** Receipts that the submitter says there are. */
  readonly receipts: number
  /** Receipts known here. */
  readonly knownReceipts: number
  /** Unix ms at the submitter. */
  readonly closedAtMs: number
}

/** What this peer could verify. */
export interface LedgerSummary {
  /** Most credit first; with medals among all peers, or all that took part in the job asked for. */
  readonly peers: readonly PeerCredit[]
  readonly local: readonly LocalWork[]
  /** At most {@link LEDGER_JOBS_MAX}. */
  readonly jobs: readonly LedgerJob[]
  /** Distinct receipts, credited or not. */
  readonly receipts: number
  /** Receipts that earn nothing: second ones for a chunk, and self-issued ones. */
  readonly uncredited: number
  readonly entries: number
  /** Authors caught with two entries at one sequence number; their feeds are frozen there. */
  readonly forks: readonly { readonly author: string; readonly sequence: number }[]
}

/** Answers questions about a ledger; works on a database that is open for reading only. */
export class LedgerReader {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  summary(filter: LedgerFilter = {}): LedgerSummary {
    return {
      // Ranked among all who took part, so that one peer alone does not always come first.
      peers: rankPeers(this.#peers(filter.jobId === undefined ? {} : { jobId: filter.jobId })).filter(
        ({ peerId }) => filter.peerId === undefined || peerId === filter.peerId
      ),
      local: this.#local(filter),
      jobs: this.#jobs(filter),
      ...this.counts(filter),
      entries: Number(this.#get('SELECT count(*) AS entries FROM entries', {})?.entries ?? 0),
      forks: this.#all('SELECT author, sequence FROM fork_proofs ORDER BY author', {}).map((row) => ({
        author: String(row.author),
        sequence: Number(row.sequence)
      }))
    }
  }

  /** @returns how many distinct receipts there are, and how many of them earn nothing. */
  counts(filter: LedgerFilter = {}): { readonly receipts: number; readonly uncredited: number } {
    const row = this.#get(
      `SELECT count(*) AS receipts, sum(credited) AS credited FROM receipts ${where(filter)}`,
      filter
    )
    const receipts = Number(row?.receipts ?? 0)
    return { receipts, uncredited: receipts - Number(row?.credited ?? 0) }
  }

  /** @returns peer ids of those who closed a job with this id; rarely more than one. */
  submittersOf(jobId: string): readonly string[] {
    const rows = this.#all('SELECT submitter FROM job_closes WHERE job_id = :job ORDER BY submitter', { jobId })
    return rows.map((row) => String(row.submitter))
  }

  /** @returns the envelope of the entry that closes a job. */
  closeEntry(submitter: string, jobId: string): Uint8Array | undefined {
    const row = this.#database
      .prepare(`SELECT envelope FROM job_closes JOIN entries ON author = submitter AND entries.sequence = job_closes.sequence
        WHERE submitter = ? AND job_id = ?`)
      .get(submitter, jobId)
    return row?.envelope as Uint8Array | undefined
  }

  /** @returns how many receipts of a job earn credit, and the Merkle tree head over their envelopes by chunk index. */
  root(submitter: string, jobId: string): { readonly receipts: number; readonly receiptsRoot: Uint8Array } {
    const tree = new MerkleTree(sha256)
    let receipts = 0
    for (const envelope of this.#receiptsOf(submitter, jobId)) {
      tree.push(envelope)
      receipts++
    }
    return { receipts, receiptsRoot: tree.root() }
  }

  /** Receipt envelopes of a job that earn credit, by chunk index. */
  receipts(submitter: string, jobId: string): readonly Uint8Array[] {
    return [...this.#receiptsOf(submitter, jobId)]
  }

  /** @returns whether the receipts known here are exactly those that the submitter's job-close entry commits to. */
  isComplete(submitter: string, jobId: string): boolean {
    const close = this.#database
      .prepare('SELECT receipts_root FROM job_closes WHERE submitter = ? AND job_id = ?')
      .get(submitter, jobId)
    if (close === undefined) return false
    return sameBytes(this.root(submitter, jobId).receiptsRoot, close.receipts_root as Uint8Array)
  }

  *#receiptsOf(submitter: string, jobId: string): Generator<Uint8Array> {
    const rows = this.#database
      .prepare(`SELECT envelope FROM receipts WHERE submitter = ? AND job_id = ? AND credited = 1 ORDER BY chunk_index`)
      .iterate(submitter, jobId)
    for (const row of rows) yield row.envelope as Uint8Array
  }

  #peers(filter: LedgerFilter): readonly PeerCredit[] {
    const units = groupBy(
      this.#all(
        `SELECT worker, unit, sum(units) AS units, sum(chunks) AS chunks FROM credits ${where(filter)}
         GROUP BY worker, unit ORDER BY worker, unit`,
        filter
      )
    )
    const verifications = groupBy(
      this.#all(
        `SELECT worker, verification, sum(chunks) AS chunks FROM credits ${where(filter)}
         GROUP BY worker, verification ORDER BY worker, verification`,
        filter
      )
    )
    // With max(), SQLite takes the name from the row that has the maximum: the newest.
    const totals = this.#all(
      `SELECT worker, name, max(last_ms) AS last_ms, sum(chunks) AS chunks, sum(compute_ms) AS compute_ms,
         sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out, count(DISTINCT submitter || ' ' || job_id) AS jobs
       FROM credits ${where(filter)} GROUP BY worker`,
      filter
    )
    return totals.map((row): PeerCredit => {
      const worker = String(row.worker)
      return {
        peerId: peerName(worker),
        name: String(row.name),
        chunks: Number(row.chunks),
        jobs: Number(row.jobs),
        units: (units.get(worker) ?? []).map(unitFromRow),
        computeMs: Number(row.compute_ms),
        bytesIn: Number(row.bytes_in),
        bytesOut: Number(row.bytes_out),
        lastSeenMs: Number(row.last_ms),
        verifications: (verifications.get(worker) ?? []).map((found) => ({
          verification: String(found.verification),
          chunks: Number(found.chunks)
        }))
      }
    })
  }

  #local(filter: LedgerFilter): readonly LocalWork[] {
    return this.#all(
      `SELECT submitter, kind, count(*) AS jobs, sum(CAST(local_chunks AS REAL)) AS chunks, sum(local_units) AS units
       FROM job_closes ${where(filter, 'submitter')} GROUP BY submitter, kind HAVING sum(CAST(local_chunks AS REAL)) > 0
       ORDER BY submitter, kind`,
      filter
    ).map((row) => ({
      submitter: peerName(String(row.submitter)),
      kind: String(row.kind),
      jobs: Number(row.jobs),
      chunks: Number(row.chunks),
      units: Number(row.units)
    }))
  }

  #jobs(filter: LedgerFilter): readonly LedgerJob[] {
    const ofPeer =
      filter.peerId === undefined
        ? ''
        : `AND (submitter = :peer OR EXISTS (SELECT 1 FROM credits WHERE worker = :peer
             AND credits.submitter = job_closes.submitter AND credits.job_id = job_closes.job_id))`
    const ofJob = filter.jobId === undefined ? '' : 'AND job_id = :job'
    return this.#all(
      `SELECT *, (SELECT count(*) FROM receipts WHERE receipts.submitter = job_closes.submitter
         AND receipts.job_id = job_closes.job_id AND credited = 1) AS known_receipts
       FROM job_closes WHERE TRUE ${ofPeer} ${ofJob} ORDER BY closed_at_ms DESC, job_id LIMIT ${LEDGER_JOBS_MAX}`,
      filter
    ).map((row) => ({
      submitter: String(row.submitter),
      jobId: String(row.job_id),
      outcome: String(row.outcome),
      kind: String(row.kind),
      inputBytes: Number(row.input_bytes),
      chunks: Number(row.chunks),
      localChunks: Number(row.local_chunks),
      localUnits: Number(row.local_units),
      receipts: Number(row.receipts),
      knownReceipts: Number(row.known_receipts),
      closedAtMs: Number(row.closed_at_ms)
    }))
  }

  #all(sql: string, filter: LedgerFilter): Row[] {
    return this.#database.prepare(sql).all(parameters(filter)) as Row[]
  }

  #get(sql: string, filter: LedgerFilter): Row | undefined {
    return (this.#database.prepare(sql) as StatementSync).get(parameters(filter)) as Row | undefined
  }
}

type Row = Record<string, unknown>

function parameters({ jobId, peerId }: LedgerFilter): Record<string, string> {
  return { ...(jobId === undefined ? {} : { job: jobId }), ...(peerId === undefined ? {} : { peer: peerId }) }
}

function where({ jobId, peerId }: LedgerFilter, peerColumn = 'worker'): string {
  const job = jobId === undefined ? '' : 'AND job_id = :job'
  return `WHERE TRUE ${job} ${peerId === undefined ? '' : `AND ${peerColumn} = :peer`}`
}

function groupBy(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => String(row.worker))
}

function unitFromRow(row: Row): UnitCredit {
  return { unit: String(row.unit), units: Number(row.units), chunks: Number(row.chunks) }
}
