// Owns the ledger of a home while its process runs: this peer's feed, the others', their receipts and their forks.
// Driven by the app: receipts come from submitter and worker, entries from the ledger protocol.
import { ENTRY_BYTES_MAX, ENTRY_DOMAIN, ENTRY_TYPE } from '../../protocols/wire/constants.ts'
import { sealEnvelope } from '../../protocols/wire/envelope.ts'
import { encodeFeedEntry } from '../../protocols/wire/feed-entry.ts'
import type { FeedBody, Signer, VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { sameBytes } from '../domain/bytes.ts'
import { type FeedHead, type FeedRange, GENESIS_HASH } from '../domain/feed.ts'
import type { PeerName } from '../domain/ids.ts'
import { merkleRoot } from '../domain/merkle.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { Database } from './database.ts'
import { type EntryRefusal, FeedIngest, type IngestResult } from './feed-ingest.ts'
import { FeedTable, type ForkProof } from './feed-table.ts'
import { peerIdOf } from './identity.ts'
import { isFault, openReceipt } from './ledger-opened.ts'
import { OWN_FEED, ReceiptTable } from './ledger-receipts.ts'
import { sha256 } from './sha256.ts'

/** Receipts in one entry of this peer's own feed at most. */
export const RECEIPTS_PER_OWN_ENTRY = 32
/** Fork proofs handed out at most. */
export const FORK_PROOFS_MAX = 256
/** Bytes of an entry that are none of its receipts, with room to spare. */
const ENTRY_HEAD_BYTES = 1024

const TRUST: VerifySignature = async () => true

/** What the ledger tells the app. Called after the change is durable. */
export interface LedgerListener {
  /** Feeds grew: these are their new heads. */
  onHeads(heads: readonly FeedHead[]): void
  /** An author was caught with two entries at one sequence number. */
  onForkProof(proof: ForkProof): void
  /** Receipts wait to be written into this peer's feed. */
  onWaiting(): void
}

/** The end of a job, as its submitter records it. */
export type JobClose = Omit<Extract<FeedBody, { type: 'job-close' }>, 'type' | 'receiptsRoot' | 'receipts'>

/** The ledger of one home. */
export class LedgerStore {
  /** Peer id of this home, whose feed this process writes. */
  readonly self: PeerName
  readonly #database: Database
  readonly #signer: Signer
  readonly #verify: VerifySignature
  readonly #feeds: FeedTable
  readonly #receipts: ReceiptTable
  readonly #ingest: FeedIngest
  #listener: LedgerListener | undefined
  /** Ends when the last change to any feed has; changes run one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(database: Database, signer: Signer, verify: VerifySignature) {
    this.self = peerIdOf(signer.publicKey)
    this.#database = database
    this.#signer = signer
    this.#verify = verify
    this.#feeds = new FeedTable(database)
    this.#receipts = new ReceiptTable(database)
    this.#ingest = new FeedIngest(database, verify, this.self)
  }

  setListener(listener: LedgerListener | undefined): void {
    this.#listener = listener
  }

  /** One per author, by author. */
  heads(): readonly FeedHead[] {
    return this.#feeds.heads()
  }

  /** @returns envelopes of one author with sequence in [from, from + limit), as they were received. */
  entries(author: string, from: number, limit: number): readonly Uint8Array[] {
    return this.#feeds.entries(author, from, limit)
  }

  /** At most {@link FORK_PROOFS_MAX}. */
  forkProofs(): readonly ForkProof[] {
    return this.#feeds.forkProofs(FORK_PROOFS_MAX)
  }

  /**
   * Compares another peer's heads with what is here.
   *
   * @returns the ranges to pull from that peer: what is missing, and the one entry that would prove a fork. This peer's own
   * feed is among them when others know more of it (the home was restored from a backup): pull that before appending.
   */
  missing(heads: readonly FeedHead[]): readonly FeedRange[] {
    const ranges: FeedRange[] = []
    for (const { author, sequence, hash } of heads) {
      if (this.#feeds.isFrozen(author)) continue
      const known = this.#feeds.head(author)?.sequence ?? 0
      if (sequence > known) ranges.push({ author, from: known + 1, to: sequence })
      else {
        const ours = this.#feeds.hashAt(author, sequence)
        if (ours !== undefined && !sameBytes(ours, hash)) ranges.push({ author, from: sequence, to: sequence })
      }
    }
    return ranges
  }

  /**
   * Checks entries of any authors and keeps them, in order, up to the first that is refused. This peer's own entries are
   * adopted the same way.
   */
  ingest(envelopes: Iterable<Uint8Array>, options: { signal: AbortSignal }): Promise<IngestResult> {
    return this.#change(async () => {
      const result = await this.#ingest.run(envelopes, options)
      if (result.heads.length > 0) this.#listener?.onHeads(result.heads)
      if (result.forkProof !== undefined) this.#listener?.onForkProof(result.forkProof)
      return result
    })
  }

  /**
   * Checks another peer's fork proof, keeps it and freezes the author.
   *
   * @returns whether it was new, or why it proves nothing.
   */
  async ingestForkProof(proof: ForkProof): Promise<boolean | EntryRefusal> {
    const result = await this.#change(() => this.#ingest.forkProof(proof))
    if (result === true) this.#listener?.onForkProof(proof)
    return result
  }

  /**
   * Checks receipts that this peer earned or gave, counts them, and has them wait for this peer's feed. Ones known already
   * are fine.
   *
   * @param options.signedHere what this process has signed itself, or opened a moment ago: then those signatures are not
   * checked again, which is most of the work. `receipts` means receipts and claims, `claims` only the claims inside
   * @throws SwarmError with code RECEIPT_INVALID; then none of them is kept.
   */
  async keepReceipts(
    envelopes: readonly Uint8Array[],
    options: { signal: AbortSignal; signedHere?: 'receipts' | 'claims' }
  ): Promise<void> {
    const { signedHere } = options
    const verify = signedHere === 'receipts' ? TRUST : this.#verify
    const verifyClaim = signedHere === undefined ? this.#verify : TRUST
    const unknown = envelopes.filter((envelope) => !this.#receipts.has(sha256(envelope)))
    const opened = await Promise.all(unknown.map((envelope) => openReceipt(envelope, verify, verifyClaim)))
    options.signal.throwIfAborted()
    const sound = opened.map((receipt) => {
      const fault = isFault(receipt) ? receipt.fault : this.#faultOfOwner(receipt.record, signedHere === 'receipts')
      if (fault !== undefined || isFault(receipt)) throw new SwarmError('RECEIPT_INVALID', `receipt refused: ${fault}`)
      return receipt
    })
    // Not synced: the other party of each receipt has it too, and the entry that takes it in will be.
    this.#database.transaction(
      () => {
        for (const receipt of sound) this.#receipts.add(receipt)
        for (const envelope of envelopes) this.#receipts.setOwn(sha256(envelope), OWN_FEED.waiting)
      },
      { durable: false }
    )
    this.#listener?.onWaiting()
  }

  /**
   * Writes what waits into this peer's feed, in entries of at most {@link RECEIPTS_PER_OWN_ENTRY} receipts.
   *
   * @returns the number of entries written
   * @throws SwarmError with code FEED_FORKED when this peer's own feed has forked.
   */
  appendWaiting(options: { signal: AbortSignal }): Promise<number> {
    return this.#change(async () => {
      let entries = 0
      for (let waiting = this.#nextReceipts(); waiting.length > 0; waiting = this.#nextReceipts()) {
        options.signal.throwIfAborted()
        await this.#append({ type: 'receipts', receipts: waiting.map(({ envelope }) => envelope) }, () => {
          for (const { hash } of waiting) this.#receipts.setOwn(hash, OWN_FEED.written)
        })
        entries++
      }
      return entries
    })
  }

  /**
   * Ends a job in this peer's feed, after all its receipts. Doing so again with the same receipts and outcome adds nothing.
   *
   * @param receipts all receipts of the job, by chunk index
   * @returns the job-close entry's envelope
   * @throws SwarmError with code RECEIPT_INVALID, FEED_FORKED
   */
  async closeJob(
    close: JobClose,
    receipts: readonly Uint8Array[],
    options: { signal: AbortSignal }
  ): Promise<Uint8Array> {
    await this.keepReceipts(receipts, options)
    await this.appendWaiting(options)
    const receiptsRoot = merkleRoot(receipts, sha256)
    return this.#change(async () => {
      const sequence = this.#feeds.sequenceOfClose(this.self, close.jobId, close.outcome, receiptsRoot)
      const known = sequence === undefined ? undefined : this.#feeds.entries(this.self, sequence, 1)[0]
      return known ?? (await this.#append({ ...close, type: 'job-close', receiptsRoot, receipts: receipts.length }))
    })
  }

  #nextReceipts(): readonly { readonly hash: Uint8Array; readonly envelope: Uint8Array }[] {
    let room = ENTRY_BYTES_MAX - ENTRY_HEAD_BYTES
    const waiting = this.#receipts.waiting(RECEIPTS_PER_OWN_ENTRY)
    // A protobuf field takes up to four bytes more than its content here.
    const end = waiting.findIndex(({ envelope }) => {
      room -= envelope.byteLength + 4
      return room < 0
    })
    return end < 0 ? waiting : waiting.slice(0, end)
  }

  async #append(body: FeedBody, within: () => void = () => undefined): Promise<Uint8Array> {
    if (this.#feeds.isFrozen(this.self)) throw this.#forked()
    const head = this.#feeds.head(this.self)
    const entry = { sequence: (head?.sequence ?? 0) + 1, previousHash: head?.hash ?? GENESIS_HASH, body }
    const envelope = await sealEnvelope(ENTRY_DOMAIN, ENTRY_TYPE, encodeFeedEntry(entry), this.#signer)
    const hash = sha256(envelope)
    // Synced before anybody hears of it: an entry that a power cut took back would be written again with other content.
    this.#database.transaction(
      () => {
        this.#feeds.add({ author: this.self, hash, entry, envelope })
        within()
      },
      { durable: true }
    )
    this.#listener?.onHeads([{ author: this.self, sequence: entry.sequence, hash }])
    return envelope
  }

  #change<T>(body: () => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(body, body)
    this.#lastChange = change
    return change
  }

  #faultOfOwner(
    { worker, submitter }: { worker: PeerName; submitter: PeerName },
    signedHere: boolean
  ): string | undefined {
    if (submitter === this.self || (worker === this.self && !signedHere)) return undefined
    return `${submitter} gave it to ${worker}, and this peer is ${this.self}`
  }

  #forked(): SwarmError {
    return new SwarmError(
      'FEED_FORKED',
      `the feed of this peer (${this.self}) has forked, as when one identity runs in two homes: this home can earn and give no more credit; start a new home with --home`,
      { exitCode: EXIT_CODES.verificationFailed }
    )
  }
}
