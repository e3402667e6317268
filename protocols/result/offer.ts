import { RefusalCode, WireError } from '../wire/wire-error.ts'
import type { OfferOptions, OfferOutcome } from './types.ts'

/**
 * One result that a worker offers: `offered → closed` by a verdict, or `offered → given up → forgotten`. What was given
 * up keeps its place until the verdict, since the submitter may not know yet.
 */
export class Offer {
  readonly leaseNumber: number
  readonly outcome: Promise<OfferOutcome>
  readonly #options: OfferOptions
  readonly #resolvers = Promise.withResolvers<OfferOutcome>()
  #result: Uint8Array | undefined
  #sentBytes = 0

  constructor(leaseNumber: number, result: Uint8Array, options: OfferOptions) {
    this.leaseNumber = leaseNumber
    this.#result = result
    this.#options = options
    this.outcome = this.#resolvers.promise
  }

  /** @returns a range of the result, or undefined once it is let go. @throws WireError REFUSED with `rangeInvalid` */
  read(offset: number, byteLength: number): Uint8Array | undefined {
    if (this.#result === undefined) return undefined
    if (offset + byteLength <= this.#result.byteLength) return this.#result.subarray(offset, offset + byteLength)
    throw new WireError('REFUSED', `lease ${this.leaseNumber}: ${offset}+${byteLength} is outside the result`, {
      refusal: RefusalCode.rangeInvalid
    })
  }

  /** Bytes were handed to the stream. */
  sent(byteLength: number): void {
    this.#sentBytes += byteLength
    if (this.#result !== undefined) this.#options.onBytes?.(this.#sentBytes)
  }

  /**
   * The submitter has all bytes: the result is let go.
   * @throws WireError FRAME_MALFORMED when it cannot have them, and its buffer would be freed too early
   */
  pulled(): void {
    if (this.#result === undefined) return
    if (this.#sentBytes < this.#result.byteLength) {
      throw new WireError('FRAME_MALFORMED', `lease ${this.leaseNumber}: pulled before all of it was sent`)
    }
    this.#result = undefined
    this.#options.onPulled?.()
  }

  /** The verdict came. */
  close(outcome: OfferOutcome): void {
    this.#result = undefined
    this.#resolvers.resolve(outcome)
  }

  /** The worker gave up, or the stream ended. */
  giveUp(reason: unknown): void {
    this.#result = undefined
    this.#resolvers.reject(reason)
  }
}
