import { RANGE_BYTES_MAX } from './frame.ts'
import type { DataTarget } from './frame-parser.ts'

/** What a pull is made of beside its number and place. */
export interface PullInit {
  readonly onBytes: ((received: number) => void) | undefined
  /** Upper bound of the first range, which then is awaited before others are asked for; undefined asks for all at once. */
  readonly firstRangeBytes: number | undefined
}

/** One lease's bytes on their way: `asking → all asked → settled`, or `settled` at any time by an error. */
export class Pull {
  readonly leaseNumber: number
  readonly outstanding = new Map<number, Range>()
  readonly outcome: Promise<void>
  readonly #into: Uint8Array
  readonly #onBytes: ((received: number) => void) | undefined
  readonly #resolvers = Promise.withResolvers<void>()
  readonly #firstRangeBytes: number
  #receivedBytes = 0
  nextOffset = 0
  isSettled = false
  /** Whether the rest is asked for only after the first range was answered. */
  awaitsFirst: boolean

  constructor(leaseNumber: number, into: Uint8Array, options: PullInit) {
    this.leaseNumber = leaseNumber
    this.#into = into
    this.#onBytes = options.onBytes
    this.#firstRangeBytes = options.firstRangeBytes ?? RANGE_BYTES_MAX
    this.awaitsFirst = options.firstRangeBytes !== undefined
    this.outcome = this.#resolvers.promise
  }

  get hasMore(): boolean {
    return this.nextOffset < this.#into.byteLength
  }

  get nextByteLength(): number {
    const most = this.nextOffset === 0 ? this.#firstRangeBytes : RANGE_BYTES_MAX
    return Math.min(most, this.#into.byteLength - this.nextOffset)
  }

  view(offset: number, byteLength: number): Uint8Array {
    return this.#into.subarray(offset, offset + byteLength)
  }

  ask(range: Range): void {
    this.outstanding.set(range.offset, range)
    this.nextOffset += range.byteLength
  }

  received(byteLength: number): void {
    this.#receivedBytes += byteLength
    if (!this.isSettled) this.#onBytes?.(this.#receivedBytes)
  }

  settle(error?: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    for (const range of this.outstanding.values()) range.into = undefined
    if (error === undefined) this.#resolvers.resolve()
    else this.#resolvers.reject(error)
  }
}

/** One range that was asked for. */
export class Range implements DataTarget {
  readonly pull: Pull
  readonly offset: number
  readonly byteLength: number
  readonly #onAnswered: (range: Range) => void
  into: Uint8Array | undefined

  constructor(pull: Pull, offset: number, byteLength: number, onAnswered: (range: Range) => void) {
    this.pull = pull
    this.offset = offset
    this.byteLength = byteLength
    this.#onAnswered = onAnswered
    this.into = pull.view(offset, byteLength)
  }

  onReceived(byteLength: number): void {
    this.pull.received(byteLength)
  }

  onWhole(): void {
    this.#onAnswered(this)
  }
}
