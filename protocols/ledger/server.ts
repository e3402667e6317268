import type { PeerId } from '@libp2p/interface'
import { endControl } from '../wire/open-control.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import {
  LEDGER_IDLE_MS,
  LEDGER_TIMEOUT_MS,
  PULL_ANSWER_BYTES_MAX,
  PULL_ASKS_MAX,
  PULL_PART_BYTES_MAX,
  PULL_READ_ENTRIES
} from './constants.ts'
import { exchangeBoth, type LedgerControl } from './exchange.ts'
import { type EntryRange, encodeEntries, encodeRefusal, isEntryRange, parseAsk } from './messages.ts'
import type { LedgerHandler } from './types.ts'

/**
 * Serves one stream that another peer opened: one exchange, or any number of asks for entries, one after the other.
 * Without a handler this peer has nothing.
 * @throws WireError STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED, LIMIT_EXCEEDED, or what the handler throws
 */
export async function serveLedger(
  control: LedgerControl,
  from: PeerId,
  handler: LedgerHandler | undefined
): Promise<void> {
  const { signal } = control
  let asks = 0
  for await (const bytes of control.messages({ signal, timeoutMs: LEDGER_IDLE_MS })) {
    asks += 1
    if (asks > PULL_ASKS_MAX) throw new WireError('LIMIT_EXCEEDED', `${from} asked more than ${PULL_ASKS_MAX} times`)
    const ask = parseAsk(bytes)
    if (ask.type === 'pull') {
      await answerPull(control, ask, handler)
      continue
    }
    if (asks > 1) throw new WireError('MESSAGE_MALFORMED', 'an exchange has a stream of its own')
    const { heads, forkProofs } = await exchangeBoth(control, handler, { signal, timeoutMs: LEDGER_TIMEOUT_MS })
    if (heads.length > 0) handler?.onHeads(heads, from)
    for (const proof of forkProofs) handler?.onForkProof(proof, from)
    break
  }
  await endControl(control)
}

async function answerPull(
  control: LedgerControl,
  range: EntryRange,
  handler: LedgerHandler | undefined
): Promise<void> {
  const waiting = { signal: control.signal, timeoutMs: LEDGER_TIMEOUT_MS }
  if (!isEntryRange(range)) return await control.write(encodeRefusal(RefusalCode.rangeInvalid), waiting)
  let next = range.from
  let budgetBytes = PULL_ANSWER_BYTES_MAX
  while (next <= range.to && budgetBytes > 0) {
    const limit = Math.min(PULL_READ_ENTRIES, range.to - next + 1)
    const held = handler?.entries(range.author, next, limit).slice(0, limit) ?? []
    const entries = held.slice(0, countWithin(held, budgetBytes))
    for (const part of cutParts(entries)) await control.write(encodeEntries({ entries: part, last: false }), waiting)
    next += entries.length
    budgetBytes = entries.length < limit ? 0 : budgetBytes - byteLengthOf(entries)
  }
  await control.write(encodeEntries({ entries: [], last: true }), waiting)
}

/** How many of the first entries fit a budget; the first one always does, so that each answer gets on. */
function countWithin(entries: readonly Uint8Array[], budgetBytes: number): number {
  let bytes = 0
  const over = entries.findIndex((entry, index) => {
    bytes += entry.byteLength
    return bytes > budgetBytes && index > 0
  })
  return over === -1 ? entries.length : over
}

function* cutParts(entries: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  for (let start = 0; start < entries.length; ) {
    const rest = entries.slice(start)
    const count = countWithin(rest, PULL_PART_BYTES_MAX)
    yield rest.slice(0, count)
    start += count
  }
}

function byteLengthOf(entries: readonly Uint8Array[]): number {
  return entries.reduce((sum, entry) => sum + entry.byteLength, 0)
}
