import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { Database } from './database.ts'
import { FeedTable } from './feed-table.ts'
import { formatHead, formatPair, formatRecord, formatTail, type LedgerContent, RECORD } from './ledger-file-format.ts'
import { isFault, readEntry } from './ledger-opened.ts'
import { LedgerReader } from './ledger-reader.ts'

/** Entries read from the database at a time. */
const PAGE_ENTRIES = 64
/** Bytes gathered before a write. */
const WRITE_BYTES = 256 * 1024

/** A record to be written. */
export interface LedgerRecord {
  readonly type: number
  readonly content: Uint8Array
}

/** How a ledger file is written. */
export interface WriteLedgerOptions {
  readonly signal: AbortSignal
}

/**
 * Writes one job's receipts and the entry that closes it, so that whoever gets the file can check who did what.
 *
 * @param receipts the receipts that the entry commits to, by chunk index
 */
export async function writeJobLedger(
  path: string,
  receipts: readonly Uint8Array[],
  closeEntry: Uint8Array,
  options: WriteLedgerOptions
): Promise<void> {
  await writeRecords(path, 'job', jobRecords(receipts, closeEntry), options.signal)
}

/**
 * Writes one job's receipts and the entry that closes it, from a database that may be open for reading only.
 *
 * @param options.submitter whose job, when several submitters used one job id
 * @throws SwarmError with code LEDGER_JOB_UNKNOWN when no close of it is known, LEDGER_JOB_AMBIGUOUS when several are,
 * LEDGER_INCOMPLETE when receipts are missing here
 */
export async function exportJobLedger(
  path: string,
  database: Database,
  jobId: string,
  options: WriteLedgerOptions & { readonly submitter?: string }
): Promise<{ readonly receipts: number }> {
  const reader = new LedgerReader(database)
  const submitter = findSubmitter(reader, jobId, options.submitter)
  const close = reader.closeEntry(submitter, jobId)
  if (close === undefined || !reader.isComplete(submitter, jobId)) {
    throw new SwarmError(
      'LEDGER_INCOMPLETE',
      `receipts of job ${jobId} by ${submitter} are missing here: connect to more of the swarm and try again`,
      { exitCode: EXIT_CODES.tryAgain }
    )
  }
  const receipts = reader.receipts(submitter, jobId)
  await writeJobLedger(path, receipts, close, options)
  return { receipts: receipts.length }
}

/** Writes all feeds and fork proofs that a database has; it may be open for reading only. */
export async function exportLedger(path: string, database: Database, options: WriteLedgerOptions): Promise<void> {
  await writeRecords(path, 'feeds', feedRecords(new FeedTable(database)), options.signal)
}

function findSubmitter(reader: LedgerReader, jobId: string, wanted: string | undefined): string {
  const submitters = reader.submittersOf(jobId)
  const found = wanted === undefined ? submitters : submitters.filter((submitter) => submitter === wanted)
  const [only] = found
  if (only === undefined) {
    throw new SwarmError('LEDGER_JOB_UNKNOWN', `the ledger here has no finished job ${jobId}`, {
      exitCode: EXIT_CODES.usage
    })
  }
  if (found.length > 1) {
    throw new SwarmError(
      'LEDGER_JOB_AMBIGUOUS',
      `${found.length} submitters closed a job ${jobId}: ${found.join(', ')}`,
      {
        exitCode: EXIT_CODES.usage
      }
    )
  }
  return only
}

function* jobRecords(receipts: readonly Uint8Array[], closeEntry: Uint8Array): Generator<LedgerRecord> {
  const close = readEntry(closeEntry)
  if (isFault(close)) throw new SwarmError('LEDGER_INVALID', `the entry that closes the job is none: ${close.fault}`)
  yield feedRecord(close.author)
  for (const content of receipts) yield { type: RECORD.receipt, content }
  yield { type: RECORD.entry, content: closeEntry }
}

/** By author and sequence, as of now: feeds only grow, so what is added meanwhile is simply left out. */
export function* feedRecords(feeds: FeedTable): Generator<LedgerRecord> {
  for (const { author, sequence } of feeds.heads()) {
    yield feedRecord(author)
    for (let from = 1; from <= sequence; from += PAGE_ENTRIES) {
      const limit = Math.min(PAGE_ENTRIES, sequence - from + 1)
      for (const content of feeds.entries(author, from, limit)) yield { type: RECORD.entry, content }
    }
  }
  for (const proof of feeds.forkProofs(-1)) yield { type: RECORD.fork, content: formatPair(proof) }
}

function feedRecord(author: string): LedgerRecord {
  return { type: RECORD.feed, content: new TextEncoder().encode(author) }
}

async function writeRecords(
  path: string,
  content: LedgerContent,
  records: Iterable<LedgerRecord>,
  signal: AbortSignal
): Promise<void> {
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`
  const file = await open(partial, 'wx')
  try {
    try {
      const output = new HashedOutput(file)
      await output.write(formatHead(content))
      let index = 0
      for (const record of records) {
        signal.throwIfAborted()
        await output.write(formatRecord(index, record.type, record.content))
        index++
      }
      await output.write(formatTail(index, output.digest()))
      await output.flush()
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** Gathers small writes, and hashes all that passes. */
class HashedOutput {
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.byteLength
    if (this.#gatheredBytes >= WRITE_BYTES) await this.flush()
  }

  /** @returns the SHA-256 of all that was written so far. */
  digest(): Uint8Array {
    return this.#hash.copy().digest()
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = []
    this.#gatheredBytes = 0
    // One write may take less than it was given.
    for (let at = 0; at < bytes.byteLength; ) at += (await this.#file.write(bytes, at)).bytesWritten
  }
}
