import type { Connection } from '@libp2p/interface'
import { type BulkOptions, type BulkStream, openBulk } from '../wire/bulk-stream.ts'
import { CLAIM_BYTES_MAX } from '../wire/constants.ts'
import { type FrameHeader, FrameType, UINT32_MAX } from '../wire/frame.ts'
import { RangeServer } from '../wire/range-server.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { OFFERS_OPEN_MAX, RESULT_PROTOCOL } from './constants.ts'
import { Offer } from './offer.ts'
import type { OfferOptions, OfferOutcome, ResultClient } from './types.ts'

/** Opens the result stream on a connection. @throws WireError STREAM_BUSY, REFUSED, STREAM_ENDED, TIMED_OUT */
export async function openResultClient(
  connection: Connection,
  options: BulkOptions & { readonly signal: AbortSignal }
): Promise<ResultClient> {
  return new WorkerResultStream(await openBulk(connection, RESULT_PROTOCOL, options))
}

/** The worker's end: offers, serves what is pulled of the offers, and waits for verdicts. */
class WorkerResultStream implements ResultClient {
  readonly #bulk: BulkStream
  readonly #ranges: RangeServer
  /** Offers without a verdict, those that were given up included. */
  readonly #offers = new Map<number, Offer>()

  constructor(bulk: BulkStream) {
    this.#bulk = bulk
    this.#ranges = new RangeServer(
      bulk,
      (header) => this.#read(header),
      ({ leaseNumber, byteLength }) => this.#offers.get(leaseNumber)?.sent(byteLength)
    )
    bulk.attach({
      isWaiting: () => this.#ranges.isWaiting,
      onData: () => {
        throw malformed('the submitter sent data')
      },
      onFrame: (header, payload) => this.#onFrame(header, payload)
    })
    bulk.signal.addEventListener('abort', () => this.#onEnd(), { once: true })
  }

  get signal(): AbortSignal {
    return this.#bulk.signal
  }

  async offer(
    leaseNumber: number,
    result: Uint8Array,
    claim: Uint8Array,
    options: OfferOptions
  ): Promise<OfferOutcome> {
    options.signal.throwIfAborted()
    this.#bulk.life.throwIfEnded()
    if (claim.byteLength === 0 || claim.byteLength > CLAIM_BYTES_MAX || result.byteLength > UINT32_MAX) {
      throw new WireError('LIMIT_EXCEEDED', `lease ${leaseNumber}: claim or result has a length that cannot be offered`)
    }
    if (this.#offers.size >= OFFERS_OPEN_MAX || this.#offers.has(leaseNumber)) {
      throw new WireError(
        'LIMIT_EXCEEDED',
        `lease ${leaseNumber}: it, or ${OFFERS_OPEN_MAX} others, are offered already`
      )
    }
    const header = { type: FrameType.offer, code: 0, leaseNumber, offset: result.byteLength } as const
    this.#bulk.send({ ...header, byteLength: claim.byteLength }, claim)
    const offer = new Offer(leaseNumber, result, options)
    this.#offers.set(leaseNumber, offer)
    const abort = (): void => offer.giveUp(options.signal.reason)
    options.signal.addEventListener('abort', abort, { once: true })
    try {
      return await offer.outcome
    } finally {
      options.signal.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    await this.#bulk.close()
  }

  #onFrame(header: FrameHeader, payload: Uint8Array): void {
    switch (header.type) {
      case FrameType.pull:
        this.#ranges.onPull(header)
        return
      case FrameType.pulled:
        this.#find(header).pulled()
        return
      case FrameType.receipt:
        this.#close(header, { outcome: 'receipted', receipt: payload })
        return
      case FrameType.refuse:
        // The parser lets no refusal through without a known code.
        if (header.code !== 0) this.#close(header, { outcome: 'refused', code: header.code })
        return
      default:
        throw malformed(`the submitter sent a frame of type ${header.type}`)
    }
  }

  #read(header: FrameHeader): Uint8Array {
    const bytes = this.#offers.get(header.leaseNumber)?.read(header.offset, header.byteLength)
    if (bytes !== undefined) return bytes
    throw new WireError('REFUSED', `lease ${header.leaseNumber} is not offered`, { refusal: RefusalCode.unknownLease })
  }

  #close(header: FrameHeader, outcome: OfferOutcome): void {
    const offer = this.#find(header)
    this.#offers.delete(header.leaseNumber)
    offer.close(outcome)
  }

  #find(header: FrameHeader): Offer {
    const offer = this.#offers.get(header.leaseNumber)
    if (offer === undefined) throw malformed(`a verdict on lease ${header.leaseNumber}, which is not offered`)
    return offer
  }

  #onEnd(): void {
    for (const offer of this.#offers.values()) offer.giveUp(this.signal.reason)
    this.#offers.clear()
  }
}

function malformed(what: string): WireError {
  return new WireError('FRAME_MALFORMED', `result stream: ${what}`)
}
