import { Uint8ArrayList } from 'uint8arraylist'
import { WireError } from './wire-error.ts'

/** Splits a byte stream into messages, each after its length as a varint. Message boundaries are not read boundaries. */
export class MessageSplitter {
  readonly #bytesMax: number
  #length = 0
  #shift = 1
  #missing: number | undefined
  #message = new Uint8Array(0)

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether the bytes so far end in the middle of a message. */
  get isInsideMessage(): boolean {
    return this.#missing !== undefined || this.#shift > 1
  }

  /**
   * @param onMessage called with each whole message, in order; the bytes are the callee's own
   * @throws WireError FRAME_TOO_LARGE when a length is above the limit (as is any that is no varint of it)
   */
  push(bytes: Uint8Array | Uint8ArrayList, onMessage: (message: Uint8Array) => void): void {
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes
    for (const piece of pieces) {
      let at = 0
      while (at < piece.byteLength) {
        at = this.#missing === undefined ? this.#takeLength(piece, at) : this.#takeBody(piece, at, this.#missing)
        if (this.#missing === 0) onMessage(this.#takeMessage())
      }
    }
  }

  #takeLength(piece: Uint8Array, at: number): number {
    const byte = piece[at] ?? 0
    this.#length += (byte & 0x7f) * this.#shift
    this.#shift *= 0x80
    if (this.#length > this.#bytesMax || this.#shift > this.#bytesMax * 0x80) {
      throw new WireError('FRAME_TOO_LARGE', `a message of more than ${this.#bytesMax} bytes was announced`)
    }
    if (byte < 0x80) {
      this.#missing = this.#length
      // Copied at once: what a stream delivers is not ours to keep.
      this.#message = new Uint8Array(this.#length)
    }
    return at + 1
  }

  #takeBody(piece: Uint8Array, at: number, missing: number): number {
    const end = Math.min(piece.byteLength, at + missing)
    this.#message.set(piece.subarray(at, end), this.#message.byteLength - missing)
    this.#missing = missing - (end - at)
    return end
  }

  #takeMessage(): Uint8Array {
    const message = this.#message
    this.#missing = undefined
    this.#length = 0
    this.#shift = 1
    return message
  }
}

/** A message with its length before it, ready to send. @throws WireError FRAME_TOO_LARGE when it is above `bytesMax` */
export function withLength(message: Uint8Array, bytesMax: number): Uint8ArrayList {
  if (message.byteLength > bytesMax) {
    throw new WireError('FRAME_TOO_LARGE', `a message has ${message.byteLength} bytes, more than ${bytesMax}`)
  }
  const prefix: number[] = []
  let rest = message.byteLength
  while (rest >= 0x80) {
    prefix.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  prefix.push(rest)
  return new Uint8ArrayList(Uint8Array.from(prefix), message)
}
