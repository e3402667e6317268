import type { Connection, PeerId } from '@libp2p/interface'
import type { RefusalCode } from '../wire/wire-error.ts'

/** What becomes of an offered result. */
export type OfferOutcome =
  /** Merged and durable: the receipt envelope, as bytes to be kept as they came. */
  | { readonly outcome: 'receipted'; readonly receipt: Uint8Array }
  /** Refused; `duplicate` and `jobClosed` carry no blame. */
  | { readonly outcome: 'refused'; readonly code: RefusalCode }

/** How an offer is watched. `onBytes` gets the bytes handed to the stream so far. */
export interface OfferOptions {
  readonly signal: AbortSignal
  readonly onBytes?: (sent: number) => void
  /** The submitter holds all bytes: the result's buffer is free. */
  readonly onPulled?: () => void
}

/** The worker's end of one long-lived result stream, which the worker opens. */
export interface ResultClient {
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /**
   * Offers a result, serves the ranges that the submitter pulls, and waits for the verdict. `result` must stay untouched
   * until `onPulled` or a verdict. When this rejects before that, bytes may still be queued in the connection: the buffer
   * must never be transferred or written again (leave it to the garbage collector), though it may be offered again.
   * Several offers may be open at once, up to OFFERS_OPEN_MAX.
   * @param claim signed claim envelope, at most CLAIM_BYTES_MAX
   * @throws WireError STREAM_ENDED, LIMIT_EXCEEDED, TIMED_OUT, FRAME_MALFORMED, or the signal's reason
   */
  offer(leaseNumber: number, result: Uint8Array, claim: Uint8Array, options: OfferOptions): Promise<OfferOutcome>
  close(): Promise<void>
}

/** One offer as the submitter sees it. */
export interface IncomingOffer {
  readonly peerId: PeerId
  readonly leaseNumber: number
  readonly resultBytes: number
  readonly claim: Uint8Array
  /** Aborts when the stream ends. */
  readonly signal: AbortSignal
  /**
   * Pulls the whole result into `into` (`resultBytes` long); `onBytes` gets the bytes that have arrived so far. Once this
   * has settled, `into` is written no more.
   * @throws WireError STREAM_ENDED, REFUSED (the worker gave up), TIMED_OUT, FRAME_MALFORMED, or the signal's reason
   */
  pull(into: Uint8Array, options: { signal: AbortSignal; onBytes?: (received: number) => void }): Promise<void>
  /** Sends the signed receipt. Does nothing when the stream has ended. */
  accept(receipt: Uint8Array): void
  /** Refuses the result. Does nothing when the stream has ended. */
  refuse(code: RefusalCode): void
}

/** The submitter's end. */
export interface ResultHandler {
  onOffer(offer: IncomingOffer): void
}

/** The protocol as a libp2p service. */
export interface ResultService {
  setHandler(handler: ResultHandler | undefined): void
  /**
   * Worker: opens the stream on a connection (the bulk one), one per connection.
   * @throws WireError STREAM_BUSY, REFUSED (`unknownJob`: it takes no results), STREAM_ENDED, TIMED_OUT
   */
  open(connection: Connection, options: { signal: AbortSignal }): Promise<ResultClient>
}
