// Owns the tables `receipts` and `credits`. Credit is added up as receipts arrive, so that reading it is quick.
import type { StatementSync } from 'node:sqlite'
import { canEarn, earnsBefore, type ReceiptRecord } from '../domain/ledger.ts'
import type { Database } from './database.ts'
import type { OpenedReceipt } from './ledger-opened.ts'

/** How a receipt stands to this peer's own feed. */
export const OWN_FEED = { absent: 0, waiting: 1, written: 2 } as const

/** One of {@link OWN_FEED}. */
export type OwnFeed = (typeof OWN_FEED)[keyof typeof OWN_FEED]

/** Receipts, each once, and the credit they earn. All methods belong inside a transaction of the caller. */
export class ReceiptTable {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>

  constructor(database: Database) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>
  }

  /** @returns whether the receipt was found sound before. */
  has(hash: Uint8Array): boolean {
    return this.#statements.select.get(hash) !== undefined
  }

  /** Adds a sound receipt and counts its credit; one that is there already changes nothing. */
  add({ record, envelope }: OpenedReceipt): void {
    if (this.has(record.hash)) return
    const earning = canEarn(record) ? this.#earning(record) : undefined
    const credited = canEarn(record) && (earning === undefined || earnsBefore(record, earning))
    this.#statements.insert.run({
      hash: record.hash,
      submitter: record.submitter,
      job_id: record.jobId,
      chunk_index: record.chunkIndex,
      worker: record.worker,
      worker_name: record.workerName,
      kind: record.kind,
      unit: record.unit,
      units: record.units,
      verification: record.verification,
      compute_ms: record.computeMs,
      input_offset: record.inputOffset,
      input_bytes: record.inputBytes,
      output_bytes: record.outputBytes,
      input_hash: record.inputHash,
      accepted_at_ms: record.acceptedAtMs,
      credited: credited ? 1 : 0,
      own: OWN_FEED.absent,
      envelope
    })
    if (!credited) return
    if (earning !== undefined) this.#takeBack(record, earning)
    this.#statements.addCredit.run({
      worker: record.worker,
      submitter: record.submitter,
      job_id: record.jobId,
      unit: record.unit,
      verification: record.verification,
      units: record.units,
      compute_ms: record.computeMs,
      bytes_in: record.inputBytes,
      bytes_out: record.outputBytes,
      last_ms: record.acceptedAtMs,
      name: record.workerName
    })
  }

  /** Notes how a receipt stands to this peer's own feed; what is written there stays so. */
  setOwn(hash: Uint8Array, own: OwnFeed): void {
    this.#statements.setOwn.run(own, hash)
  }

  /** @returns receipts that wait for this peer's own feed, oldest first. */
  waiting(limit: number): readonly { readonly hash: Uint8Array; readonly envelope: Uint8Array }[] {
    return this.#statements.selectWaiting.all(limit) as unknown as { hash: Uint8Array; envelope: Uint8Array }[]
  }

  #earning(record: ReceiptRecord): { hash: Uint8Array; worker: string; acceptedAtMs: number } | undefined {
    const row = this.#statements.selectEarning.get(record.submitter, record.jobId, record.chunkIndex)
    if (row === undefined) return undefined
    return { hash: row.hash as Uint8Array, worker: String(row.worker), acceptedAtMs: Number(row.accepted_at_ms) }
  }

  /** An older receipt for the same chunk turned up: its predecessor's credit is counted anew, without that chunk. */
  #takeBack(record: ReceiptRecord, earning: { hash: Uint8Array; worker: string }): void {
    this.#statements.uncredit.run(earning.hash)
    this.#statements.dropCredit.run(earning.worker, record.submitter, record.jobId)
    this.#statements.recount.run(earning.worker, record.submitter, record.jobId, record.hash)
  }
}

const SQL = {
  select: 'SELECT 1 FROM receipts WHERE hash = ?',
  insert: `INSERT INTO receipts (hash, submitter, job_id, chunk_index, worker, worker_name, kind, unit, units, verification,
      compute_ms, input_offset, input_bytes, output_bytes, input_hash, accepted_at_ms, credited, own, envelope)
    VALUES (:hash, :submitter, :job_id, :chunk_index, :worker, :worker_name, :kind, :unit, :units, :verification,
      :compute_ms, :input_offset, :input_bytes, :output_bytes, :input_hash, :accepted_at_ms, :credited, :own, :envelope)`,
  selectEarning: `SELECT hash, worker, accepted_at_ms FROM receipts
    WHERE submitter = ? AND job_id = ? AND chunk_index = ? AND credited = 1`,
  uncredit: 'UPDATE receipts SET credited = 0 WHERE hash = ?',
  dropCredit: 'DELETE FROM credits WHERE worker = ? AND submitter = ? AND job_id = ?',
  // The receipt that takes over is counted after this, as every other one. With max(), SQLite takes the other columns of
  // a group from the row that has the maximum, so the name is the newest.
  recount: `INSERT INTO credits (worker, submitter, job_id, unit, verification, chunks, units, compute_ms, bytes_in,
      bytes_out, last_ms, name)
    SELECT worker, submitter, job_id, unit, verification, count(*), sum(units), sum(compute_ms), sum(CAST(input_bytes AS REAL)),
      sum(CAST(output_bytes AS REAL)), max(accepted_at_ms), worker_name
    FROM receipts WHERE worker = ? AND submitter = ? AND job_id = ? AND credited = 1 AND hash <> ?
    GROUP BY worker, submitter, job_id, unit, verification`,
  addCredit: `INSERT INTO credits (worker, submitter, job_id, unit, verification, chunks, units, compute_ms, bytes_in,
      bytes_out, last_ms, name)
    VALUES (:worker, :submitter, :job_id, :unit, :verification, 1, :units, :compute_ms, :bytes_in, :bytes_out, :last_ms, :name)
    ON CONFLICT DO UPDATE SET chunks = chunks + 1, units = units + excluded.units,
      compute_ms = compute_ms + excluded.compute_ms, bytes_in = bytes_in + excluded.bytes_in,
      bytes_out = bytes_out + excluded.bytes_out, last_ms = max(last_ms, excluded.last_ms),
      name = CASE WHEN excluded.last_ms >= last_ms THEN excluded.name ELSE name END`,
  setOwn: 'UPDATE receipts SET own = max(own, ?) WHERE hash = ?',
  selectWaiting: 'SELECT hash, envelope FROM receipts WHERE own = 1 ORDER BY rowid LIMIT ?'
}
