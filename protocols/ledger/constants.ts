import { CONTROL_MESSAGE_BYTES_MAX } from '../wire/constants.ts'

/** Id of the stream protocol. Frozen. */
export const LEDGER_PROTOCOL = '/swarm/ledger/1.0.0'

/** Heads in one message, by gossip or in an exchange; so many fit a gossip message with the longest authors. */
export const HEADS_PER_MESSAGE_MAX = 80
/** Heads that one side of an exchange sends; what is over is left out. */
export const HEADS_PER_EXCHANGE_MAX = 4_096
/** Fork proofs that one side of an exchange sends; what is over is left out. */
export const FORK_PROOFS_PER_EXCHANGE_MAX = 8
/** Bytes of entries in the answer to one ask; whoever pulls asks again for the rest. */
export const PULL_ANSWER_BYTES_MAX = 524_288
/** Entries asked of the handler at once, and so entries in one part of an answer. */
export const PULL_READ_ENTRIES = 32
/** Bytes of entries in one part of an answer; leaves room for the length before each of them. */
export const PULL_PART_BYTES_MAX: number = CONTROL_MESSAGE_BYTES_MAX - 1_024
/** Entries that one pull may name. */
export const PULL_ENTRIES_MAX = 1_048_576
/** Times that a stream may be asked for entries. */
export const PULL_ASKS_MAX = 16_384
/** Time for an exchange, and for each part of an answer, in ms. */
export const LEDGER_TIMEOUT_MS = 10_000
/** A stream on which the other side asks for nothing for so long is ended, in ms. */
export const LEDGER_IDLE_MS = 60_000
/** Ledger streams that one connection may have open at once. */
export const LEDGER_STREAMS_MAX = 4

/** Gossip topic of a swarm's ledger. */
export function ledgerTopic(swarmId: string): string {
  return `/swarm/${swarmId}/ledger/1`
}
