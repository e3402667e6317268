import type { Uint8ArrayList } from 'uint8arraylist'
import { FRAME_HEADER_BYTES, type FrameHeader, FrameType, parseHeader, payloadByteLength } from './frame.ts'

/** Where the payload of one DATA frame goes. */
export interface DataTarget {
  /** As long as the payload; undefined drops it. May become undefined while the payload arrives. */
  readonly into: Uint8Array | undefined
  /** Called with the bytes of each piece that arrived. */
  onReceived(byteLength: number): void
  /** Called once the payload is whole. */
  onWhole(): void
}

/** What a {@link FrameParser} calls. What these throw rises from {@link FrameParser.push}. */
export interface FrameSink {
  /** A DATA header came. @throws WireError FRAME_MALFORMED when nobody asked for it */
  onData(header: FrameHeader): DataTarget
  /** Any other frame came, whole; the payload is the callee's own. */
  onFrame(header: FrameHeader, payload: Uint8Array): void
}

/**
 * Splits a byte stream into frames. Owns the place in the stream; frame boundaries are not read boundaries. The payload
 * of DATA goes from the received pieces to its target by one copy, and is never joined.
 */
export class FrameParser {
  readonly #sink: FrameSink
  readonly #headerBytes = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  #header: FrameHeader | undefined
  #target: DataTarget | undefined
  #filled = 0
  #missing = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Whether the bytes so far end inside a frame. */
  get isInsideFrame(): boolean {
    return this.#headerFilled > 0 || this.#header !== undefined
  }

  /** @throws WireError FRAME_MALFORMED, FRAME_TOO_LARGE, or what the sink throws; the parser is of no use afterwards */
  push(bytes: Uint8Array | Uint8ArrayList): void {
    if (bytes instanceof Uint8Array) this.#takePiece(bytes)
    else for (const piece of bytes) this.#takePiece(piece)
  }

  #takePiece(piece: Uint8Array): void {
    let at = 0
    while (at < piece.byteLength) {
      at = this.#target === undefined ? this.#takeHeader(piece, at) : this.#takePayload(this.#target, piece, at)
    }
  }

  #takeHeader(piece: Uint8Array, at: number): number {
    const end = Math.min(piece.byteLength, at + FRAME_HEADER_BYTES - this.#headerFilled)
    this.#headerBytes.set(piece.subarray(at, end), this.#headerFilled)
    this.#headerFilled += end - at
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#headerFilled = 0
      this.#begin(parseHeader(this.#headerBytes))
    }
    return end
  }

  #begin(header: FrameHeader): void {
    this.#missing = payloadByteLength(header)
    if (this.#missing === 0) {
      this.#sink.onFrame(header, new Uint8Array(0))
      return
    }
    this.#target = header.type === FrameType.data ? this.#sink.onData(header) : this.#collect(header)
    this.#header = header
    this.#filled = 0
  }

  #takePayload(target: DataTarget, piece: Uint8Array, at: number): number {
    const end = Math.min(piece.byteLength, at + this.#missing)
    const byteLength = end - at
    target.into?.set(at === 0 && end === piece.byteLength ? piece : piece.subarray(at, end), this.#filled)
    this.#filled += byteLength
    this.#missing -= byteLength
    target.onReceived(byteLength)
    if (this.#missing === 0) {
      this.#target = undefined
      this.#header = undefined
      target.onWhole()
    }
    return end
  }

  /** Small payloads are bounded by their type, so they are gathered here. */
  #collect(header: FrameHeader): DataTarget {
    const into = new Uint8Array(header.byteLength)
    return { into, onReceived: () => undefined, onWhole: () => this.#sink.onFrame(header, into) }
  }
}
