import type { StatementSync } from 'node:sqlite'
import { isFinalState } from '../domain/events.ts'
import { type JobId, type PeerName, parseJobId, peerName } from '../domain/ids.ts'
import type { Chunk, JobState } from '../domain/job.ts'
import type { Journal, JournalChunk, JournalJob, MergedChunk, SinkCheckpoint } from '../domain/journal.ts'
import { SwarmError } from '../errors.ts'
import type { Database } from './database.ts'
import { HistoryStore } from './history.ts'
import { type ChunkRow, chunkFromRow, type JobRow, jobFromRow, specToText } from './journal-rows.ts'

/** Jobs that {@link JournalStore.list} returns at most, newest first. */
export const JOBS_LISTED_MAX = 1_000

/**
 * The journal in SQLite. What must not be lost in a power cut (a job's opening and end, its incarnation, what is merged)
 * is synced; grants and counters are not: a chunk is merged in a later, synced transaction of the same log, and after a
 * power cut the incarnation has risen, so no epoch can be taken for an older one.
 */
export class JournalStore implements Journal {
  /** What became of the jobs; written as they end. */
  readonly history: HistoryStore
  readonly #database: Database
  readonly #statements: Statements

  constructor(database: Database) {
    this.#database = database
    this.history = new HistoryStore(database)
    this.#statements = prepareStatements(database)
  }

