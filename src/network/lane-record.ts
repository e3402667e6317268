import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { FRAME_HEADER_BYTES, RANGE_BYTES_MAX } from '../../protocols/wire/frame.ts'
import {
  beginOpening,
  beginSealing,
  isSuite,
  type LaneSuite,
  SUITE_KEY_BYTES,
  SUITE_NONCE_BYTES,
  SUITE_TAG_BYTES,
  suiteName
} from './lane-suite.ts'

// The records of lanes, as protocols/wire/README.md specifies them ("Lanes").

/** What stands where a Noise record has its length; none of Noise is that short, since its tag alone is longer. */
export const LANE_MARK = 1
/** Bytes of a record's head: mark, suite, reserved, lane number, length of the body. */
export const LANE_HEAD_BYTES = 12
/** Least bytes of a body: a frame header, a byte and the tag. */
export const LANE_BODY_BYTES_MIN: number = FRAME_HEADER_BYTES + 1 + SUITE_TAG_BYTES
/** Most bytes of a body. */
export const LANE_BODY_BYTES_MAX: number = FRAME_HEADER_BYTES + RANGE_BYTES_MAX + SUITE_TAG_BYTES

/** A payload goes through the cipher in pieces that stay in the processor's cache. */
const PIECE_BYTES = 128 * 1024
const KEY_LABEL = 'swarm-lane-v1'

/** What a record says of itself before its cipher text. */
export interface LaneHead {
  readonly suite: LaneSuite
  readonly laneNumber: number
  /** Bytes behind the head, the tag included. */
  readonly bodyBytes: number
}

/** Writes a head of {@link LANE_HEAD_BYTES}. */
export function encodeLaneHead(head: LaneHead): Uint8Array {
  const bytes = new Uint8Array(LANE_HEAD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, LANE_MARK)
  view.setUint8(2, head.suite)
  view.setUint32(4, head.laneNumber)
  view.setUint32(8, head.bodyBytes)
  return bytes
}

/** @throws Error when no lane record begins so */
export function parseLaneHead(bytes: Uint8Array): LaneHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, LANE_HEAD_BYTES)
  const suite = view.getUint8(2)
  const bodyBytes = view.getUint32(8)
  if (view.getUint16(0) !== LANE_MARK || !isSuite(suite) || view.getUint8(3) !== 0) {
    throw new Error('a record came that is neither of Noise nor of a lane')
  }
  if (bodyBytes < LANE_BODY_BYTES_MIN || bodyBytes > LANE_BODY_BYTES_MAX) {
    const limits = `${LANE_BODY_BYTES_MIN} to ${LANE_BODY_BYTES_MAX}`
    throw new Error(`a lane record of ${bodyBytes} bytes came, expected ${limits}`)
  }
  return { suite, laneNumber: view.getUint32(4), bodyBytes }
}

/** Seals the frames of one lane, in the order in which they are sent. */
export class LaneSealer {
  readonly #suite: LaneSuite
  readonly #laneNumber: number
  readonly #key: KeyObject
  readonly #nonce = new Uint8Array(SUITE_NONCE_BYTES)

  constructor(suite: LaneSuite, laneNumber: number, secret: Uint8Array) {
    this.#suite = suite
    this.#laneNumber = laneNumber
    this.#key = laneKey(suite, secret)
  }

  /** @returns the record in parts that nobody else holds */
  seal(header: Uint8Array, payload: Uint8Array): Uint8Array[] {
    const textBytes = header.byteLength + payload.byteLength
    const bodyBytes = textBytes + SUITE_TAG_BYTES
    const head = encodeLaneHead({ suite: this.#suite, laneNumber: this.#laneNumber, bodyBytes })
    const cipher = beginSealing(this.#suite, this.#key, this.#nonce, head, textBytes)
    countUp(this.#nonce)
    const parts: Uint8Array[] = [head, cipher.update(header)]
    for (let offset = 0; offset < payload.byteLength; offset += PIECE_BYTES) {
      parts.push(cipher.update(payload.subarray(offset, offset + PIECE_BYTES)))
    }
    cipher.final()
    parts.push(cipher.getAuthTag())
    return parts
  }
}

/** Opens the records of one lane, in the order in which they come. */
export class LaneOpener {
  readonly #secret: Uint8Array
  readonly #nonce = new Uint8Array(SUITE_NONCE_BYTES)
  #suite: LaneSuite | undefined
  #key: KeyObject | undefined

  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /**
   * Begins the next record. What its `update` gives is not authentic before `final`, which throws when it is not.
   * @throws Error when the sender has changed the suite
   */
  open(head: LaneHead): ReturnType<typeof beginOpening> {
    // One nonce counts for both suites, so a lane has only one: the first record's.
    this.#suite ??= head.suite
    if (head.suite !== this.#suite) {
      throw new Error(`lane ${head.laneNumber}: a record of suite ${head.suite} came, expected ${this.#suite}`)
    }
    this.#key ??= laneKey(head.suite, this.#secret)
    const text = head.bodyBytes - SUITE_TAG_BYTES
    const decipher = beginOpening(head.suite, this.#key, this.#nonce, encodeLaneHead(head), text)
    countUp(this.#nonce)
    return decipher
  }
}

/** A key for each suite, so that no key is ever used by two ciphers. */
function laneKey(suite: LaneSuite, secret: Uint8Array): KeyObject {
  const label = `${KEY_LABEL} ${suiteName(suite)}`
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), label, SUITE_KEY_BYTES)))
}

/** Adds one to a little-endian counter; 2^96 records are never sent. */
function countUp(nonce: Uint8Array): void {
  for (let index = 0; index < nonce.byteLength; index++) {
    const next = ((nonce[index] ?? 0) + 1) & 0xff
    nonce[index] = next
    if (next !== 0) return
  }
}
