import type { Connection } from '@libp2p/interface'
import { endControl, openControl } from '../wire/open-control.ts'
import { WireError } from '../wire/wire-error.ts'
import { LEDGER_PROTOCOL, LEDGER_STREAMS_MAX, LEDGER_TIMEOUT_MS } from './constants.ts'
import { BYTES_CODEC, type Exchanged, exchangeBoth, type LedgerControl } from './exchange.ts'
import { type EntryRange, encodeAsk, parseEntries } from './messages.ts'
import type { LedgerHandler } from './types.ts'

// No bulk through a relay: 128 KiB are its limit.
const OPENING = { timeoutMs: LEDGER_TIMEOUT_MS, streamsMax: LEDGER_STREAMS_MAX, runOnLimitedConnection: false }

/**
 * Exchanges heads and fork proofs with the peer at the other end; complete, or not at all.
 * @returns what the other side has
 * @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED, LIMIT_EXCEEDED
 */
export function openExchange(
  connection: Connection,
  handler: LedgerHandler | undefined,
  options: { readonly signal: AbortSignal }
): Promise<Exchanged> {
  const opening = { ...OPENING, signal: options.signal }
  return openControl(connection, LEDGER_PROTOCOL, BYTES_CODEC, opening, async (control, waiting) => {
    control.send(encodeAsk({ type: 'exchange' }))
    const exchanged = await exchangeBoth(control, handler, waiting)
    await endControl(control)
    return exchanged
  })
}

/**
 * Pulls entries in order; asks for the next ones when the ones before were taken, so that at most one answer is in
 * memory. Ends early when the other side has no more.
 * @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED, LIMIT_EXCEEDED, REFUSED
 */
export async function* pullEntries(
  connection: Connection,
  range: EntryRange,
  options: { readonly signal: AbortSignal }
): AsyncGenerator<Uint8Array> {
  const { author, from, to } = range
  const { signal } = options
  const ask = encodeAsk({ type: 'pull', author, from, to })
  const opening = { ...OPENING, signal }
  const control = await openControl(connection, LEDGER_PROTOCOL, BYTES_CODEC, opening, async (opened) => {
    opened.send(ask)
    return opened
  })
  let isDone = false
  try {
    let next = from
    while (!isDone) {
      const before = next
      for await (const entry of readAnswer(control, to - next + 1, signal)) {
        next += 1
        yield entry
      }
      isDone = next > to || next === before
      if (!isDone) control.send(encodeAsk({ type: 'pull', author, from: next, to }))
    }
    await endControl(control)
  } finally {
    // Whoever pulls has left off, or something was wrong.
    if (!isDone) control.abort(new WireError('STREAM_ENDED', 'the pull was given up'))
  }
}

async function* readAnswer(
  control: LedgerControl,
  entriesMax: number,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  let count = 0
  while (true) {
    const bytes = await control.read({ signal, timeoutMs: LEDGER_TIMEOUT_MS })
    if (bytes === undefined) throw new WireError('STREAM_ENDED', 'the entries ended before the last one')
    const { entries, last } = parseEntries(bytes)
    count += entries.length
    if (count > entriesMax) throw new WireError('LIMIT_EXCEEDED', `expected at most ${entriesMax} entries`)
    if (entries.length === 0 && !last) throw new WireError('MESSAGE_MALFORMED', 'a part of an answer is empty')
    yield* entries
    if (last) return
  }
}