  create(job: JournalJob): void {
    this.#write(true, () => {
      const { jobId } = job.spec
      this.#statements.insertJob.run({
        job_id: jobId,
        spec: specToText(job.spec),
        params: job.spec.params,
        options: JSON.stringify(job.options),
        state: job.state,
        incarnation: job.incarnation,
        opened_at_ms: job.openedAtMs,
        closed_at_ms: job.closedAtMs ?? null,
        input_modified_ms: job.inputModifiedMs,
        sealing_key: job.sealing?.key ?? null,
        sealing_iv: job.sealing?.iv ?? null,
        releases: job.releases,
        duplicates: job.duplicates,
        ran_ms: job.ranMs,
        failure_code: job.failure?.code ?? null,
        failure_message: job.failure?.message ?? null,
        summary: job.summary ?? null
      })
      if (job.checkpoint !== undefined) this.#writeCheckpoint(jobId, job.checkpoint)
    })
  }

  get(jobId: JobId): JournalJob | undefined {
    const row = this.#statements.selectJob.get(jobId) as unknown as JobRow | undefined
    return row === undefined ? undefined : jobFromRow(row)
  }

  /** Newest first, at most {@link JOBS_LISTED_MAX}. */
  list(): readonly JournalJob[] {
    return (this.#statements.selectJobs.all(JOBS_LISTED_MAX) as unknown as JobRow[]).map(jobFromRow)
  }

  /** @returns ids of the jobs whose id starts with the text, at most `limit`; so that people need not type all of it. */
  find(prefix: string, limit: number): readonly JobId[] {
    const ids: JobId[] = []
    for (const row of this.#statements.findJobs.all(prefix, limit)) {
      const jobId = parseJobId(String(row.job_id))
      if (jobId !== undefined) ids.push(jobId)
    }
    return ids
  }

  reopen(jobId: JobId): number {
    return this.#write(true, () => {
      const row = this.#statements.reopenJob.get(jobId)
      if (row === undefined) throw unknownJob(jobId)
      return Number(row.incarnation)
    })
  }

  chunks(jobId: JobId): readonly JournalChunk[] {
    return (this.#statements.selectChunks.all(jobId) as unknown as ChunkRow[]).map(chunkFromRow)
  }

  grant(jobId: JobId, chunks: readonly (Chunk & { readonly epoch: number; readonly attempts: number })[]): void {
    this.#write(false, () => {
      for (const chunk of chunks) {
        this.#statements.grantChunk.run({
          job_id: jobId,
          chunk_index: chunk.chunkIndex,
          input_offset: chunk.inputOffset,
          input_bytes: chunk.inputBytes,
          output_offset: chunk.outputOffset,
          output_bytes: chunk.outputBytes,
          epoch: chunk.epoch,
          attempts: chunk.attempts
        })
      }
    })
  }

  merge(jobId: JobId, merged: readonly MergedChunk[], checkpoint: SinkCheckpoint | undefined): void {
    this.#write(true, () => {
      for (const chunk of merged) {
        const { changes } = this.#statements.mergeChunk.run({
          job_id: jobId,
          chunk_index: chunk.chunkIndex,
          peer_id: chunk.peerId ?? null,
          peer_name: chunk.peerName ?? null,
          compute_ms: chunk.computeMs,
          transfer_ms: chunk.transferMs,
          output_hash: chunk.outputHash ?? null,
          receipt: chunk.receipt ?? null
        })
        if (changes !== 1) {
          throw new SwarmError(
            'JOURNAL_CHUNK_UNKNOWN',
            `chunk ${chunk.chunkIndex} of job ${jobId} was merged but never cut`
          )
        }
      }
      if (checkpoint !== undefined) this.#writeCheckpoint(jobId, checkpoint)
    })
  }

  /** Takes back chunks that a re-check found missing from the output, so that they are computed again. */
  unmerge(jobId: JobId, chunkIndexes: readonly number[], checkpoint: SinkCheckpoint | undefined): void {
    this.#write(true, () => {
      for (const chunkIndex of chunkIndexes) this.#statements.unmergeChunk.run(jobId, chunkIndex)
      if (checkpoint === undefined) this.#statements.clearCheckpoint.run(jobId)
      else this.#writeCheckpoint(jobId, checkpoint)
    })
  }

  count(jobId: JobId, added: { releases?: number; duplicates?: number; ranMs?: number }): void {
    this.#write(false, () => {
      const { changes } = this.#statements.addCounts.run({
        job_id: jobId,
        releases: added.releases ?? 0,
        duplicates: added.duplicates ?? 0,
        ran_ms: added.ranMs ?? 0
      })
      if (changes !== 1) throw unknownJob(jobId)
    })
  }

  close(
    jobId: JobId,
    state: JobState,
    details: { failure?: { code: string; message: string }; summary?: string }
  ): void {
    const final = isFinalState(state)
    this.#write(true, () => {
      const { changes } = this.#statements.closeJob.run({
        job_id: jobId,
        state,
        closed_at_ms: Date.now(),
        failure_code: details.failure?.code ?? null,
        failure_message: details.failure?.message ?? null,
        summary: details.summary ?? null
      })
      const job = changes === 1 ? this.get(jobId) : undefined
      if (job === undefined) throw unknownJob(jobId)
      if (!final) return
      this.#statements.dropKey.run(jobId)
      this.history.record(job.spec)
    })
    // The key's page may still lie in the log.
    if (final) this.#database.checkpoint()
  }

  receipts(jobId: JobId): readonly Uint8Array[] {
    return this.#statements.selectReceipts.all(jobId).map((row) => row.receipt as Uint8Array)
  }

  addTraffic(jobId: JobId, peerId: PeerName, name: string, bytesIn: number, bytesOut: number): void {
    this.#write(false, () => {
      this.#statements.addTraffic.run({ job_id: jobId, peer_id: peerId, name, bytes_in: bytesIn, bytes_out: bytesOut })
    })
  }

  traffic(jobId: JobId): readonly { peerId: PeerName; name: string; bytesIn: number; bytesOut: number }[] {
    return this.#statements.selectTraffic.all(jobId).map((row) => ({
      peerId: peerName(String(row.peer_id)),
      name: String(row.name),
      bytesIn: Number(row.bytes_in),
      bytesOut: Number(row.bytes_out)
    }))
  }

  #write<T>(durable: boolean, body: () => T): T {
    return this.#database.transaction(body, { durable })
  }

  #writeCheckpoint(jobId: JobId, checkpoint: SinkCheckpoint): void {
    this.#statements.setCheckpoint.run({
      job_id: jobId,
      chunks: checkpoint.chunkCount,
      plain_bytes: checkpoint.plainBytes,
      file_bytes: checkpoint.fileBytes,
      digest: checkpoint.digest,
      tail: checkpoint.tail
    })
  }
}

type Statements = Record<keyof typeof SQL, StatementSync>

function prepareStatements(database: Database): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Statements
}

