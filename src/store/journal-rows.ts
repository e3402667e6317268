import { type PeerName, peerName } from '../domain/ids.ts'
import type { JobOptions, JobSpec, JobState } from '../domain/job.ts'
import type { JournalChunk, JournalJob, MergedChunk, SinkCheckpoint } from '../domain/journal.ts'

/** A row of the table `jobs`. */
export interface JobRow {
  readonly spec: string
  readonly params: Uint8Array
  readonly options: string
  readonly state: string
  readonly incarnation: number
  readonly opened_at_ms: number
  readonly closed_at_ms: number | null
  readonly input_modified_ms: number
  readonly sealing_key: Uint8Array | null
  readonly sealing_iv: Uint8Array | null
  readonly checkpoint_chunks: number | null
  readonly checkpoint_plain_bytes: number | null
  readonly checkpoint_file_bytes: number | null
  readonly checkpoint_digest: Uint8Array | null
  readonly checkpoint_tail: Uint8Array | null
  readonly releases: number
  readonly duplicates: number
  readonly ran_ms: number
  readonly failure_code: string | null
  readonly failure_message: string | null
  readonly summary: string | null
}

/** A row of the table `chunks`. */
export interface ChunkRow {
  readonly chunk_index: number
  readonly input_offset: number
  readonly input_bytes: number
  readonly output_offset: number
  readonly output_bytes: number
  readonly epoch: number
  readonly attempts: number
  readonly merged: number
  readonly peer_id: string | null
  readonly peer_name: string | null
  readonly compute_ms: number | null
  readonly transfer_ms: number | null
  readonly output_hash: Uint8Array | null
  readonly receipt: Uint8Array | null
}

/** @returns a spec as text; its params travel beside it, as bytes. */
export function specToText(spec: JobSpec): string {
  const { params: _, ...rest } = spec
  return JSON.stringify(rest)
}

/** @returns the job of a row, which only this program writes. */
export function jobFromRow(row: JobRow): JournalJob {
  const spec = { ...(JSON.parse(row.spec) as Omit<JobSpec, 'params'>), params: row.params }
  const checkpoint = checkpointFromRow(row)
  return {
    spec,
    options: JSON.parse(row.options) as JobOptions,
    state: row.state as JobState,
    incarnation: row.incarnation,
    openedAtMs: row.opened_at_ms,
    inputModifiedMs: row.input_modified_ms,
    releases: row.releases,
    duplicates: row.duplicates,
    ranMs: row.ran_ms,
    ...(row.closed_at_ms === null ? {} : { closedAtMs: row.closed_at_ms }),
    ...(row.sealing_key === null || row.sealing_iv === null
      ? {}
      : { sealing: { key: row.sealing_key, iv: row.sealing_iv } }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(row.failure_code === null ? {} : { failure: { code: row.failure_code, message: row.failure_message ?? '' } }),
    ...(row.summary === null ? {} : { summary: row.summary })
  }
}

/** @returns the chunk of a row, which only this program writes. */
export function chunkFromRow(row: ChunkRow): JournalChunk {
  return {
    chunkIndex: row.chunk_index,
    inputOffset: row.input_offset,
    inputBytes: row.input_bytes,
    outputOffset: row.output_offset,
    outputBytes: row.output_bytes,
    epoch: row.epoch,
    attempts: row.attempts,
    ...(row.merged === 1 ? { merged: mergedFromRow(row) } : {})
  }
}

function mergedFromRow(row: ChunkRow): MergedChunk {
  const peerId: PeerName | undefined = row.peer_id === null ? undefined : peerName(row.peer_id)
  return {
    chunkIndex: row.chunk_index,
    computeMs: row.compute_ms ?? 0,
    transferMs: row.transfer_ms ?? 0,
    ...(peerId === undefined ? {} : { peerId }),
    ...(row.peer_name === null ? {} : { peerName: row.peer_name }),
    ...(row.output_hash === null ? {} : { outputHash: row.output_hash }),
    ...(row.receipt === null ? {} : { receipt: row.receipt })
  }
}

function checkpointFromRow(row: JobRow): SinkCheckpoint | undefined {
  if (row.checkpoint_chunks === null || row.checkpoint_digest === null) return undefined
  return {
    chunkCount: row.checkpoint_chunks,
    plainBytes: row.checkpoint_plain_bytes ?? 0,
    fileBytes: row.checkpoint_file_bytes ?? 0,
    digest: row.checkpoint_digest,
    tail: row.checkpoint_tail ?? new Uint8Array(0)
  }
}
