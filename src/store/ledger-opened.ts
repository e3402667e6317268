// Opens what peers signed. A fault of theirs is a returned value; what `verify` throws is a fault of ours and rises.
import {
  CLAIM_DOMAIN,
  CLAIM_TYPE,
  ENTRY_DOMAIN,
  ENTRY_TYPE,
  RECEIPT_DOMAIN,
  RECEIPT_TYPE
} from '../../protocols/wire/constants.ts'
import { decodeEnvelope, openEnvelope } from '../../protocols/wire/envelope.ts'
import { decodeFeedEntry } from '../../protocols/wire/feed-entry.ts'
import { decodeClaim, decodeReceipt } from '../../protocols/wire/receipt.ts'
import type { FeedEntry, VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { WireError } from '../../protocols/wire/wire-error.ts'
import { sameBytes } from '../domain/bytes.ts'
import type { PeerName } from '../domain/ids.ts'
import { faultOfReceipt, type ReceiptRecord } from '../domain/ledger.ts'
import { peerIdOf } from './identity.ts'
import { sha256 } from './sha256.ts'

/** A receipt that is sound, with its bytes as they came. */
export interface OpenedReceipt {
  readonly record: ReceiptRecord
  readonly envelope: Uint8Array
}

/** An entry whose form is right; nothing is verified yet. */
export interface ReadEntry {
  readonly author: PeerName
  readonly hash: Uint8Array
  readonly entry: FeedEntry
  readonly envelope: Uint8Array
}

/** Why something that a peer signed, or seems to have signed, does not count. */
export interface Fault {
  readonly fault: string
}

/** @returns whether this is a fault rather than what was asked for. */
export function isFault<T extends object>(value: T | Fault): value is Fault {
  return 'fault' in value
}

/** Takes an untrusted entry apart, without its signature and its receipts. */
export function readEntry(envelope: Uint8Array): ReadEntry | Fault {
  try {
    const { publicKey, payload } = decodeEnvelope(envelope)
    return { author: peerIdOf(publicKey), hash: sha256(envelope), entry: decodeFeedEntry(payload), envelope }
  } catch (error) {
    return faultOf(error)
  }
}

/**
 * Checks an entry's signature and all that it holds.
 *
 * @param isKnown whether the receipt with this hash was found sound before, so that its signatures need no second check
 * @returns its receipts that were not known
 */
export async function openEntry(
  read: ReadEntry,
  verify: VerifySignature,
  isKnown: (receiptHash: Uint8Array) => boolean
): Promise<{ readonly receipts: readonly OpenedReceipt[] } | Fault> {
  try {
    await openEnvelope(read.envelope, ENTRY_DOMAIN, verify, { payloadType: ENTRY_TYPE })
  } catch (error) {
    return faultOf(error)
  }
  const { body } = read.entry
  if (body.type === 'job-close') return { receipts: [] }
  const unknown = body.receipts.filter((envelope) => !isKnown(sha256(envelope)))
  const opened = await Promise.all(unknown.map((envelope) => openReceipt(envelope, verify)))
  const receipts: OpenedReceipt[] = []
  for (const [index, receipt] of opened.entries()) {
    if (isFault(receipt)) return { fault: `receipt ${index} in it: ${receipt.fault}` }
    const { worker, submitter } = receipt.record
    // A feed tells what its author did or accepted; others' receipts are in others' feeds.
    if (read.author !== worker && read.author !== submitter)
      return { fault: `receipt ${index} in it is not its author's` }
    receipts.push(receipt)
  }
  return { receipts }
}

/**
 * Checks both signatures of an untrusted receipt, and that its fields agree.
 *
 * @param verifyClaim for the claim inside, when that needs another check than the receipt
 */
export async function openReceipt(
  envelope: Uint8Array,
  verify: VerifySignature,
  verifyClaim: VerifySignature = verify
): Promise<OpenedReceipt | Fault> {
  try {
    const outer = await openEnvelope(envelope, RECEIPT_DOMAIN, verify, { payloadType: RECEIPT_TYPE })
    const receipt = decodeReceipt(outer.payload)
    const inner = await openEnvelope(receipt.claim, CLAIM_DOMAIN, verifyClaim, { payloadType: CLAIM_TYPE })
    const claim = decodeClaim(inner.payload)
    const record: ReceiptRecord = {
      hash: sha256(envelope),
      submitter: peerIdOf(outer.publicKey),
      worker: peerIdOf(inner.publicKey),
      claimedSubmitter: claim.submitter,
      workerName: claim.workerName,
      jobId: claim.jobId,
      chunkIndex: claim.chunkIndex,
      kind: receipt.kind,
      unit: receipt.unit,
      units: receipt.units,
      verification: receipt.verification,
      computeMs: claim.computeMs,
      inputOffset: receipt.inputOffset,
      inputBytes: claim.inputBytes,
      outputBytes: claim.outputBytes,
      inputHash: claim.inputHash,
      acceptedAtMs: receipt.acceptedAtMs
    }
    const fault = faultOfReceipt(record)
    return fault === undefined ? { record, envelope } : { fault }
  } catch (error) {
    return faultOf(error)
  }
}

/** Checks that two untrusted entries are by one author, at one sequence number, and both really signed. */
export async function openForkProof(
  proof: readonly [Uint8Array, Uint8Array],
  verify: VerifySignature
): Promise<{ readonly author: PeerName; readonly sequence: number } | Fault> {
  const first = readEntry(proof[0])
  const second = readEntry(proof[1])
  if (isFault(first)) return first
  if (isFault(second)) return second
  const { author, entry, hash } = first
  if (author !== second.author || entry.sequence !== second.entry.sequence || sameBytes(hash, second.hash)) {
    return { fault: 'its entries are not two of one author at one sequence number' }
  }
  for (const read of [first, second]) {
    // The receipts inside do not matter: signing two entries is the offence.
    const opened = await openEntry(read, verify, () => true)
    if (isFault(opened)) return opened
  }
  return { author, sequence: entry.sequence }
}

function faultOf(error: unknown): Fault {
  if (error instanceof WireError) return { fault: error.message }
  throw error
}