function unknownJob(jobId: JobId): SwarmError {
  return new SwarmError('JOB_UNKNOWN', `this home has no job ${jobId}`)
}

const SQL = {
  insertJob: `INSERT INTO jobs (job_id, spec, params, options, state, incarnation, opened_at_ms, closed_at_ms,
      input_modified_ms, sealing_key, sealing_iv, releases, duplicates, ran_ms, failure_code, failure_message, summary)
    VALUES (:job_id, :spec, :params, :options, :state, :incarnation, :opened_at_ms, :closed_at_ms,
      :input_modified_ms, :sealing_key, :sealing_iv, :releases, :duplicates, :ran_ms, :failure_code, :failure_message, :summary)`,
  selectJob: 'SELECT * FROM jobs WHERE job_id = ?',
  selectJobs: 'SELECT * FROM jobs ORDER BY opened_at_ms DESC, job_id LIMIT ?',
  findJobs: 'SELECT job_id FROM jobs WHERE substr(job_id, 1, length(?1)) = ?1 ORDER BY opened_at_ms DESC LIMIT ?2',
  reopenJob: `UPDATE jobs SET incarnation = incarnation + 1, state = 'open', closed_at_ms = NULL, failure_code = NULL,
      failure_message = NULL WHERE job_id = ? RETURNING incarnation`,
  selectChunks: 'SELECT * FROM chunks WHERE job_id = ? ORDER BY chunk_index',
  // A cut is never changed; an epoch never falls.
  grantChunk: `INSERT INTO chunks (job_id, chunk_index, input_offset, input_bytes, output_offset, output_bytes, epoch, attempts)
    VALUES (:job_id, :chunk_index, :input_offset, :input_bytes, :output_offset, :output_bytes, :epoch, :attempts)
    ON CONFLICT DO UPDATE SET epoch = max(epoch, excluded.epoch), attempts = excluded.attempts`,
  mergeChunk: `UPDATE chunks SET merged = 1, peer_id = :peer_id, peer_name = :peer_name, compute_ms = :compute_ms,
      transfer_ms = :transfer_ms, output_hash = :output_hash, receipt = :receipt
    WHERE job_id = :job_id AND chunk_index = :chunk_index`,
  unmergeChunk: `UPDATE chunks SET merged = 0, peer_id = NULL, peer_name = NULL, compute_ms = NULL, transfer_ms = NULL,
      output_hash = NULL, receipt = NULL WHERE job_id = ? AND chunk_index = ?`,
  setCheckpoint: `UPDATE jobs SET checkpoint_chunks = :chunks, checkpoint_plain_bytes = :plain_bytes,
      checkpoint_file_bytes = :file_bytes, checkpoint_digest = :digest, checkpoint_tail = :tail WHERE job_id = :job_id`,
  clearCheckpoint: `UPDATE jobs SET checkpoint_chunks = NULL, checkpoint_plain_bytes = NULL, checkpoint_file_bytes = NULL,
      checkpoint_digest = NULL, checkpoint_tail = NULL WHERE job_id = ?`,
  addCounts: `UPDATE jobs SET releases = releases + :releases, duplicates = duplicates + :duplicates,
      ran_ms = ran_ms + :ran_ms WHERE job_id = :job_id`,
  closeJob: `UPDATE jobs SET state = :state, closed_at_ms = :closed_at_ms, failure_code = :failure_code,
      failure_message = :failure_message, summary = :summary WHERE job_id = :job_id`,
  dropKey: 'UPDATE jobs SET sealing_key = NULL, sealing_iv = NULL WHERE job_id = ?',
  selectReceipts: 'SELECT receipt FROM chunks WHERE job_id = ? AND receipt IS NOT NULL ORDER BY chunk_index',
  addTraffic: `INSERT INTO traffic (job_id, peer_id, name, bytes_in, bytes_out)
    VALUES (:job_id, :peer_id, :name, :bytes_in, :bytes_out)
    ON CONFLICT DO UPDATE SET name = excluded.name, bytes_in = bytes_in + excluded.bytes_in,
      bytes_out = bytes_out + excluded.bytes_out`,
  selectTraffic: 'SELECT * FROM traffic WHERE job_id = ? ORDER BY peer_id'
}
