import { ENTRY_BYTES_MAX, LABEL_BYTES_MAX, RECEIPT_BYTES_MAX, RECEIPTS_PER_ENTRY_MAX } from './constants.ts'
import {
  checkAmount,
  checkBytes,
  checkCount,
  checkHash,
  checkJobId,
  checkKnown,
  checkText,
  checkUint,
  parseMessage
} from './fields.ts'
import type { JobCloseBody } from './pb/feed-entry.ts'
import { FeedEntry as EntryMessage, JobOutcome } from './pb/feed-entry.ts'
import type { FeedBody, FeedEntry } from './receipt-types.ts'
import { WireError } from './wire-error.ts'

type JobClose = Extract<FeedBody, { type: 'job-close' }>

const OUTCOMES: ReadonlyMap<JobOutcome, JobClose['outcome']> = new Map([
  [JobOutcome.DONE, 'done'],
  [JobOutcome.FAILED, 'failed'],
  [JobOutcome.CANCELLED, 'cancelled']
])
const OUTCOME_NUMBERS = new Map([...OUTCOMES].map(([number, name]) => [name, number]))

/** Encodes an entry, the payload of an entry envelope. @throws WireError MESSAGE_MALFORMED when a field is out of range */
export function encodeFeedEntry(entry: FeedEntry): Uint8Array {
  const body = checkBody(entry.body)
  const bytes = EntryMessage.encode({
    sequence: checkUint('entry.sequence', entry.sequence, { min: 1 }),
    previousHash: new Uint8Array(checkHash('entry.previousHash', entry.previousHash)),
    ...(body.type === 'receipts'
      ? { receipts: { receipts: body.receipts.map((receipt) => new Uint8Array(receipt)) } }
      : { jobClose: toMessage(body) })
  })
  checkBytes('entry', bytes, { max: ENTRY_BYTES_MAX })
  return bytes
}

/** Decodes and checks an entry; the receipts inside stay closed. @throws WireError MESSAGE_MALFORMED */
export function decodeFeedEntry(bytes: Uint8Array): FeedEntry {
  checkBytes('entry', bytes, { max: ENTRY_BYTES_MAX })
  const limits = { receipts: { receipts: RECEIPTS_PER_ENTRY_MAX } }
  const message = parseMessage('entry', () => EntryMessage.decode(bytes, { limits }))
  return {
    sequence: checkUint('entry.sequence', message.sequence, { min: 1 }),
    previousHash: checkHash('entry.previousHash', message.previousHash),
    body: checkBody(fromMessage(message))
  }
}

function toMessage(body: JobClose): JobCloseBody {
  return {
    jobId: body.jobId,
    outcome: checkKnown('entry.outcome', body.outcome, OUTCOME_NUMBERS),
    kind: body.kind,
    inputBytes: body.inputBytes,
    chunks: body.chunks,
    localChunks: body.localChunks,
    localUnits: body.localUnits,
    receiptsRoot: new Uint8Array(body.receiptsRoot),
    receipts: body.receipts,
    closedAtMs: body.closedAtMs
  }
}

function fromMessage(message: EntryMessage): FeedBody {
  if (message.receipts !== undefined) return { type: 'receipts', receipts: message.receipts.receipts }
  const close = message.jobClose
  if (close === undefined) throw new WireError('MESSAGE_MALFORMED', 'entry: expected a body of a known type')
  return {
    type: 'job-close',
    jobId: close.jobId,
    outcome: checkKnown('entry.outcome', close.outcome, OUTCOMES),
    kind: close.kind,
    inputBytes: checkUint('entry.inputBytes', close.inputBytes),
    chunks: checkUint('entry.chunks', close.chunks),
    localChunks: checkUint('entry.localChunks', close.localChunks),
    localUnits: close.localUnits,
    receiptsRoot: close.receiptsRoot,
    receipts: checkUint('entry.receiptCount', close.receipts),
    closedAtMs: checkUint('entry.closedAtMs', close.closedAtMs)
  }
}

function checkBody(body: FeedBody): FeedBody {
  if (body.type === 'receipts') {
    checkCount('entry.receipts', body.receipts, RECEIPTS_PER_ENTRY_MAX)
    if (body.receipts.length === 0) throw new WireError('MESSAGE_MALFORMED', 'entry.receipts: expected at least one')
    for (const receipt of body.receipts) checkBytes('entry.receipt', receipt, { min: 1, max: RECEIPT_BYTES_MAX })
    return body
  }
  checkJobId('entry.jobId', body.jobId)
  checkText('entry.kind', body.kind, LABEL_BYTES_MAX)
  checkUint('entry.inputBytes', body.inputBytes)
  checkUint('entry.chunks', body.chunks)
  checkUint('entry.localChunks', body.localChunks, { max: body.chunks })
  checkAmount('entry.localUnits', body.localUnits)
  checkHash('entry.receiptsRoot', body.receiptsRoot)
  checkUint('entry.receiptCount', body.receipts)
  checkUint('entry.closedAtMs', body.closedAtMs)
  return body
}
