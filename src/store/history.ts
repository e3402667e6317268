import type { StatementSync } from 'node:sqlite'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { JobSpec } from '../domain/job.ts'
import type { Database } from './database.ts'
import { dimensionsOf, type StoredDimensions } from './history-dimensions.ts'

/** Peers of a job that are kept by name, those with most chunks; the others are counted. */
export const HISTORY_PEERS_MAX = 256

/** What one peer did for a job. Bytes of input and output are those of its merged chunks. */
export interface PeerTotals {
  readonly peerId: PeerName
  readonly name: string
  readonly chunks: number
  readonly computeMs: number
  readonly inputBytes: number
  readonly outputBytes: number
}

/** Sums over a job's merged chunks. Times in ms as in {@link import('../domain/journal.ts').MergedChunk}. */
export interface JobTotals {
  /** Absent when the job's parameters are broken. */
  readonly dimensions?: StoredDimensions
  readonly chunks: number
  readonly localChunks: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly computeMs: number
  readonly transferMs: number
  readonly peerCount: number
  /** Most chunks first, at most {@link HISTORY_PEERS_MAX}. */
  readonly peers: readonly PeerTotals[]
}

/**
 * The history of a home's jobs: one row for each that ended, so that a list of many jobs need not read all their chunks.
 * For a job without a row (one that is not over, or that ended before there was a history) the chunks are added up.
 */
export class HistoryStore {
  readonly #selectRow: StatementSync
  readonly #insertRow: StatementSync
  readonly #sumChunks: StatementSync
  readonly #sumPeers: StatementSync

  constructor(database: Database) {
    this.#selectRow = database.prepare('SELECT * FROM history WHERE job_id = ?')
    this.#insertRow = database.prepare(INSERT)
    this.#sumChunks = database.prepare(SUM_CHUNKS)
    this.#sumPeers = database.prepare(SUM_PEERS)
  }

  /**
   * Writes the row of a job that ends; to be called within the transaction that ends it, so that there is a row exactly
   * when the job is over.
   */
  record(spec: JobSpec): void {
    const totals = this.#sum(spec)
    this.#insertRow.run({
      job_id: spec.jobId,
      dimensions: totals.dimensions === undefined ? null : JSON.stringify(totals.dimensions),
      chunks: totals.chunks,
      local_chunks: totals.localChunks,
      input_bytes: totals.inputBytes,
      output_bytes: totals.outputBytes,
      compute_ms: totals.computeMs,
      transfer_ms: totals.transferMs,
      peer_count: totals.peerCount,
      peers: JSON.stringify(totals.peers)
    })
  }

  /** @returns the sums of a job, as far as it got */
  totals(spec: JobSpec): JobTotals {
    const row = this.#selectRow.get(spec.jobId)
    return row === undefined ? this.#sum(spec) : totalsFromRow(row as unknown as HistoryRow)
  }

  #sum(spec: JobSpec): JobTotals {
    const sums = this.#sumChunks.get(spec.jobId) as unknown as Sums
    const peers = this.#sumPeers.all(spec.jobId, HISTORY_PEERS_MAX).map(
      (row): PeerTotals => ({
        peerId: peerName(String(row.peer_id)),
        name: String(row.name ?? ''),
        chunks: Number(row.chunks),
        computeMs: Number(row.compute_ms),
        inputBytes: Number(row.input_bytes),
        outputBytes: Number(row.output_bytes)
      })
    )
    return makeTotals(dimensionsOf(spec), sums, peers)
  }
}

/** What one look at the chunks, or at their row in the history, tells. */
interface Sums {
  readonly chunks: number
  readonly local_chunks: number
  readonly input_bytes: number
  readonly output_bytes: number
  readonly compute_ms: number
  readonly transfer_ms: number
  readonly peer_count: number
}

interface HistoryRow extends Sums {
  readonly dimensions: string | null
  readonly peers: string
}

/** The JSON in a row is this program's own. */
function totalsFromRow(row: HistoryRow): JobTotals {
  const dimensions = row.dimensions === null ? undefined : (JSON.parse(row.dimensions) as StoredDimensions)
  return makeTotals(dimensions, row, JSON.parse(row.peers) as PeerTotals[])
}

function makeTotals(dimensions: StoredDimensions | undefined, sums: Sums, peers: readonly PeerTotals[]): JobTotals {
  return {
    ...(dimensions !== undefined && { dimensions }),
    chunks: sums.chunks,
    localChunks: sums.local_chunks,
    inputBytes: sums.input_bytes,
    outputBytes: sums.output_bytes,
    computeMs: sums.compute_ms,
    transferMs: sums.transfer_ms,
    peerCount: sums.peer_count,
    peers
  }
}

const INSERT = `INSERT OR REPLACE INTO history (job_id, dimensions, chunks, local_chunks, input_bytes, output_bytes,
    compute_ms, transfer_ms, peer_count, peers)
  VALUES (:job_id, :dimensions, :chunks, :local_chunks, :input_bytes, :output_bytes, :compute_ms, :transfer_ms,
    :peer_count, :peers)`
const SUM_CHUNKS = `SELECT count(*) AS chunks, coalesce(sum(peer_id IS NULL), 0) AS local_chunks,
    coalesce(sum(input_bytes), 0) AS input_bytes, coalesce(sum(output_bytes), 0) AS output_bytes,
    total(compute_ms) AS compute_ms, total(transfer_ms) AS transfer_ms, count(DISTINCT peer_id) AS peer_count
  FROM chunks WHERE job_id = ? AND merged = 1`
const SUM_PEERS = `SELECT peer_id, max(peer_name) AS name, count(*) AS chunks, total(compute_ms) AS compute_ms,
    sum(input_bytes) AS input_bytes, sum(output_bytes) AS output_bytes
  FROM chunks WHERE job_id = ? AND merged = 1 AND peer_id IS NOT NULL
  GROUP BY peer_id ORDER BY count(*) DESC, peer_id LIMIT ?`
