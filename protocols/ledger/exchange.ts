import type { ControlCodec, ControlStream } from '../wire/control-stream.ts'
import { WireError } from '../wire/wire-error.ts'
import { FORK_PROOFS_PER_EXCHANGE_MAX, HEADS_PER_EXCHANGE_MAX, HEADS_PER_MESSAGE_MAX } from './constants.ts'
import { type ExchangeMessage, encodeExchange, type ForkProof, parseExchange } from './messages.ts'
import type { FeedHead, LedgerHandler } from './types.ts'

/** Bytes as they are: what a message means depends on what the stream was opened for. */
export const BYTES_CODEC: ControlCodec<Uint8Array, Uint8Array> = {
  decode: (bytes) => bytes,
  encode: (bytes) => bytes
}

/** A ledger stream, at either end. */
export type LedgerControl = ControlStream<Uint8Array, Uint8Array>

/** What one side of an exchange has. */
export interface Exchanged {
  readonly heads: readonly FeedHead[]
  readonly forkProofs: readonly ForkProof[]
}

interface Waiting {
  readonly signal: AbortSignal
  readonly timeoutMs?: number
}

/**
 * Sends what this side has while it reads what the other one has; the same at both ends.
 * @returns what the other side has
 * @throws WireError STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED, LIMIT_EXCEEDED
 */
export async function exchangeBoth(
  control: LedgerControl,
  handler: LedgerHandler | undefined,
  waiting: Waiting
): Promise<Exchanged> {
  const [, exchanged] = await Promise.all([sendAll(control, handler, waiting), receiveAll(control, waiting)])
  return exchanged
}

/** Cuts heads to what single messages may hold. */
export function* batchHeads(heads: readonly FeedHead[]): Generator<readonly FeedHead[]> {
  for (let start = 0; start < heads.length; start += HEADS_PER_MESSAGE_MAX) {
    yield heads.slice(start, start + HEADS_PER_MESSAGE_MAX)
  }
}

async function sendAll(control: LedgerControl, handler: LedgerHandler | undefined, waiting: Waiting): Promise<void> {
  for (const message of outgoing(handler)) await control.write(encodeExchange(message), waiting)
}

function* outgoing(handler: LedgerHandler | undefined): Generator<ExchangeMessage> {
  const heads = handler?.heads().slice(0, HEADS_PER_EXCHANGE_MAX) ?? []
  for (const batch of batchHeads(heads)) yield { type: 'heads', heads: batch }
  const proofs = handler?.forkProofs().slice(0, FORK_PROOFS_PER_EXCHANGE_MAX) ?? []
  for (const entry of proofs.flat()) yield { type: 'fork-entry', entry }
  yield { type: 'end' }
}

async function receiveAll(control: LedgerControl, waiting: Waiting): Promise<Exchanged> {
  const heads: FeedHead[] = []
  const entries: Uint8Array[] = []
  while (true) {
    const bytes = await control.read(waiting)
    if (bytes === undefined) throw new WireError('STREAM_ENDED', 'the exchange ended before its end was said')
    const message = parseExchange(bytes)
    if (message.type === 'end') return { heads, forkProofs: pairUp(entries) }
    if (message.type === 'heads') heads.push(...message.heads)
    else entries.push(message.entry)
    if (heads.length > HEADS_PER_EXCHANGE_MAX || entries.length > 2 * FORK_PROOFS_PER_EXCHANGE_MAX) {
      throw new WireError('LIMIT_EXCEEDED', 'the exchange has too many heads or fork proofs')
    }
  }
}

function pairUp(entries: readonly Uint8Array[]): readonly ForkProof[] {
  const proofs: ForkProof[] = []
  for (let index = 0; index < entries.length; index += 2) {
    const [first, second] = entries.slice(index, index + 2)
    if (first === undefined || second === undefined) {
      throw new WireError('MESSAGE_MALFORMED', 'ledger exchange: expected two envelopes for each fork proof')
    }
    proofs.push([first, second])
  }
  return proofs
}
