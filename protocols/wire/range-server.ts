import type { BulkStream } from './bulk-stream.ts'
import { type FrameHeader, FrameType } from './frame.ts'
import { PULLS_OUTSTANDING_MAX } from './range-puller.ts'
import { asWireError } from './stream-life.ts'
import { RefusalCode, WireError } from './wire-error.ts'

/** Pulls that one stream may have waiting here; a peer that asks for more is cut off. */
export const PULLS_QUEUED_MAX: number = PULLS_OUTSTANDING_MAX
/** Bytes that may be queued in the stream when the next range is handed to it: one more keeps the link busy. */
export const SEND_LOW_BYTES = 1024 * 1024

/**
 * Gives the bytes of a range, which must stay untouched until the other side has them.
 * @throws WireError REFUSED with the reason
 */
export type ReadRange = (header: FrameHeader) => Uint8Array | Promise<Uint8Array>

/**
 * A range was handed to the stream. `isRead`: its bytes are needed no more; else they are until the other side has them.
 */
export type OnRangeSent = (header: FrameHeader, sent: { readonly isRead: boolean }) => void

interface Answer {
  readonly header: FrameHeader
  /** Undefined when the range is refused. */
  readonly bytes: Uint8Array | undefined
}

/**
 * The sending end of one stream: answers each range that is pulled, with its bytes or a refusal, in the order in which
 * they are ready. Nothing is copied, and no more than {@link SEND_LOW_BYTES} and one range are queued in the stream.
 */
export class RangeServer {
  readonly #bulk: BulkStream
  readonly #read: ReadRange
  readonly #onSent: OnRangeSent | undefined
  readonly #ready: Answer[] = []
  #queuedCount = 0
  #isSending = false

  constructor(bulk: BulkStream, read: ReadRange, onSent?: OnRangeSent) {
    this.#bulk = bulk
    this.#read = read
    this.#onSent = onSent
  }

  /** Whether answers wait for the other side to take bytes. */
  get isWaiting(): boolean {
    return this.#isSending
  }

  /** A PULL came. @throws WireError LIMIT_EXCEEDED when too many wait already */
  onPull(header: FrameHeader): void {
    if (this.#queuedCount === PULLS_QUEUED_MAX) {
      throw new WireError('LIMIT_EXCEEDED', `more than ${PULLS_QUEUED_MAX} ranges were pulled at once`)
    }
    this.#queuedCount += 1
    try {
      const bytes = this.#read(header)
      if (bytes instanceof Uint8Array) this.#answer(header, bytes)
      else bytes.then((read) => this.#answer(header, read)).catch((error) => this.#refuse(header, error))
    } catch (error) {
      this.#refuse(header, error)
    }
  }

  #answer(header: FrameHeader, bytes: Uint8Array): void {
    if (bytes.byteLength !== header.byteLength) {
      throw new RangeError(`a range of ${header.byteLength} bytes was read as ${bytes.byteLength}`)
    }
    this.#push({ header: { ...header, type: FrameType.data }, bytes })
  }

  #refuse(header: FrameHeader, error: unknown): void {
    const refusal = error instanceof WireError ? error.refusal : undefined
    if (refusal === undefined) this.#bulk.life.stream.log.error('a range could not be read - %e', error)
    const code = refusal ?? RefusalCode.inputUnavailable
    this.#push({ header: { ...header, type: FrameType.refuse, code }, bytes: undefined })
  }

  #push(answer: Answer): void {
    this.#ready.push(answer)
    if (this.#isSending) return
    this.#send().catch((error) => this.#bulk.life.fail(asWireError(error)))
  }

  async #send(): Promise<void> {
    this.#isSending = true
    try {
      for (let answer = this.#ready[0]; answer !== undefined; answer = this.#ready[0]) {
        if (this.#bulk.life.queuedBytes > SEND_LOW_BYTES) await this.#bulk.life.whenWritable(SEND_LOW_BYTES)
        this.#ready.shift()
        this.#queuedCount -= 1
        if (answer.bytes === undefined) {
          this.#bulk.send(answer.header)
          continue
        }
        const isRead = this.#bulk.sendData(answer.header, answer.bytes)
        this.#onSent?.(answer.header, { isRead })
      }
    } finally {
      this.#isSending = false
    }
  }
}
