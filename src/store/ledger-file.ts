// Verifies a ledger offline. What holds is written into a temporary database by the same code that keeps the home's
// ledger, so the summary of a file counts exactly as the home does, in bounded memory.
import type { VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { type Database, openDatabase } from './database.ts'
import { FeedTable } from './feed-table.ts'
import { LedgerCheck } from './ledger-check.ts'
import type { LedgerContent } from './ledger-file-format.ts'
import { checkLedgerInput } from './ledger-file-input.ts'
import { type FileRecord, LedgerFile } from './ledger-file-reader.ts'
import { feedRecords } from './ledger-file-writer.ts'
import { LedgerReader, type LedgerSummary } from './ledger-reader.ts'

/** Records whose signatures are checked at a time. */
const WINDOW_RECORDS = 64

/** A ledger that holds. */
export interface VerifiedLedger {
  /** `feeds`: an export, or a home. `job`: one job's receipts. */
  readonly content: LedgerContent
  readonly summary: LedgerSummary
  /** Chunks whose input was read again and matches; absent without an input file. */
  readonly inputChunks?: number
}

/** How to verify a ledger. */
export interface VerifyLedgerOptions {
  readonly verify: VerifySignature
  readonly signal: AbortSignal
  /** The job's input: each receipt's range of it is hashed and compared with what the worker signed. */
  readonly inputPath?: string
  /** Which job the input belongs to, when the ledger has several. */
  readonly jobId?: string
}

/**
 * Verifies every signature, link and root in a ledger file.
 *
 * @throws LedgerInvalidError (code LEDGER_INVALID) naming the first wrong part; SwarmError LEDGER_UNREADABLE,
 * LEDGER_INPUT_AMBIGUOUS, INPUT_UNREADABLE
 */
export async function verifyLedgerFile(path: string, options: VerifyLedgerOptions): Promise<VerifiedLedger> {
  const file = await LedgerFile.open(path)
  try {
    return await verifyRecords({ path, content: file.content, records: file.records(options) }, options)
  } finally {
    await file.close()
  }
}

/** Verifies all that a home's database holds, in the same way. @throws as {@link verifyLedgerFile} */
export async function verifyStoredLedger(database: Database, options: VerifyLedgerOptions): Promise<VerifiedLedger> {
  return await verifyRecords({ path: database.path, content: 'feeds', records: storedRecords(database) }, options)
}

/** Stored entries have no place in a file, so their offset is 0. */
function* storedRecords(database: Database): Generator<FileRecord> {
  for (const record of feedRecords(new FeedTable(database))) yield { ...record, byteOffset: 0 }
}

async function verifyRecords(
  ledger: { path: string; content: LedgerContent; records: Iterable<FileRecord> | AsyncIterable<FileRecord> },
  options: VerifyLedgerOptions
): Promise<VerifiedLedger> {
  const { path, content } = ledger
  const { inputPath, jobId, signal } = options
  using database = openDatabase('')
  const check = new LedgerCheck(path, content, database, options.verify)
  let window: FileRecord[] = []
  let end = 0
  for await (const record of ledger.records) {
    signal.throwIfAborted()
    window.push(record)
    end = record.byteOffset
    if (window.length < WINDOW_RECORDS && record.damage === undefined) continue
    await check.records(window)
    window = []
  }
  await check.records(window)
  check.finish(end)
  const chunks =
    inputPath === undefined ? undefined : await checkLedgerInput(database, { path, inputPath, jobId, signal })
  const summary = new LedgerReader(database).summary()
  return { content, summary, ...(chunks === undefined ? {} : { inputChunks: chunks }) }
}
