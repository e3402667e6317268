import type { Connection, PeerId } from '@libp2p/interface'
import type { RefusalCode } from '../wire/wire-error.ts'

/** What becomes of an offered result. */
export type OfferOutcome =
  /** Merged and durable: the receipt envelope, as bytes to be kept as they came. */
  | { readonly outcome: 'receipted'; readonly receipt: Uint8Array }
  /** Refused; `duplicate` and `jobClosed` carry no blame. */
  | { readonly outcome: 'refused'; readonly code: RefusalCode }

/** The worker's end of one long-lived result stream, which the worker opens. */
export interface ResultClient {
  /** Aborts when the stream ends for whatever reason. */
  readonly signal: AbortSignal
  /**
   * Offers a result, serves the ranges that the submitter pulls, and waits for the verdict. `result` must stay untouched
   * until `onPulled` or until this settles. Several offers may be open at once, up to OFFERS_OPEN_MAX.
   * @param claim signed claim envelope, at most CLAIM_BYTES_MAX
   * @throws WireError STREAM_ENDED, LIMIT_EXCEEDED
   */
  offer(
    leaseNumber: number,
    result: Uint8Array,
    claim: Uint8Array,
    options: { signal: AbortSignal; onBytes?: (sent: number) => void; onPulled?: () => void }
  ): Promise<OfferOutcome>
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
  /** Pulls the whole result into `into` (`resultBytes` long). @throws WireError STREAM_ENDED, FRAME_MALFORMED */
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
  /** Worker: opens the stream on a connection (the bulk one). @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT */
  open(connection: Connection, options: { signal: AbortSignal }): Promise<ResultClient>
}
