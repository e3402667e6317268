// Owns the checking of one ledger, record by record: what holds goes into a database, the first that does not is named.
import type { VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { sameBytes } from '../domain/bytes.ts'
import { placeEntry } from '../domain/feed.ts'
import type { Database } from './database.ts'
import { FeedIngest } from './feed-ingest.ts'
import { FeedTable } from './feed-table.ts'
import { type LedgerContent, RECORD, readPair } from './ledger-file-format.ts'
import { type FileRecord, type LedgerFault, LedgerInvalidError } from './ledger-file-reader.ts'
import {
  type Fault,
  isFault,
  type OpenedReceipt,
  openEntry,
  openReceipt,
  type ReadEntry,
  readEntry
} from './ledger-opened.ts'
import { LedgerReader } from './ledger-reader.ts'
import { ReceiptTable } from './ledger-receipts.ts'

/** A record of which everything was checked that can be, looking at it alone. */
type Opened =
  | { readonly read: ReadEntry; readonly receipts: readonly OpenedReceipt[] }
  | { readonly receipt: OpenedReceipt }
  | { readonly proof: readonly [Uint8Array, Uint8Array] }
  | Fault

/** Checks records in order. */
export class LedgerCheck {
  readonly #path: string
  readonly #content: LedgerContent
  readonly #database: Database
  readonly #verify: VerifySignature
  readonly #feeds: FeedTable
  readonly #receipts: ReceiptTable
  /** The entry before, from which a damaged one is named. */
  #before: { readonly author: string; readonly sequence: number } | undefined
  #chunkBefore = -1
  /** Whether the last record of a job's file was seen, which nothing may follow. */
  #closed = false

  constructor(path: string, content: LedgerContent, database: Database, verify: VerifySignature) {
    this.#path = path
    this.#content = content
    this.#database = database
    this.#verify = verify
    this.#feeds = new FeedTable(database)
    this.#receipts = new ReceiptTable(database)
  }

  /** Checks the next records. @throws LedgerInvalidError naming the first that is wrong */
  async records(records: readonly FileRecord[]): Promise<void> {
    // Signatures all at once, then the links between records in order.
    const opened = await Promise.all(records.map((record) => this.#open(record)))
    const keep = () => {
      for (const [index, record] of records.entries()) {
        const found = opened[index]
        if (found !== undefined) this.#keep(record, found)
      }
    }
    const proofs = records.filter(({ type, damage }) => type === RECORD.fork && damage === undefined)
    this.#database.transaction(keep, { durable: false })
    for (const record of proofs) await this.#keepProof(record)
  }

  /** All records are there. @throws LedgerInvalidError when a job's file does not hold exactly what its close commits to */
  finish(byteOffset: number): void {
    if (this.#content === 'feeds' || this.#closed) return
    const reason = 'the entry that closes the job is missing'
    throw new LedgerInvalidError(this.#path, { part: 'tail', byteOffset, reason })
  }

  async #open(record: FileRecord): Promise<Opened> {
    if (record.damage !== undefined) return { fault: record.damage }
    switch (record.type) {
      case RECORD.entry: {
        const read = readEntry(record.content)
        if (isFault(read)) return read
        const opened = await openEntry(read, this.#verify, (hash) => this.#receipts.has(hash))
        return isFault(opened) ? opened : { read, receipts: opened.receipts }
      }
      case RECORD.receipt: {
        const receipt = await openReceipt(record.content, this.#verify)
        return isFault(receipt) ? receipt : { receipt }
      }
      case RECORD.fork: {
        const proof = readPair(record.content)
        return proof === undefined ? { fault: 'it holds no two entries' } : { proof }
      }
      default:
        return { fault: `records of type ${record.type} are unknown to this program` }
    }
  }

  #keep(record: FileRecord, opened: Opened): void {
    if (isFault(opened)) throw this.#invalid(record, opened.fault)
    if (this.#closed) throw this.#invalid(record, 'it follows the entry that closes the job')
    if ('read' in opened && this.#content === 'job') this.#keepClose(record, opened.read)
    else if ('read' in opened) this.#keepEntry(record, opened)
    else if ('receipt' in opened) this.#keepReceipt(record, opened.receipt)
    else if (this.#content === 'job') throw this.#invalid(record, 'a job’s file holds no fork proofs')
  }

  #keepEntry(record: FileRecord, { read, receipts }: { read: ReadEntry; receipts: readonly OpenedReceipt[] }): void {
    const { author, entry, hash } = read
    const head = this.#feeds.head(author)
    const place = placeEntry(head, entry)
    if (place !== 'next') {
      const expected = (head?.sequence ?? 0) + 1
      const reason =
        place === 'other-branch'
          ? 'it does not follow the entry before it (their hashes differ)'
          : `its author's next entry should have sequence number ${expected}`
      throw this.#invalid(record, reason)
    }
    for (const receipt of receipts) this.#receipts.add(receipt)
    this.#feeds.add({ author, entry, hash, envelope: record.content })
    this.#before = { author, sequence: entry.sequence }
  }

  #keepReceipt(record: FileRecord, receipt: OpenedReceipt): void {
    const { submitter, chunkIndex } = receipt.record
    if (this.#content === 'feeds') throw this.#invalid(record, 'receipts stand in entries only, in an export')
    if (chunkIndex <= this.#chunkBefore) {
      throw this.#invalid(record, `chunk ${chunkIndex} comes after chunk ${this.#chunkBefore}`)
    }
    this.#chunkBefore = chunkIndex
    this.#before = { author: submitter, sequence: 0 }
    this.#receipts.add(receipt)
  }

  /** The Merkle root in the signed close covers every receipt before it, so none can be left out or added. */
  #keepClose(record: FileRecord, read: ReadEntry): void {
    const { body } = read.entry
    if (body.type !== 'job-close') throw this.#invalid(record, 'it closes no job')
    const { receipts, receiptsRoot } = new LedgerReader(this.#database).root(read.author, body.jobId)
    if (record.index !== receipts || body.receipts !== receipts) {
      throw this.#invalid(
        record,
        `it closes a job of ${body.receipts} receipts; ${receipts} of the ${record.index} here belong to it`
      )
    }
    if (!sameBytes(receiptsRoot, body.receiptsRoot)) {
      throw this.#invalid(record, 'its Merkle root is not that of the receipts before it')
    }
    this.#feeds.add(read)
    this.#closed = true
  }

  async #keepProof(record: FileRecord): Promise<void> {
    const proof = readPair(record.content)
    if (proof === undefined) return
    const kept = await new FeedIngest(this.#database, this.#verify, undefined).forkProof(proof)
    if (typeof kept !== 'boolean') throw this.#invalid(record, kept.reason)
  }

  #invalid(record: FileRecord, reason: string): LedgerInvalidError {
    const { index, byteOffset } = record
    return new LedgerInvalidError(this.#path, { ...this.#name(record), index, byteOffset, reason })
  }

  /** Names a record by what it says of itself where that fits its place, else by what should stand there. */
  #name({ type, content, damage }: FileRecord): Pick<LedgerFault, 'part' | 'author' | 'sequence'> {
    if (type === RECORD.tail) return { part: 'tail' }
    if (type === RECORD.fork && damage === undefined) return { part: 'fork' }
    const before = this.#before
    const read = readEntry(content)
    const said = isFault(read) ? undefined : { author: read.author, sequence: read.entry.sequence }
    if (this.#content === 'job') {
      if (said !== undefined) return { part: 'entry', ...said }
      return { part: 'receipt', ...(before === undefined ? {} : { author: before.author }) }
    }
    const fits = said !== undefined && (before === undefined || said.author === before.author || said.sequence === 1)
    if (said !== undefined && (fits || damage === undefined)) return { part: 'entry', ...said }
    if (before === undefined) return { part: 'entry', sequence: 1 }
    return { part: 'entry', author: before.author, sequence: before.sequence + 1 }
  }
}
