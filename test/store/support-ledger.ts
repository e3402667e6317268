import {
  CLAIM_DOMAIN,
  CLAIM_TYPE,
  ENTRY_DOMAIN,
  ENTRY_TYPE,
  RECEIPT_DOMAIN,
  RECEIPT_TYPE
} from '../../protocols/wire/constants.ts'
import { sealEnvelope } from '../../protocols/wire/envelope.ts'
import { encodeFeedEntry } from '../../protocols/wire/feed-entry.ts'
import { encodeClaim, encodeReceipt } from '../../protocols/wire/receipt.ts'
import type { Claim, FeedEntry, Receipt } from '../../protocols/wire/receipt-types.ts'
import { openDatabase } from '../../src/store/database.ts'
import { LedgerStore } from '../../src/store/ledger-store.ts'
import { createSigner, createVerifier } from '../../src/store/notary.ts'
import { sha256 } from '../../src/store/sha256.ts'
import { testIdentity } from './support-identity.ts'
import { testJobId } from './support-journal.ts'

/** One verifier for all tests of a file. */
export const verify = createVerifier()

/** A signal that never aborts. */
export const UNTIL_DONE = { signal: new AbortController().signal }

/** What a test receipt says; the rest is the same in all. */
export interface ReceiptOptions {
  readonly submitter?: string
  readonly worker?: string
  readonly chunkIndex?: number
  readonly claim?: Partial<Claim>
  readonly receipt?: Partial<Omit<Receipt, 'claim'>>
}

/** @returns a receipt envelope that the named peers signed. */
export async function makeReceipt(options: ReceiptOptions = {}): Promise<Uint8Array> {
  const { submitter = 'submitter', worker = 'worker', chunkIndex = 0 } = options
  const claim: Claim = {
    jobId: testJobId('a'),
    chunkIndex,
    epoch: 1,
    incarnation: 1,
    submitter: testIdentity(submitter).peerId,
    workerName: `the ${worker}`,
    kernelId: 'invert/1',
    inputHash: sha256(Uint8Array.of(chunkIndex)),
    outputHash: sha256(Uint8Array.of(chunkIndex, 1)),
    inputBytes: 400,
    outputBytes: 400,
    computeMs: 2.5,
    ...options.claim
  }
  const receipt: Receipt = {
    claim: await sealEnvelope(CLAIM_DOMAIN, CLAIM_TYPE, encodeClaim(claim), createSigner(testIdentity(worker))),
    kind: 'invert',
    inputOffset: chunkIndex * 400,
    units: 100,
    unit: 'samples',
    verification: 'full',
    acceptedAtMs: 1_700_000_000_000 + chunkIndex,
    ...options.receipt
  }
  return sealEnvelope(RECEIPT_DOMAIN, RECEIPT_TYPE, encodeReceipt(receipt), createSigner(testIdentity(submitter)))
}

/** @returns receipts for chunks 0 to `count` - 1. */
export async function makeReceipts(count: number, options: ReceiptOptions = {}): Promise<Uint8Array[]> {
  return Promise.all(Array.from({ length: count }, (_, chunkIndex) => makeReceipt({ ...options, chunkIndex })))
}

/** @returns an entry envelope that the named peer signed, whatever it says. */
export function makeEntry(author: string, entry: FeedEntry): Promise<Uint8Array> {
  return sealEnvelope(ENTRY_DOMAIN, ENTRY_TYPE, encodeFeedEntry(entry), createSigner(testIdentity(author)))
}

/** @returns the ledger of the named peer in a database of its own. */
export function openLedger(
  name: string,
  path = ''
): { ledger: LedgerStore; database: ReturnType<typeof openDatabase> } {
  const database = openDatabase(path)
  return { ledger: new LedgerStore(database, createSigner(testIdentity(name)), verify), database }
}

/** @returns all entries that a ledger has, by author. */
export function allEntries(ledger: LedgerStore): Uint8Array[] {
  return ledger.heads().flatMap(({ author, sequence }) => [...ledger.entries(author, 1, sequence)])
}

/** @returns what closes the test job. */
export function jobClose(): Parameters<LedgerStore['closeJob']>[0] {
  return {
    jobId: testJobId('a'),
    outcome: 'done',
    kind: 'invert',
    inputBytes: 4_000,
    chunks: 10,
    localChunks: 3,
    localUnits: 300,
    closedAtMs: 1_700_000_001_000
  }
}
