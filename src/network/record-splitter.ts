import { Uint8ArrayList } from 'uint8arraylist'
import { LANE_HEAD_BYTES, LANE_MARK, type LaneHead, parseLaneHead } from './lane-record.ts'

const LENGTH_BYTES = 2
const RECORD_BYTES_MAX = LENGTH_BYTES + 0xffff

/** Bytes that must be free in front of what {@link RecordSplitter.decode} gets with a `headroom`. */
export const HEADROOM_BYTES = RECORD_BYTES_MAX

/** What takes the lane records that lie between those of Noise. */
export interface LaneRecords {
  /** @throws Error when such a record may not come */
  begin(head: LaneHead): void
  /** Bytes of the body, in all as many as its head said; valid during the call. @throws Error when they are not authentic */
  push(bytes: Uint8Array): void
}

/**
 * Cuts a byte stream into Noise records, each in one piece and without a copy except at the seams of reads, and hands over
 * lane records as they come.
 *
 * It takes the place of the decoder in libp2p's encrypted stream, so its method has that name and shape.
 */
export class RecordSplitter {
  readonly #lanes: LaneRecords | undefined
  /** Bytes of a lane record's body that have not come. */
  #laneMissing = 0
  /** The start of a record whose rest has not come; at the front of a block that is made once. */
  #carry: Uint8Array = new Uint8Array(0)
  #carryBlock: Uint8Array | undefined

  /** @param lanes - without, a lane record is a Noise record that is too short */
  constructor(lanes?: LaneRecords) {
    this.#lanes = lanes
  }

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
    let offset = this.#pushLane(bytes, 0)
    while (bytes.byteLength - offset >= LENGTH_BYTES) {
      const recordBytes = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
      if (recordBytes === LANE_MARK && this.#lanes !== undefined) {
        if (bytes.byteLength - offset < LANE_HEAD_BYTES) {
          break
        }
        const head = parseLaneHead(bytes.subarray(offset, offset + LANE_HEAD_BYTES))
        this.#lanes.begin(head)
        this.#laneMissing = head.bodyBytes
        offset = this.#pushLane(bytes, offset + LANE_HEAD_BYTES)
        continue
      }
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

  /** @returns where the lane record's body ends in these bytes */
  #pushLane(bytes: Uint8Array, offset: number): number {
    const end = Math.min(bytes.byteLength, offset + this.#laneMissing)
    if (end > offset) {
      this.#laneMissing -= end - offset
      this.#lanes?.push(bytes.subarray(offset, end))
    }
    return end
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
