/** Stable codes of protocol errors. The lower-numbered ones travel in refusals as {@link RefusalCode}. */
export type WireErrorCode =
  | 'FRAME_MALFORMED'
  | 'FRAME_TOO_LARGE'
  | 'MESSAGE_MALFORMED'
  | 'ENVELOPE_MALFORMED'
  | 'SIGNATURE_INVALID'
  | 'STREAM_ENDED'
  | 'STREAM_BUSY'
  | 'TIMED_OUT'
  | 'REFUSED'
  | 'LIMIT_EXCEEDED'

/** An error of the wire: what came from a remote peer, or what became of a stream. Same shape as SwarmError. */
export class WireError extends Error {
  readonly code: WireErrorCode
  /** Set when `code` is REFUSED: why the other side said no. */
  readonly refusal: RefusalCode | undefined

  constructor(code: WireErrorCode, message: string, options: ErrorOptions & { refusal?: RefusalCode } = {}) {
    super(message, options)
    this.name = 'WireError'
    this.code = code
    this.refusal = options.refusal
  }
}

/** Why a request was refused, as a number on the wire. Frozen: append only. */
export const RefusalCode = {
  unknownJob: 1,
  unknownLease: 2,
  leaseRevoked: 3,
  rangeInvalid: 4,
  busy: 5,
  nothingLeft: 6,
  barred: 7,
  jobClosed: 8,
  hashMismatch: 9,
  claimInvalid: 10,
  resultWrong: 11,
  duplicate: 12,
  inputUnavailable: 13,
  unsupportedKernel: 14,
  localOnly: 15
} as const

/** One of the refusal numbers. */
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode]
