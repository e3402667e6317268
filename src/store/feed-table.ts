// Owns the tables `feeds`, `entries`, `fork_proofs` and `job_closes`.
import type { StatementSync } from 'node:sqlite'
import type { FeedBody } from '../../protocols/wire/receipt-types.ts'
import type { FeedHead } from '../domain/feed.ts'
import type { Database } from './database.ts'
import type { ReadEntry } from './ledger-opened.ts'

/** Two entry envelopes that one author signed at one sequence number. */
export type ForkProof = readonly [Uint8Array, Uint8Array]

/** Feeds as they were received, and where their authors forked. Writes belong inside a transaction of the caller. */
export class FeedTable {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>

  constructor(database: Database) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>
  }

  head(author: string): FeedHead | undefined {
    const row = this.#statements.selectHead.get(author)
    return row === undefined ? undefined : (row as unknown as FeedHead)
  }

  /** One per author, by author. */
  heads(): readonly FeedHead[] {
    return this.#statements.selectHeads.all() as unknown as FeedHead[]
  }

  /** @returns envelopes of one author with sequence in [from, from + limit), as they were received. */
  entries(author: string, from: number, limit: number): readonly Uint8Array[] {
    return this.#statements.selectEntries.all(author, from, limit).map((row) => row.envelope as Uint8Array)
  }

  /** @returns the hash of one entry. */
  hashAt(author: string, sequence: number): Uint8Array | undefined {
    return this.#statements.selectHash.get(author, sequence)?.hash as Uint8Array | undefined
  }

  /** Adds the next entry of its author. */
  add({ author, hash, entry, envelope }: ReadEntry): void {
    this.#statements.insertEntry.run(author, entry.sequence, hash, envelope)
    this.#statements.setHead.run(author, entry.sequence, hash)
    if (entry.body.type === 'job-close') this.#addJobClose(author, entry.sequence, entry.body)
  }

  /** @returns the sequence number of a job's close with this outcome and root, when that is the newest close. */
  sequenceOfClose(author: string, jobId: string, outcome: string, receiptsRoot: Uint8Array): number | undefined {
    const row = this.#statements.selectClose.get(author, jobId, outcome, receiptsRoot)
    return row === undefined ? undefined : Number(row.sequence)
  }

  /** Keeps the first proof per author. @returns whether it is new */
  addForkProof(author: string, sequence: number, [first, second]: ForkProof): boolean {
    return this.#statements.insertFork.run(author, sequence, first, second).changes === 1
  }

  isFrozen(author: string): boolean {
    return this.#statements.selectFork.get(author) !== undefined
  }

  forkProofs(limit: number): readonly ForkProof[] {
    return this.#statements.selectForks.all(limit).map((row) => [row.first as Uint8Array, row.second as Uint8Array])
  }

  #addJobClose(author: string, sequence: number, body: Extract<FeedBody, { type: 'job-close' }>): void {
    this.#statements.setJobClose.run({
      submitter: author,
      job_id: body.jobId,
      sequence,
      outcome: body.outcome,
      kind: body.kind,
      input_bytes: body.inputBytes,
      chunks: body.chunks,
      local_chunks: body.localChunks,
      local_units: body.localUnits,
      receipts_root: body.receiptsRoot,
      receipts: body.receipts,
      closed_at_ms: body.closedAtMs
    })
  }
}

const SQL = {
  selectHead: 'SELECT author, sequence, hash FROM feeds WHERE author = ?',
  selectHeads: 'SELECT author, sequence, hash FROM feeds ORDER BY author',
  setHead: `INSERT INTO feeds (author, sequence, hash) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash`,
  selectEntries: 'SELECT envelope FROM entries WHERE author = ? AND sequence >= ? ORDER BY sequence LIMIT ?',
  selectHash: 'SELECT hash FROM entries WHERE author = ? AND sequence = ?',
  insertEntry: 'INSERT INTO entries (author, sequence, hash, envelope) VALUES (?, ?, ?, ?)',
  insertFork: 'INSERT OR IGNORE INTO fork_proofs (author, sequence, first, second) VALUES (?, ?, ?, ?)',
  selectFork: 'SELECT 1 FROM fork_proofs WHERE author = ?',
  selectForks: 'SELECT first, second FROM fork_proofs ORDER BY author LIMIT ?',
  selectClose:
    'SELECT sequence FROM job_closes WHERE submitter = ? AND job_id = ? AND outcome = ? AND receipts_root = ?',
  // A job that was resumed after it failed is closed again; the newest close counts.
  setJobClose: `INSERT OR REPLACE INTO job_closes (submitter, job_id, sequence, outcome, kind, input_bytes, chunks,
      local_chunks, local_units, receipts_root, receipts, closed_at_ms)
    VALUES (:submitter, :job_id, :sequence, :outcome, :kind, :input_bytes, :chunks, :local_chunks, :local_units,
      :receipts_root, :receipts, :closed_at_ms)`
}
