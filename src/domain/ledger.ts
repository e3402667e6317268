// Who did what, as two signatures prove it. A job is named by its submitter together with its id: a submitter can only
// ever give credit under its own name, so an id needs no proof of whose it is.
import { compareBytes } from './bytes.ts'
import type { PeerName } from './ids.ts'

/** A receipt with both its signatures checked, flat. */
export interface ReceiptRecord {
  /** SHA-256 of the receipt's envelope. */
  readonly hash: Uint8Array
  /** Who signed the receipt. */
  readonly submitter: PeerName
  /** Who signed the claim in it. */
  readonly worker: PeerName
  /** Who the worker says granted the lease. */
  readonly claimedSubmitter: string
  readonly workerName: string
  readonly jobId: string
  readonly chunkIndex: number
  readonly kind: string
  readonly unit: string
  readonly units: number
  readonly verification: string
  /** As claimed by the worker. */
  readonly computeMs: number
  readonly inputOffset: number
  readonly inputBytes: number
  readonly outputBytes: number
  /** BLAKE3 of the chunk's input. */
  readonly inputHash: Uint8Array
  /** Unix ms at the submitter. */
  readonly acceptedAtMs: number
}

/** @returns why a receipt is false though both its signatures are right, or undefined when it is sound. */
export function faultOfReceipt(record: ReceiptRecord): string | undefined {
  if (record.claimedSubmitter !== record.submitter) {
    return `its claim was made to ${record.claimedSubmitter}, but ${record.submitter} signed the receipt`
  }
  // Sums of many receipts stay exact enough, and no single one can turn them into infinity.
  if (record.units > Number.MAX_SAFE_INTEGER) return `${record.units} ${record.unit} are too many`
  if (record.computeMs > Number.MAX_SAFE_INTEGER) return `${record.computeMs} ms are too long`
  if (!Number.isSafeInteger(record.inputOffset + record.inputBytes)) return 'its input range ends beyond any file'
  return undefined
}

/** @returns whether a receipt may earn credit: work done for oneself earns none. */
export function canEarn(record: Pick<ReceiptRecord, 'submitter' | 'worker'>): boolean {
  return record.submitter !== record.worker
}

/**
 * Of several receipts for one (submitter, job, chunk), one earns: the earliest, by hash when they tie. So all peers agree,
 * in whatever order they learn of them.
 *
 * @returns whether `left` earns rather than `right`.
 */
export function earnsBefore(left: EarningOrder, right: EarningOrder): boolean {
  if (left.acceptedAtMs !== right.acceptedAtMs) return left.acceptedAtMs < right.acceptedAtMs
  return compareBytes(left.hash, right.hash) < 0
}

/** What decides which receipt earns. */
export type EarningOrder = Pick<ReceiptRecord, 'acceptedAtMs' | 'hash'>
