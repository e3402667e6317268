import { Uint8ArrayList } from 'uint8arraylist'

const LENGTH_BYTES = 2
const RECORD_BYTES_MAX = LENGTH_BYTES + 0xffff

/** Bytes that must be free in front of what {@link RecordSplitter.decode} gets with a `headroom`. */
export const HEADROOM_BYTES = RECORD_BYTES_MAX

/**
 * Cuts a byte stream into Noise records, each in one piece and without a copy except at the seams of reads.
 *
 * It takes the place of the decoder in libp2p's encrypted stream, so its method has that name and shape.
 */
export class RecordSplitter {
  /** The start of a record whose rest has not come; at the front of a block that is made once. */
  #carry: Uint8Array = new Uint8Array(0)
  #carryBlock: Uint8Array | undefined

  /** Bytes of an unfinished record that are kept for the next call. */
  get carriedBytes(): number {
    return this.#carry.byteLength
  }

  /**
   * Yields the records that are complete. They are views of `data`, valid until the caller's next read.
   *
   * @param headroom - when given, `data` lies in this buffer with {@link HEADROOM_BYTES} writable bytes before it
   */
  *decode(data: Uint8Array | Uint8ArrayList, headroom?: Uint8Array): Generator<Uint8Array> {
    const bytes = this.#withCarry(data instanceof Uint8Array ? data : data.subarray(), headroom)
    let offset = 0
    while (bytes.byteLength - offset >= LENGTH_BYTES) {
      const recordBytes = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
      const end = offset + LENGTH_BYTES + recordBytes
      if (end > bytes.byteLength) {
        break
      }
      if (recordBytes > 0) {
        yield bytes.subarray(offset + LENGTH_BYTES, end)
      }
      offset = end
    }
    this.#keep(bytes.subarray(offset))
  }

  #withCarry(data: Uint8Array, headroom: Uint8Array | undefined): Uint8Array {
    const carried = this.#carry.byteLength
    if (carried === 0) {
      return data
    }
    if (headroom === undefined) {
      return new Uint8ArrayList(this.#carry, data).slice()
    }
    const start = data.byteOffset - headroom.byteOffset - carried
    headroom.set(this.#carry, start)
    return headroom.subarray(start, start + carried + data.byteLength)
  }

  #keep(rest: Uint8Array): void {
    if (rest.byteLength === 0) {
      this.#carry = rest
      return
    }
    this.#carryBlock ??= new Uint8Array(RECORD_BYTES_MAX)
    this.#carryBlock.set(rest)
    this.#carry = this.#carryBlock.subarray(0, rest.byteLength)
  }
}
