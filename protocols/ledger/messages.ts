import { ENTRY_BYTES_MAX } from '../wire/constants.ts'
import { checkBytes, checkCount, checkHash, checkKnown, checkPeerId, checkUint, parseMessage } from '../wire/fields.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { HEADS_PER_MESSAGE_MAX, PULL_ENTRIES_MAX, PULL_READ_ENTRIES } from './constants.ts'
import { ExchangePart, type Head, LedgerGossip, LedgerRequest, PullPart } from './pb/ledger.ts'
import type { FeedHead } from './types.ts'

/** Two entry envelopes at one sequence number. */
export type ForkProof = readonly [Uint8Array, Uint8Array]

/** Entries of one author with sequence in [from, to]. */
export interface EntryRange {
  readonly author: string
  readonly from: number
  readonly to: number
}

/** What gossip carries. */
export type GossipMessage =
  | { readonly type: 'heads'; readonly heads: readonly FeedHead[] }
  | { readonly type: 'fork'; readonly proof: ForkProof }

/** What a side of an exchange sends: heads, the two envelopes of each fork proof one after the other, and the end. */
export type ExchangeMessage =
  | { readonly type: 'heads'; readonly heads: readonly FeedHead[] }
  | { readonly type: 'fork-entry'; readonly entry: Uint8Array }
  | { readonly type: 'end' }

/** What a stream's opener asks for. */
export type LedgerAsk = { readonly type: 'exchange' } | ({ readonly type: 'pull' } & EntryRange)

/** A part of the answer to one ask for entries. */
export interface EntriesPart {
  readonly entries: readonly Uint8Array[]
  readonly last: boolean
}

const REFUSAL_CODES: ReadonlyMap<number, RefusalCode> = new Map(Object.values(RefusalCode).map((code) => [code, code]))

/** @throws WireError MESSAGE_MALFORMED when a field of our own message is out of range. */
export function encodeGossip(message: GossipMessage): Uint8Array {
  if (message.type === 'heads') return LedgerGossip.encode({ heads: checkHeads(message.heads) })
  const [first, second] = message.proof
  return LedgerGossip.encode({ heads: [], fork: { first: checkEntry(first), second: checkEntry(second) } })
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED */
export function parseGossip(bytes: Uint8Array): GossipMessage {
  const limits = { heads: HEADS_PER_MESSAGE_MAX }
  const { heads, fork } = parseMessage('ledger gossip', () => LedgerGossip.decode(bytes, { limits }))
  if ((heads.length === 0) === (fork === undefined)) throw malformed('ledger gossip: expected heads or a fork proof')
  if (fork === undefined) return { type: 'heads', heads: checkHeads(heads) }
  return { type: 'fork', proof: [checkEntry(fork.first), checkEntry(fork.second)] }
}

/** @throws WireError MESSAGE_MALFORMED when a field of our own message is out of range. */
export function encodeExchange(message: ExchangeMessage): Uint8Array {
  switch (message.type) {
    case 'heads':
      return ExchangePart.encode({ heads: checkHeads(message.heads), end: false })
    case 'fork-entry':
      return ExchangePart.encode({ heads: [], forkEntry: checkEntry(message.entry), end: false })
    case 'end':
      return ExchangePart.encode({ heads: [], end: true })
  }
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED */
export function parseExchange(bytes: Uint8Array): ExchangeMessage {
  const limits = { heads: HEADS_PER_MESSAGE_MAX }
  const { heads, forkEntry, end } = parseMessage('ledger exchange', () => ExchangePart.decode(bytes, { limits }))
  if (Number(heads.length > 0) + Number(forkEntry !== undefined) + Number(end) !== 1) {
    throw malformed('ledger exchange: expected exactly one of heads, a fork entry and the end')
  }
  if (end) return { type: 'end' }
  if (forkEntry !== undefined) return { type: 'fork-entry', entry: checkEntry(forkEntry) }
  return { type: 'heads', heads: checkHeads(heads) }
}

/** @throws WireError REFUSED with `rangeInvalid` when the range is empty, or longer than one pull may name. */
export function encodeAsk(ask: LedgerAsk): Uint8Array {
  if (ask.type === 'exchange') return LedgerRequest.encode({ exchange: {} })
  const { author, from, to } = ask
  if (!isEntryRange(ask)) {
    throw new WireError('REFUSED', `pull: no such range, ${from} to ${to}`, { refusal: RefusalCode.rangeInvalid })
  }
  return LedgerRequest.encode({ pull: { author: checkPeerId('author', author), from, to } })
}

/** Takes untrusted bytes. The range is checked apart, by {@link isEntryRange}. @throws WireError MESSAGE_MALFORMED */
export function parseAsk(bytes: Uint8Array): LedgerAsk {
  const { exchange, pull } = parseMessage('ledger request', () => LedgerRequest.decode(bytes))
  if ((exchange === undefined) === (pull === undefined)) throw malformed('ledger request: expected exactly one body')
  if (pull === undefined) return { type: 'exchange' }
  return { type: 'pull', author: checkPeerId('author', pull.author), from: pull.from, to: pull.to }
}

/** Whether a pull may name this range. */
export function isEntryRange(range: EntryRange): boolean {
  const { from, to } = range
  return (
    Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 1 && to >= from && to - from < PULL_ENTRIES_MAX
  )
}

/** @throws WireError MESSAGE_MALFORMED when our own entries are too long or too many. */
export function encodeEntries(part: EntriesPart): Uint8Array {
  return PullPart.encode({ entries: checkEntries(part.entries), refusal: 0, last: part.last })
}

/** A whole answer that is a refusal. */
export function encodeRefusal(refusal: RefusalCode): Uint8Array {
  return PullPart.encode({ entries: [], refusal, last: true })
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED; REFUSED with the other side's code */
export function parseEntries(bytes: Uint8Array): EntriesPart {
  const limits = { entries: PULL_READ_ENTRIES }
  const { entries, refusal, last } = parseMessage('ledger entries', () => PullPart.decode(bytes, { limits }))
  if (refusal === 0) return { entries: checkEntries(entries), last }
  const code = checkKnown('refusal', refusal, REFUSAL_CODES)
  throw new WireError('REFUSED', `pull refused with code ${code}`, { refusal: code })
}

function checkHeads(heads: readonly FeedHead[]): Head[] {
  checkCount('heads', heads, HEADS_PER_MESSAGE_MAX)
  return heads.map(({ author, sequence, hash }) => ({
    author: checkPeerId('head.author', author),
    sequence: checkUint('head.sequence', sequence, { min: 1 }),
    hash: asWritten(checkHash('head.hash', hash))
  }))
}

function checkEntries(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  return checkCount('entries', entries, PULL_READ_ENTRIES).map(checkEntry)
}

function checkEntry(entry: Uint8Array): Uint8Array<ArrayBuffer> {
  return asWritten(checkBytes('entry', entry, { min: 1, max: ENTRY_BYTES_MAX }))
}

// The generated codec writes any Uint8Array, but is typed more narrowly; no copy for that.
function asWritten(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}

function malformed(message: string): WireError {
  return new WireError('MESSAGE_MALFORMED', message)
}
