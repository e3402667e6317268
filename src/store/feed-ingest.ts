import type { VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { sameBytes } from '../domain/bytes.ts'
import { type FeedHead, type FeedRange, placeEntry } from '../domain/feed.ts'
import type { PeerName } from '../domain/ids.ts'
import type { Database } from './database.ts'
import { FeedTable, type ForkProof } from './feed-table.ts'
import { isFault, type OpenedReceipt, openEntry, openForkProof, type ReadEntry, readEntry } from './ledger-opened.ts'
import { OWN_FEED, ReceiptTable } from './ledger-receipts.ts'
import { sha256 } from './sha256.ts'

/** Entries checked at a time and written in one transaction. */
export const INGEST_BATCH = 32

/** Why an entry is not kept. */
export interface EntryRefusal {
  readonly code: 'malformed' | 'invalid' | 'gap' | 'frozen' | 'forked'
  readonly reason: string
  readonly author?: string
  readonly sequence?: number
  /** What to pull first from the same peer. */
  readonly need?: FeedRange
}

/** What became of a run of entries. */
export interface IngestResult {
  /** Entries kept. */
  readonly accepted: number
  /** Entries that were here already. */
  readonly known: number
  /** New heads of the feeds that grew. */
  readonly heads: readonly FeedHead[]
  /** Why the first refused entry was refused; what came after it was not looked at. */
  readonly refusal?: EntryRefusal
  /** Set when an entry proved that its author forked. */
  readonly forkProof?: ForkProof
}

type Heads = Map<string, Pick<FeedHead, 'sequence' | 'hash'>>
interface Step {
  readonly read: ReadEntry
  readonly receipts: readonly OpenedReceipt[]
}

/** Checks others' entries and writes them. One run at a time; {@link LedgerStore} sees to that. */
export class FeedIngest {
  readonly #database: Database
  readonly #verify: VerifySignature
  readonly #self: PeerName | undefined
  readonly #feeds: FeedTable
  readonly #receipts: ReceiptTable

  /** @param self the peer whose entries count as its own feed's, if any */
  constructor(database: Database, verify: VerifySignature, self: PeerName | undefined) {
    this.#database = database
    this.#verify = verify
    this.#self = self
    this.#feeds = new FeedTable(database)
    this.#receipts = new ReceiptTable(database)
  }

  /** Keeps entries in order, up to the first that is refused. */
  async run(envelopes: Iterable<Uint8Array>, options: { signal: AbortSignal }): Promise<IngestResult> {
    let accepted = 0
    let known = 0
    const heads = new Map<string, FeedHead>()
    const result = () => ({ accepted, known, heads: [...heads.values()] })
    for (const batch of batches(envelopes, INGEST_BATCH)) {
      options.signal.throwIfAborted()
      const placed = this.#place(batch)
      const checked = await this.#check(placed.entries)
      this.#write(checked.steps)
      accepted += checked.steps.length
      known += placed.known
      for (const { read } of checked.steps) heads.set(read.author, headOf(read))
      if (checked.refusal !== undefined) return { ...result(), refusal: checked.refusal }
      if (placed.stop !== undefined) return { ...result(), ...(await this.#settle(placed.stop)) }
    }
    return result()
  }

  /** Checks a fork proof and freezes the author. @returns whether it was new */
  async forkProof(proof: ForkProof): Promise<boolean | EntryRefusal> {
    const opened = await openForkProof(proof, this.#verify)
    if (isFault(opened)) return { code: 'invalid', reason: opened.fault }
    const { author, sequence } = opened
    return this.#database.transaction(() => this.#feeds.addForkProof(author, sequence, proof), { durable: true })
  }

  /** Takes the entries that continue their feeds, up to the first that does not. Checks no signatures yet. */
  #place(batch: readonly Uint8Array[]): {
    readonly entries: readonly ReadEntry[]
    readonly known: number
    readonly stop?: EntryRefusal | ReadEntry
  } {
    const heads: Heads = new Map()
    const entries: ReadEntry[] = []
    let known = 0
    for (const envelope of batch) {
      const read = readEntry(envelope)
      if (isFault(read)) return { entries, known, stop: { code: 'malformed', reason: read.fault } }
      const { author, hash, entry } = read
      const head = heads.get(author) ?? this.#feeds.head(author)
      const place = placeEntry(head, entry)
      if (place === 'known' && this.#hasSame(read, entries)) known++
      else if (place === 'known') return { entries, known, stop: read }
      else if (this.#feeds.isFrozen(author)) {
        return { entries, known, stop: refuse(read, 'frozen', 'its author has forked, and is frozen since') }
      } else if (place === 'next') {
        entries.push(read)
        heads.set(author, { sequence: entry.sequence, hash })
      } else return { entries, known, stop: refuseMissing(read, place, head?.sequence ?? 0) }
    }
    return { entries, known }
  }

  #hasSame({ author, hash, entry }: ReadEntry, placed: readonly ReadEntry[]): boolean {
    const ours = this.#feeds.hashAt(author, entry.sequence)
    if (ours !== undefined) return sameBytes(ours, hash)
    return placed.some((other) => other.author === author && sameBytes(other.hash, hash))
  }

  async #check(
    entries: readonly ReadEntry[]
  ): Promise<{ readonly steps: readonly Step[]; readonly refusal?: EntryRefusal }> {
    const isKnown = (hash: Uint8Array): boolean => this.#receipts.has(hash)
    const opened = await Promise.all(entries.map((read) => openEntry(read, this.#verify, isKnown)))
    const steps: Step[] = []
    for (const [index, read] of entries.entries()) {
      const found = opened[index]
      if (found === undefined) break
      if (isFault(found)) return { steps, refusal: refuse(read, 'invalid', found.fault) }
      steps.push({ read, receipts: found.receipts })
    }
    return { steps }
  }

  #write(steps: readonly Step[]): void {
    if (steps.length === 0) return
    const ownAdopted = steps.some(({ read }) => read.author === this.#self)
    this.#database.transaction(
      () => {
        for (const { read, receipts } of steps) {
          for (const receipt of receipts) this.#receipts.add(receipt)
          this.#feeds.add(read)
          if (read.author === this.#self) this.#markOwn(read)
        }
      },
      // Others' entries can be pulled again after a power cut; this peer's own must not be forgotten once adopted.
      { durable: ownAdopted }
    )
  }

  #markOwn({ entry }: ReadEntry): void {
    if (entry.body.type !== 'receipts') return
    for (const envelope of entry.body.receipts) this.#receipts.setOwn(sha256(envelope), OWN_FEED.written)
  }

  /** An entry that another one already stands in the place of: a fork, if its author really signed it. */
  async #settle(stop: EntryRefusal | ReadEntry): Promise<{ refusal: EntryRefusal; forkProof?: ForkProof }> {
    if ('code' in stop) return { refusal: stop }
    const ours = this.#feeds.entries(stop.author, stop.entry.sequence, 1)[0]
    if (ours === undefined) return { refusal: refuse(stop, 'malformed', 'it comes twice, and differently, in one run') }
    const proof: ForkProof = [ours, stop.envelope]
    const isNew = await this.forkProof(proof)
    if (typeof isNew !== 'boolean') return { refusal: isNew }
    const refusal = refuse(stop, 'forked', 'its author signed another entry at this sequence number')
    return { refusal, ...(isNew ? { forkProof: proof } : {}) }
  }
}

function headOf({ author, hash, entry }: ReadEntry): FeedHead {
  return { author, sequence: entry.sequence, hash }
}

function refuse({ author, entry }: ReadEntry, code: EntryRefusal['code'], reason: string): EntryRefusal {
  return { code, reason, author, sequence: entry.sequence }
}

function refuseMissing(read: ReadEntry, place: 'gap' | 'other-branch', known: number): EntryRefusal {
  const { author, entry } = read
  if (place === 'gap') {
    const need = { author, from: known + 1, to: entry.sequence - 1 }
    return { ...refuse(read, 'gap', `entries ${need.from} to ${need.to} before it are missing`), need }
  }
  if (known === 0) return refuse(read, 'invalid', 'the first entry of a feed names an entry before it')
  const need = { author, from: known, to: known }
  return { ...refuse(read, 'gap', `it follows another entry ${known} than the one known here`), need }
}

function* batches(envelopes: Iterable<Uint8Array>, size: number): Generator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = []
  for (const envelope of envelopes) {
    batch.push(envelope)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
