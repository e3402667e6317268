import { type BulkStream, refused } from './bulk-stream.ts'
import { type FrameHeader, FrameType, RANGE_BYTES_MAX } from './frame.ts'
import type { DataTarget } from './frame-parser.ts'
import { Pull, Range } from './range-pull.ts'
import { WireError } from './wire-error.ts'

/** Ranges that one stream may have asked for and not received. */
export const PULLS_OUTSTANDING_MAX = 64
/** Bytes that one stream may have asked for and not received: what is in flight, and so what a stream costs in memory. */
export const PULL_BYTES_OUTSTANDING_MAX = 8 * RANGE_BYTES_MAX

/** How a pull reports; `onBytes` gets the bytes that have arrived so far. */
export interface PullOptions {
  readonly signal: AbortSignal
  readonly onBytes?: (received: number) => void
}

/** How the ranges of one stream are asked for. */
export interface RangePullerOptions {
  /**
   * Asks for at most this many bytes of each pull first, and for the rest once these have arrived: for answers that may
   * have to wait, so that those which do leave room for the others. By default a pull asks for all that there is room for.
   */
  readonly firstRangeBytes?: number
}

/**
 * The receiving end of one stream: asks for ranges of several leases in turn, a bounded number of bytes ahead, and puts
 * what arrives in its place. A pull that was given up writes nothing more, and what was asked for it is dropped on
 * arrival.
 */
export class RangePuller {
  readonly #bulk: BulkStream
  readonly #firstRangeBytes: number | undefined
  readonly #pulls = new Map<number, Pull>()
  /** Pulls with ranges left to ask for, the next one first. */
  readonly #turns: Pull[] = []
  #outstandingCount = 0
  #outstandingBytes = 0

  constructor(bulk: BulkStream, options: RangePullerOptions = {}) {
    this.#bulk = bulk
    this.#firstRangeBytes = options.firstRangeBytes
    const end = (): void => {
      for (const pull of this.#pulls.values()) pull.settle(bulk.signal.reason)
      this.#pulls.clear()
    }
    bulk.signal.addEventListener('abort', end, { once: true })
  }

  /** Whether ranges are asked for and not answered. */
  get isWaiting(): boolean {
    return this.#outstandingCount > 0
  }

  /**
   * Pulls all of a lease's bytes into `into`.
   * @throws WireError REFUSED; LIMIT_EXCEEDED when the lease is being pulled already; why the stream ended; or the
   *   signal's reason
   */
  async pull(leaseNumber: number, into: Uint8Array, options: PullOptions): Promise<void> {
    options.signal.throwIfAborted()
    this.#bulk.life.throwIfEnded()
    if (this.#pulls.has(leaseNumber)) {
      throw new WireError('LIMIT_EXCEEDED', `lease ${leaseNumber} is being pulled already`)
    }
    if (into.byteLength === 0) return
    const pull = new Pull(leaseNumber, into, { onBytes: options.onBytes, firstRangeBytes: this.#firstRangeBytes })
    const abort = (): void => this.#giveUp(pull, options.signal.reason)
    options.signal.addEventListener('abort', abort, { once: true })
    this.#pulls.set(leaseNumber, pull)
    this.#turns.push(pull)
    try {
      this.#askForMore()
    } catch (error) {
      this.#giveUp(pull, error)
    }
    try {
      await pull.outcome
    } finally {
      options.signal.removeEventListener('abort', abort)
    }
  }

  /** A DATA header came. @throws WireError FRAME_MALFORMED when it is no answer to a range asked for */
  onData(header: FrameHeader): DataTarget {
    return this.#find(header).range
  }

  /** A refusal of a range came. @throws WireError FRAME_MALFORMED when it is no answer to a range asked for */
  onRefuse(header: FrameHeader): void {
    const { pull, range } = this.#find(header)
    pull.settle(refused(header, `lease ${header.leaseNumber}: the range at ${header.offset} was refused`))
    this.#answered(pull, range)
  }

  #find(header: FrameHeader): { pull: Pull; range: Range } {
    const pull = this.#pulls.get(header.leaseNumber)
    const range = pull?.outstanding.get(header.offset)
    if (pull === undefined || range?.byteLength !== header.byteLength) {
      const what = `${header.offset}+${header.byteLength} of lease ${header.leaseNumber}`
      throw new WireError('FRAME_MALFORMED', `an answer came for ${what}, which is not asked for`)
    }
    return { pull, range }
  }

  #askForMore(): void {
    this.#bulk.openLane()
    const headers: FrameHeader[] = []
    for (let pull = this.#turns[0]; pull !== undefined; pull = this.#turns[0]) {
      const { nextOffset: offset, nextByteLength: byteLength } = pull
      if (!this.#hasRoom(byteLength)) break
      this.#turns.shift()
      pull.ask(new Range(pull, offset, byteLength, (range) => this.#answered(range.pull, range)))
      if (pull.hasMore && !pull.awaitsFirst) this.#turns.push(pull)
      this.#outstandingCount += 1
      this.#outstandingBytes += byteLength
      headers.push({ type: FrameType.pull, code: 0, leaseNumber: pull.leaseNumber, offset, byteLength })
    }
    this.#bulk.sendHeaders(headers)
  }

  #hasRoom(byteLength: number): boolean {
    if (this.#outstandingCount >= PULLS_OUTSTANDING_MAX) return false
    return this.#outstandingBytes + byteLength <= PULL_BYTES_OUTSTANDING_MAX
  }

  #answered(pull: Pull, range: Range): void {
    pull.outstanding.delete(range.offset)
    this.#outstandingCount -= 1
    this.#outstandingBytes -= range.byteLength
    if (!pull.hasMore && pull.outstanding.size === 0) pull.settle()
    if (pull.awaitsFirst) {
      pull.awaitsFirst = false
      if (!pull.isSettled) this.#turns.push(pull)
    }
    this.#forgetIfDone(pull)
    this.#askForMore()
  }

  #giveUp(pull: Pull, error: unknown): void {
    pull.settle(error)
    this.#forgetIfDone(pull)
  }

  #forgetIfDone(pull: Pull): void {
    if (!pull.isSettled) return
    const turn = this.#turns.indexOf(pull)
    if (turn >= 0) this.#turns.splice(turn, 1)
    // Until the last answer is in, the lease's number stays taken: answers name nothing but lease and offset.
    if (pull.outstanding.size === 0) this.#pulls.delete(pull.leaseNumber)
  }
}
