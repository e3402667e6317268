import type { Connection, PeerId } from '@libp2p/interface'

/** A part of an operand block, which its hash names. */
export interface OperandRange {
  /** BLAKE3 of the whole block, 32 bytes. */
  readonly hash: Uint8Array
  /** From the block's start, in bytes. */
  readonly offset: number
  readonly byteLength: number
}

/** The end that holds blocks: a submitter, or a worker that fetched them before. */
export interface OperandHandler {
  /**
   * May wait for a block that is on its way here, at its first range only, until the signal aborts: when the puller gave
   * up, the stream ended, or after {@link OPERAND_WAIT_MS}, whereupon the range is refused.
   * @param options.signal aborts when nobody waits for the range any more
   * @param options.held aborts when the puller has let the block go, or its stream ended
   * @returns `byteLength` bytes, which must stay untouched until `held` aborts: the stream keeps them by reference
   * @throws WireError REFUSED with `inputUnavailable` (not held here, or dropped meanwhile) or `rangeInvalid`
   */
  read(peerId: PeerId, range: OperandRange, options: { signal: AbortSignal; held: AbortSignal }): Promise<Uint8Array>
}

/** The fetching end of one long-lived operand stream. */
export interface OperandClient {
  /** The one who serves. */
  readonly peerId: PeerId
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /**
   * Pulls a whole block into `into`, in ranges of at most RANGE_BYTES_MAX with a bounded number outstanding. Several pulls
   * may run at once, at most {@link OPERAND_NAMES_MAX}, and take turns; one whose block the other side waits for holds up
   * no other. Once this has settled, `into` is written no more. The caller checks the hash.
   * @param hash 32 bytes
   * @param into as long as the block, 1 to {@link OPERAND_BYTES_MAX} bytes; may be memory that threads share
   * @throws WireError STREAM_ENDED, REFUSED (this block is not given), TIMED_OUT, FRAME_MALFORMED, LIMIT_EXCEEDED (too many
   *   pulls at once), or the signal's reason; RangeError when hash or `into` have no such length
   */
  pull(
    hash: Uint8Array,
    into: Uint8Array,
    options: { signal: AbortSignal; onBytes?: (received: number) => void }
  ): Promise<void>
  close(): Promise<void>
}

/** The protocol as a libp2p service. */
export interface OperandService {
  /** Who answers pulls; undefined refuses streams with `unknownJob`. */
  setHandler(handler: OperandHandler | undefined): void
  /**
   * Opens the stream on a connection (the bulk one), one per connection.
   * @throws WireError STREAM_BUSY, REFUSED (`unknownJob`: it serves nothing), STREAM_ENDED, TIMED_OUT
   */
  open(connection: Connection, options: { signal: AbortSignal }): Promise<OperandClient>
}
