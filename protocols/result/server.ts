import type { Connection, PeerId, Startable } from '@libp2p/interface'
import { BulkAcceptor, type ProtocolComponents } from '../wire/bulk-acceptor.ts'
import type { BulkOptions, BulkStream } from '../wire/bulk-stream.ts'
import { RECEIPT_BYTES_MAX } from '../wire/constants.ts'
import { type FrameHeader, FrameType } from '../wire/frame.ts'
import { type PullOptions, RangePuller } from '../wire/range-puller.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { openResultClient } from './client.ts'
import { OFFERS_OPEN_MAX, RESULT_PROTOCOL } from './constants.ts'
import type { IncomingOffer, ResultClient, ResultHandler, ResultService } from './types.ts'

/** The result protocol of one peer: takes offers for its handler, and opens streams to other submitters. */
export class ResultProtocol implements ResultService, Startable {
  readonly #acceptor: BulkAcceptor
  readonly #options: BulkOptions
  #handler: ResultHandler | undefined

  constructor(components: ProtocolComponents, options: BulkOptions = {}) {
    this.#options = options
    const acceptance = {
      protocol: RESULT_PROTOCOL,
      refusal: () => (this.#handler === undefined ? RefusalCode.unknownJob : undefined),
      serve: (bulk: BulkStream, connection: Connection) => this.#serve(bulk, connection.remotePeer)
    }
    this.#acceptor = new BulkAcceptor(components, acceptance, options)
  }

  async start(): Promise<void> {
    await this.#acceptor.start()
  }

  async stop(): Promise<void> {
    await this.#acceptor.stop()
  }

  setHandler(handler: ResultHandler | undefined): void {
    this.#handler = handler
  }

  async open(connection: Connection, options: { signal: AbortSignal }): Promise<ResultClient> {
    return openResultClient(connection, { ...this.#options, ...options })
  }

  #serve(bulk: BulkStream, peerId: PeerId): void {
    const stream = new SubmitterResultStream(bulk, peerId, (offer) => {
      if (this.#handler === undefined) offer.refuse(RefusalCode.unknownLease)
      else this.#handler.onOffer(offer)
    })
    bulk.attach(stream)
  }
}

/** The submitter's end of one stream: takes offers, pulls, and sends verdicts. */
class SubmitterResultStream {
  readonly #bulk: BulkStream
  readonly #peerId: PeerId
  readonly #onOffer: (offer: IncomingOffer) => void
  readonly #puller: RangePuller
  /** Leases that were offered and have no verdict yet. */
  readonly #open = new Set<number>()

  constructor(bulk: BulkStream, peerId: PeerId, onOffer: (offer: IncomingOffer) => void) {
    this.#bulk = bulk
    this.#peerId = peerId
    this.#onOffer = onOffer
    this.#puller = new RangePuller(bulk)
  }

  isWaiting(): boolean {
    return this.#puller.isWaiting
  }

  onData(header: FrameHeader): ReturnType<RangePuller['onData']> {
    return this.#puller.onData(header)
  }

  onFrame(header: FrameHeader, payload: Uint8Array): void {
    if (header.type === FrameType.offer) this.#takeOffer(header, payload)
    else if (header.type === FrameType.refuse) this.#puller.onRefuse(header)
    else throw new WireError('FRAME_MALFORMED', `result stream: ${this.#peerId} sent a frame of type ${header.type}`)
  }

  #takeOffer({ leaseNumber, offset: resultBytes }: FrameHeader, claim: Uint8Array): void {
    if (this.#open.has(leaseNumber)) {
      throw new WireError('FRAME_MALFORMED', `result stream: ${this.#peerId} offered lease ${leaseNumber} twice`)
    }
    if (this.#open.size >= OFFERS_OPEN_MAX) {
      throw new WireError('LIMIT_EXCEEDED', `${this.#peerId} has more than ${OFFERS_OPEN_MAX} offers open`)
    }
    this.#open.add(leaseNumber)
    this.#onOffer({
      peerId: this.#peerId,
      leaseNumber,
      resultBytes,
      claim,
      signal: this.#bulk.signal,
      pull: (into, options) => this.#pull(leaseNumber, resultBytes, into, options),
      accept: (receipt) => this.#decide({ type: FrameType.receipt, code: 0, leaseNumber }, receipt),
      refuse: (code) => this.#decide({ type: FrameType.refuse, code, leaseNumber })
    })
  }

  async #pull(leaseNumber: number, resultBytes: number, into: Uint8Array, options: PullOptions): Promise<void> {
    if (into.byteLength !== resultBytes) {
      throw new RangeError(`lease ${leaseNumber}: the buffer has ${into.byteLength} bytes, the result ${resultBytes}`)
    }
    await this.#puller.pull(leaseNumber, into, options)
    if (!this.#open.has(leaseNumber)) return
    this.#bulk.send({ type: FrameType.pulled, code: 0, leaseNumber, offset: 0, byteLength: 0 })
  }

  #decide(verdict: Pick<FrameHeader, 'type' | 'code' | 'leaseNumber'>, receipt?: Uint8Array): void {
    if ((receipt?.byteLength ?? 1) > RECEIPT_BYTES_MAX || receipt?.byteLength === 0) {
      throw new RangeError(`lease ${verdict.leaseNumber}: a receipt has 1 to ${RECEIPT_BYTES_MAX} bytes`)
    }
    const hasEnded = this.#bulk.signal.aborted || this.#bulk.life.hasFailed
    if (hasEnded || !this.#open.delete(verdict.leaseNumber)) return
    this.#bulk.send({ ...verdict, offset: 0, byteLength: receipt?.byteLength ?? 0 }, receipt)
  }
}
