// Owns the checking of one ledger, record by record: what holds goes into a database, the first that does not is named.
import type { VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { sameBytes } from '../domain/bytes.ts'
import { placeEntry } from '../domain/feed.ts'
import type { Database } from './database.ts'
import { FeedTable, type ForkProof } from './feed-table.ts'
import { type LedgerContent, RECORD, readPair } from './ledger-file-format.ts'
import { type FileRecord, type LedgerFault, LedgerInvalidError } from './ledger-file-reader.ts'
import {
  type Fault,
  isFault,
  type OpenedReceipt,
  openEntry,
  openForkProof,
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
  | { readonly proof: ForkProof; readonly author: string; readonly sequence: number }
  | { readonly feedOf: string }
  | Fault

/** Checks records in order. */
export class LedgerCheck {
  readonly #path: string
  readonly #content: LedgerContent
  readonly #database: Database
  readonly #verify: VerifySignature
  readonly #feeds: FeedTable
  readonly #receipts: ReceiptTable
  /** Whose feed, or job, the records belong to. */
  #author: string | undefined
  /** Entries, receipts and fork proofs so far. */
  #items = 0
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
    this.#database.transaction(keep, { durable: false })
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
        if (proof === undefined) return { fault: 'it holds no two entries' }
        const opened = await openForkProof(proof, this.#verify)
        return isFault(opened) ? opened : { ...opened, proof }
      }
      case RECORD.feed:
        return { feedOf: Buffer.from(record.content).toString() }
      default:
        return { fault: `records of type ${record.type} are unknown to this program` }
    }
  }

  #keep(record: FileRecord, opened: Opened): void {
    if (isFault(opened)) throw this.#invalid(record, opened.fault)
    if (this.#closed) throw this.#invalid(record, 'it follows the entry that closes the job')
    if ('feedOf' in opened) {
      this.#author = opened.feedOf
      return
    }
    if ('read' in opened && this.#author !== opened.read.author) {
      throw this.#invalid(
        record,
        `it stands in the feed of ${this.#author ?? 'nobody'}, but ${opened.read.author} signed it`
      )
    }
    if ('read' in opened && this.#content === 'job') this.#keepClose(record, opened.read)
    else if ('read' in opened) this.#keepEntry(record, opened)
    else if ('receipt' in opened) this.#keepReceipt(record, opened.receipt)
    else if (this.#content === 'job') throw this.#invalid(record, 'a job’s file holds no fork proofs')
    else this.#feeds.addForkProof(opened.author, opened.sequence, opened.proof)
    this.#items++
  }

  #keepEntry(record: FileRecord, { read, receipts }: { read: ReadEntry; receipts: readonly OpenedReceipt[] }): void {
    const { author, entry, hash } = read
    const place = placeEntry(this.#feeds.head(author), entry)
    if (place !== 'next') {
      const reason =
        place === 'other-branch'
          ? 'it does not follow the entry before it (their hashes differ)'
          : `its author's next entry should have sequence number ${this.#nextSequence(author)}, it has ${entry.sequence}`
      throw this.#invalid(record, reason)
    }
    for (const receipt of receipts) this.#receipts.add(receipt)
    this.#feeds.add({ author, entry, hash, envelope: record.content })
  }

  #keepReceipt(record: FileRecord, receipt: OpenedReceipt): void {
    const { chunkIndex } = receipt.record
    if (this.#content === 'feeds') throw this.#invalid(record, 'receipts stand in entries only, in an export')
    if (chunkIndex <= this.#chunkBefore) {
      throw this.#invalid(record, `chunk ${chunkIndex} comes after chunk ${this.#chunkBefore}`)
    }
    this.#chunkBefore = chunkIndex
    this.#receipts.add(receipt)
  }

  /** The Merkle root in the signed close covers every receipt before it, so none can be left out or added. */
  #keepClose(record: FileRecord, read: ReadEntry): void {
    const { body } = read.entry
    if (body.type !== 'job-close') throw this.#invalid(record, 'it closes no job')
    const { receipts, receiptsRoot } = new LedgerReader(this.#database).root(read.author, body.jobId)
    if (this.#items !== receipts || body.receipts !== receipts) {
      throw this.#invalid(
        record,
        `it closes a job of ${body.receipts} receipts; ${receipts} of the ${this.#items} here belong to it`
      )
    }
    if (!sameBytes(receiptsRoot, body.receiptsRoot)) {
      throw this.#invalid(record, 'its Merkle root is not that of the receipts before it')
    }
    this.#feeds.add(read)
    this.#closed = true
  }

  #invalid(record: FileRecord, reason: string): LedgerInvalidError {
    const { byteOffset } = record
    return new LedgerInvalidError(this.#path, { ...this.#name(record), byteOffset, reason })
  }

  /** Names a record by its place, which damage cannot change, rather than by what it says of itself. */
  #name({ type, content, damage }: FileRecord): Pick<LedgerFault, 'part' | 'index' | 'author' | 'sequence'> {
    if (type === RECORD.tail) return { part: 'tail' }
    const index = this.#items
    if (type === RECORD.fork && (damage === undefined || readPair(content) !== undefined))
      return { part: 'fork', index }
    const author = this.#author
    if (author === undefined || (type === RECORD.feed && damage !== undefined)) return { part: 'feed', index }
    if (this.#content === 'feeds') return { part: 'entry', index, author, sequence: this.#nextSequence(author) }
    const read = type === RECORD.receipt ? undefined : readEntry(content)
    if (read === undefined || isFault(read)) return { part: type === RECORD.entry ? 'entry' : 'receipt', index, author }
    return { part: 'entry', index, author, sequence: read.entry.sequence }
  }

  #nextSequence(author: string): number {
    return (this.#feeds.head(author)?.sequence ?? 0) + 1
  }
}
