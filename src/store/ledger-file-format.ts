// The ledger file: a head, records one after the other, a tail. All numbers big-endian.
//
//   head    8 bytes "SWARMLGR", version u8, content u8 (1 feeds, 2 one job), check
//   record  type u8, length u32, content, check        index counts records from 0
//           types: 1 entry, 2 receipt, 3 fork proof, 4 feed (the peer id whose records follow)
//   tail    type 0xff, length 40, record count u64, SHA-256 of all bytes before the tail, check
//
// A check is the first 16 bytes of SHA-256 over (index u64, the record's bytes before the check); the head's index is
// 2^53 - 1. So each record shows damage by itself, and the tail shows that none is missing. Damage is all that checks
// show: against a forger there are the signatures.
import { SwarmError } from '../errors.ts'
import { sha256 } from './sha256.ts'

/** Bytes of the head. */
export const HEAD_BYTES = 26
/** Bytes of the check after each record. */
export const CHECK_BYTES = 16
/** Bytes before a record's content. */
export const RECORD_HEAD_BYTES = 5
/** Longest content of a record: a fork proof, which is two entries. */
export const RECORD_BYTES_MAX = 128 * 1024
/** Bytes of the tail's content. */
export const TAIL_CONTENT_BYTES = 40
/** Bytes of the whole tail. */
export const TAIL_BYTES = RECORD_HEAD_BYTES + TAIL_CONTENT_BYTES + CHECK_BYTES

/** Types of records. Frozen: append only. */
export const RECORD = { entry: 1, receipt: 2, fork: 3, feed: 4, tail: 0xff } as const
/**
 * What a file holds. `feeds`: whole feeds, then fork proofs. `job`: one job's receipts, then its job-close entry. A feed, and
 * a job, starts with a record that holds the peer id of its author, so that a damaged one among them can be named.
 */
export const CONTENT = { feeds: 1, job: 2 } as const

/** One of the keys of {@link CONTENT}. */
export type LedgerContent = keyof typeof CONTENT

const MAGIC = new TextEncoder().encode('SWARMLGR')
const VERSION = 1
const HEAD_INDEX = Number.MAX_SAFE_INTEGER

/** @returns the head of a file. */
export function formatHead(content: LedgerContent): Uint8Array {
  const head = Buffer.from([...MAGIC, VERSION, CONTENT[content]])
  return Buffer.concat([head, checkOf(HEAD_INDEX, head)])
}

/** @returns what the file holds, or why it is no ledger file. */
export function readHead(bytes: Uint8Array): LedgerContent | { readonly fault: string } {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) return { fault: 'it does not start as a ledger file does' }
  const head = bytes.subarray(0, HEAD_BYTES - CHECK_BYTES)
  if (Buffer.compare(bytes.subarray(head.byteLength), checkOf(HEAD_INDEX, head)) !== 0)
    return { fault: 'its head is damaged' }
  if (bytes[MAGIC.byteLength] !== VERSION) {
    return { fault: `it has version ${bytes[MAGIC.byteLength]}, this program reads ${VERSION}` }
  }
  const number = bytes[MAGIC.byteLength + 1]
  if (number === CONTENT.feeds) return 'feeds'
  return number === CONTENT.job ? 'job' : { fault: `it holds content ${number}, unknown to this program` }
}

/** @returns the bytes of one record. */
export function formatRecord(index: number, type: number, content: Uint8Array): Uint8Array {
  if (content.byteLength > RECORD_BYTES_MAX) {
    throw new SwarmError(
      'LEDGER_RECORD_TOO_LONG',
      `a ledger record has ${content.byteLength} bytes, at most ${RECORD_BYTES_MAX}`
    )
  }
  const head = Buffer.alloc(RECORD_HEAD_BYTES)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(content.byteLength, 1)
  const record = Buffer.concat([head, content])
  return Buffer.concat([record, checkOf(index, record)])
}

/** @returns the bytes of the tail. */
export function formatTail(recordCount: number, digest: Uint8Array): Uint8Array {
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(recordCount))
  return formatRecord(recordCount, RECORD.tail, Buffer.concat([count, digest]))
}

/** @returns type and content of one record, which the bytes hold exactly, or undefined when it is damaged. */
export function readRecord(
  index: number,
  bytes: Uint8Array
): { readonly type: number; readonly content: Uint8Array } | undefined {
  const end = bytes.byteLength - CHECK_BYTES
  const check = checkOf(index, bytes.subarray(0, end))
  if (Buffer.compare(bytes.subarray(end), check) !== 0) return undefined
  return { type: bytes[0] ?? 0, content: bytes.slice(RECORD_HEAD_BYTES, end) }
}

/** @returns two envelopes as the content of one record. */
export function formatPair([first, second]: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(first.byteLength)
  return Buffer.concat([length, first, second])
}

/** @returns the two envelopes of {@link formatPair}, or undefined when the content is too short for them. */
export function readPair(content: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  if (content.byteLength < 4) return undefined
  const end = 4 + new DataView(content.buffer, content.byteOffset).getUint32(0)
  return end > content.byteLength ? undefined : [content.subarray(4, end), content.subarray(end)]
}

function checkOf(index: number, bytes: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64BE(BigInt(index))
  return sha256(Buffer.concat([prefix, bytes])).subarray(0, CHECK_BYTES)
}
