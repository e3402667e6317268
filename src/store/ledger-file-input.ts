import { type FileHandle, open } from 'node:fs/promises'
import { createContentHasher } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { Database } from './database.ts'
import { LedgerInvalidError } from './ledger-file-reader.ts'

/** Bytes of the input read at a time. */
const READ_BYTES = 1024 * 1024

/** Which input belongs to which job of a ledger. */
export interface LedgerInput {
  /** The ledger's name in messages. */
  readonly path: string
  readonly inputPath: string
  /** Needed when the ledger has receipts of several jobs. */
  readonly jobId?: string | undefined
  readonly signal: AbortSignal
}

/**
 * Hashes the input's ranges again and compares them with what the workers signed.
 *
 * @returns the number of chunks that match
 * @throws LedgerInvalidError for the first that does not; SwarmError LEDGER_INPUT_AMBIGUOUS, INPUT_UNREADABLE
 */
export async function checkLedgerInput(database: Database, input: LedgerInput): Promise<number> {
  const job = findJob(database, input.jobId)
  if (job === undefined) return 0
  const file = await openInput(input.inputPath)
  try {
    const buffer = Buffer.alloc(READ_BYTES)
    const receipts = database.prepare(`SELECT chunk_index, worker, input_offset, input_bytes, input_hash FROM receipts
      WHERE submitter = ? AND job_id = ? ORDER BY input_offset, chunk_index`)
    let chunks = 0
    for (const row of receipts.iterate(job.submitter, job.jobId)) {
      const range = { offset: Number(row.input_offset), byteLength: Number(row.input_bytes) }
      const digest = await hashRange(file, range, buffer, input.signal)
      if (digest === undefined || !sameBytes(digest, row.input_hash as Uint8Array)) {
        throw new LedgerInvalidError(input.path, {
          part: 'receipt',
          byteOffset: range.offset,
          author: job.submitter,
          reason: `chunk ${row.chunk_index} of job ${job.jobId}, done by ${row.worker}, was made of other bytes than ${range.byteLength} at ${range.offset} of ${input.inputPath}`
        })
      }
      chunks++
    }
    return chunks
  } finally {
    await file.close()
  }
}

function findJob(database: Database, jobId: string | undefined): { submitter: string; jobId: string } | undefined {
  const where = jobId === undefined ? '' : 'WHERE job_id = :job'
  const parameters: Record<string, string> = jobId === undefined ? {} : { job: jobId }
  const [only, ...others] = database
    .prepare(`SELECT DISTINCT submitter, job_id FROM receipts ${where} LIMIT 2`)
    .all(parameters)
  if (others.length > 0) {
    throw new SwarmError(
      'LEDGER_INPUT_AMBIGUOUS',
      'the ledger has receipts of several jobs: name the one that the input belongs to',
      {
        exitCode: EXIT_CODES.usage
      }
    )
  }
  return only === undefined ? undefined : { submitter: String(only.submitter), jobId: String(only.job_id) }
}

async function openInput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new SwarmError('INPUT_UNREADABLE', `cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
}

/** @returns the content hash of a range, or undefined when the file ends within it. */
async function hashRange(
  file: FileHandle,
  range: { offset: number; byteLength: number },
  buffer: Buffer,
  signal: AbortSignal
): Promise<Uint8Array | undefined> {
  const hash = createContentHasher()
  const end = range.offset + range.byteLength
  for (let at = range.offset; at < end; ) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, end - at), at)
    if (bytesRead === 0) return undefined
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  return hash.digest()
}
