import type { Connection, PeerId } from '@libp2p/interface'

/** A part of a leased chunk's input, in bytes from the chunk's start. */
export interface InputRange {
  readonly leaseNumber: number
  readonly offset: number
  readonly byteLength: number
}

/** The submitter's end: reads what lease-holders pull. */
export interface ChunkHandler {
  /**
   * @returns `byteLength` bytes, which must stay untouched until {@link ChunkHandler.onRead} names them, or else until the worker
   *   offers its result (the stream keeps them by reference).
   * @throws WireError REFUSED with `unknownLease`, `rangeInvalid` or `inputUnavailable`.
   */
  read(peerId: PeerId, range: InputRange, options: { signal: AbortSignal }): Promise<Uint8Array>
  /** The stream has read the bytes of a range, and looks at them no more. Not called for streams without a lane. */
  onRead(peerId: PeerId, range: InputRange): void
}

/** The worker's end of one long-lived chunk stream. */
export interface ChunkClient {
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /**
   * Pulls the whole input of a lease into `into`, in ranges of at most RANGE_BYTES_MAX with a bounded number outstanding.
   * Several pulls may run at once and take turns. Once this has settled, `into` is written no more. `onBytes` gets the
   * bytes that have arrived so far.
   * @throws WireError STREAM_ENDED, REFUSED, TIMED_OUT, FRAME_MALFORMED, LIMIT_EXCEEDED (pulled already), or the signal's
   *   reason
   */
  pull(
    leaseNumber: number,
    into: Uint8Array,
    options: { signal: AbortSignal; onBytes?: (received: number) => void }
  ): Promise<void>
  close(): Promise<void>
}

/** The protocol as a libp2p service. */
export interface ChunkService {
  setHandler(handler: ChunkHandler | undefined): void
  /**
   * Opens the stream on a connection (the bulk one), one per connection.
   * @throws WireError STREAM_BUSY, REFUSED (`unknownJob`: it serves no job), STREAM_ENDED, TIMED_OUT
   */
  open(connection: Connection, options: { signal: AbortSignal }): Promise<ChunkClient>
}
