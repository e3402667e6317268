import { CLAIM_BYTES_MAX, HASH_BYTES, LANE_OFFER_BYTES, RECEIPT_BYTES_MAX } from './constants.ts'
import { RefusalCode, WireError } from './wire-error.ts'

/** Bytes of a frame header. */
export const FRAME_HEADER_BYTES = 16
/**
 * Upper bound of a range, in bytes: a multiple of 4, and with its frame header (16 bytes) and yamux header (12) exactly
 * sixteen full Noise messages of 65,519 bytes. A whole MiB would spill into a seventeenth of a few bytes.
 */
export const RANGE_BYTES_MAX = 1_048_276
/** Upper bound of lease numbers, offsets and lengths. */
export const UINT32_MAX = 0xffff_ffff

/** What a frame says, as a number on the wire. Frozen: append only. */
export const FrameType = {
  /** Asks for a range; no payload. */
  pull: 1,
  /** A range that was asked for. */
  data: 2,
  /** Refuses a range, an offer or the stream itself; no payload. */
  refuse: 3,
  /** Offers a result: `offset` is its length, the payload a claim envelope. */
  offer: 4,
  /** Accepts an offer; the payload is a receipt envelope. */
  receipt: 5,
  /** First frame of the accepting side: the stream is served; no payload. */
  ready: 6,
  /** No more ranges of a lease, or of a named block, will be asked for; no payload. */
  pulled: 7,
  /** Gives a block a number on this stream; the payload is the block's hash. */
  name: 8,
  /** The puller takes DATA on a lane: `offset` is its number, the payload what opens it. */
  lane: 9
} as const

/** One of the frame types. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** The 16 bytes before each payload: type u8, code u8, reserved u16, then these as little-endian u32. */
export interface FrameHeader {
  readonly type: FrameType
  /** A refusal code in `refuse`, else 0. */
  readonly code: RefusalCode | 0
  /** 0 when the frame concerns the stream. */
  readonly leaseNumber: number
  readonly offset: number
  readonly byteLength: number
}

interface FrameRule {
  /** Upper bound of `byteLength`. */
  readonly bytesMax: number
  readonly bytesMin: number
  readonly hasPayload: boolean
  readonly hasOffset: boolean
}

const RULES: ReadonlyMap<number, FrameRule> = new Map([
  [FrameType.pull, { bytesMin: 1, bytesMax: RANGE_BYTES_MAX, hasPayload: false, hasOffset: true }],
  [FrameType.data, { bytesMin: 1, bytesMax: RANGE_BYTES_MAX, hasPayload: true, hasOffset: true }],
  [FrameType.refuse, { bytesMin: 0, bytesMax: RANGE_BYTES_MAX, hasPayload: false, hasOffset: true }],
  [FrameType.offer, { bytesMin: 1, bytesMax: CLAIM_BYTES_MAX, hasPayload: true, hasOffset: true }],
  [FrameType.receipt, { bytesMin: 1, bytesMax: RECEIPT_BYTES_MAX, hasPayload: true, hasOffset: false }],
  [FrameType.ready, { bytesMin: 0, bytesMax: 0, hasPayload: false, hasOffset: false }],
  [FrameType.pulled, { bytesMin: 0, bytesMax: 0, hasPayload: false, hasOffset: false }],
  [FrameType.name, { bytesMin: HASH_BYTES, bytesMax: HASH_BYTES, hasPayload: true, hasOffset: false }],
  [FrameType.lane, { bytesMin: LANE_OFFER_BYTES, bytesMax: LANE_OFFER_BYTES, hasPayload: true, hasOffset: true }]
])
const REFUSALS: ReadonlySet<number> = new Set(Object.values(RefusalCode))
/** Frames that concern the stream itself; a refusal may concern either. */
const OF_STREAM: ReadonlySet<number> = new Set([FrameType.ready, FrameType.lane])

/** Writes headers one after the other, to be sent in one piece. */
export function encodeHeaders(headers: readonly FrameHeader[]): Uint8Array {
  const bytes = new Uint8Array(headers.length * FRAME_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  headers.forEach((header, index) => {
    const at = index * FRAME_HEADER_BYTES
    view.setUint8(at, header.type)
    view.setUint8(at + 1, header.code)
    view.setUint32(at + 4, header.leaseNumber, true)
    view.setUint32(at + 8, header.offset, true)
    view.setUint32(at + 12, header.byteLength, true)
  })
  return bytes
}

/**
 * Checks and decodes a header of {@link FRAME_HEADER_BYTES} bytes.
 * @throws WireError FRAME_TOO_LARGE when its length is above the limit of its type; FRAME_MALFORMED
 */
export function parseHeader(bytes: Uint8Array): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES)
  const type = view.getUint8(0)
  const code = view.getUint8(1)
  const leaseNumber = view.getUint32(4, true)
  const offset = view.getUint32(8, true)
  const byteLength = view.getUint32(12, true)
  const rule = RULES.get(type)
  if (rule === undefined) throw malformed(`unknown type ${type}`)
  if (byteLength > rule.bytesMax) {
    throw new WireError('FRAME_TOO_LARGE', `frame of type ${type}: ${byteLength} bytes, more than ${rule.bytesMax}`)
  }
  if (byteLength < rule.bytesMin) throw malformed(`type ${type} with ${byteLength} bytes`)
  if (view.getUint16(2, true) !== 0) throw malformed('reserved bits are set')
  if (type === FrameType.refuse ? !REFUSALS.has(code) : code !== 0) throw malformed(`type ${type} with code ${code}`)
  if (!rule.hasOffset && offset !== 0) throw malformed(`type ${type} with an offset`)
  if (type !== FrameType.offer && offset + byteLength > UINT32_MAX) throw malformed('the range ends above 2^32')
  if (leaseNumber === 0 && !OF_STREAM.has(type) && type !== FrameType.refuse)
    throw malformed(`type ${type} without a lease`)
  if (leaseNumber !== 0 && OF_STREAM.has(type)) throw malformed(`type ${type} with a lease`)
  return { type: type as FrameType, code: code as RefusalCode | 0, leaseNumber, offset, byteLength }
}

/** Bytes that follow a header. */
export function payloadByteLength(header: FrameHeader): number {
  return RULES.get(header.type)?.hasPayload === true ? header.byteLength : 0
}

function malformed(what: string): WireError {
  return new WireError('FRAME_MALFORMED', `frame: ${what}`)
}
