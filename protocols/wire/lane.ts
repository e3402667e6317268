import { LANE_OFFER_BYTES } from './constants.ts'
import type { DataTarget } from './frame-parser.ts'
import { WireError } from './wire-error.ts'

// A lane takes the DATA of one bulk stream past the layers of libp2p: one way, on the same connection, under a key of its
// own. What goes on it is specified in README.md ("Lanes"); the network makes it, here is what bulk streams need of it.

/** What the end that will receive on a lane tells the other one. */
export interface LaneOffer {
  /** Not 0; never used again on its connection. */
  readonly laneNumber: number
  /** A bit for each cipher suite that is quick here. */
  readonly quickSuites: number
  readonly secret: Uint8Array
}

/** What takes the frames of a lane. Nothing that it throws may be lost: it has to end its stream itself. */
export interface LaneSink {
  /** A DATA header came, not authenticated yet; undefined drops its payload. The target is written to as bytes come. */
  begin(header: Uint8Array): DataTarget | undefined
  /** Bytes of the lane came. */
  arrived(byteLength: number): void
  /** The payload, all of it, is authentic. Not called when it is not: then the connection ends. */
  finish(target: DataTarget, byteLength: number): void
}

/** The sending end of a lane. */
export interface LaneSender {
  /** Bytes handed to {@link LaneSender.send} that the system has not taken yet. */
  readonly queuedBytes: number
  /** Sends one DATA frame. The payload is read before this returns. */
  send(header: Uint8Array, payload: Uint8Array): void
}

/** What a connection that can have lanes offers to a bulk stream on it. */
export interface LanePort {
  /** Receiving end: opens a lane. Nothing comes before the other end was told the offer. */
  receive(sink: LaneSink): { readonly offer: LaneOffer; close(): void }
  /** Sending end: joins the lane of an offer. `onWritten` is called whenever the system has taken some of it. */
  send(offer: LaneOffer, onWritten: () => void): LaneSender
}

/** The payload of a LANE frame; the lane's number goes into the frame's offset. */
export function encodeLaneOffer(offer: LaneOffer): Uint8Array {
  const bytes = new Uint8Array(LANE_OFFER_BYTES)
  bytes[0] = offer.quickSuites
  bytes.set(offer.secret, 1)
  return bytes
}

/** @throws WireError FRAME_MALFORMED when the lane has no number */
export function parseLaneOffer(laneNumber: number, payload: Uint8Array): LaneOffer {
  if (laneNumber === 0) throw new WireError('FRAME_MALFORMED', 'a lane without a number')
  return { laneNumber, quickSuites: payload[0] ?? 0, secret: payload.slice(1) }
}
