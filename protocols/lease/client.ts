import type { Logger, PeerId } from '@libp2p/interface'
import { endControl } from '../wire/open-control.ts'
import { asWireError } from '../wire/stream-life.ts'
import { WireError } from '../wire/wire-error.ts'
import type { WorkerControl } from './codecs.ts'
import { CLAIM_TIMEOUT_MS, CLAIMS_PENDING_MAX, HEARTBEAT_TIMEOUT_MS, HEARTBEATS_PENDING_MAX } from './constants.ts'
import { batchLeaseNumbers } from './lease-numbers.ts'
import { RequestTable } from './request-table.ts'
import type { SubmitterMessage } from './submitter-messages.ts'
import type {
  ClaimReply,
  LeaseClient,
  LeaseClientHandler,
  LeaseProgress,
  OperandChanges,
  ReleaseReason
} from './types.ts'
import type { WorkerMessage } from './worker-messages.ts'

interface Claim {
  readonly jobId: string
  readonly count: number
}

/** The worker's end of one lease stream, once it was welcomed. Owns the open requests. */
export class WorkerSession implements LeaseClient {
  readonly peerId: PeerId
  readonly #control: WorkerControl
  readonly #handler: LeaseClientHandler
  readonly #log: Logger
  readonly #ended = new AbortController()
  readonly #claims = new RequestTable<Claim, ClaimReply>('claim', {
    pendingMax: CLAIMS_PENDING_MAX,
    timeoutMs: CLAIM_TIMEOUT_MS
  })
  readonly #heartbeats = new RequestTable<undefined, readonly number[]>('heartbeat', {
    pendingMax: HEARTBEATS_PENDING_MAX,
    timeoutMs: HEARTBEAT_TIMEOUT_MS
  })

  constructor(peerId: PeerId, control: WorkerControl, handler: LeaseClientHandler, log: Logger) {
    this.peerId = peerId
    this.#control = control
    this.#handler = handler
    this.#log = log
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  claim(claim: Claim, options: { signal: AbortSignal }): Promise<ClaimReply> {
    const { jobId, count } = claim
    return this.#claims.ask(
      { jobId, count },
      (requestId) => this.#sendOrThrow(() => this.#control.send({ type: 'claim', requestId, jobId, count })),
      options
    )
  }

  heartbeat(progress: readonly LeaseProgress[], options: { signal: AbortSignal }): Promise<readonly number[]> {
    return this.#heartbeats.ask(
      undefined,
      (requestId) => this.#sendOrThrow(() => this.#control.send({ type: 'heartbeat', requestId, progress })),
      options
    )
  }

  release(leaseNumbers: readonly number[], reason: ReleaseReason): void {
    for (const batch of batchLeaseNumbers(leaseNumbers)) this.#tell({ type: 'release', leaseNumbers: batch, reason })
  }

  tellOperands(changes: OperandChanges): void {
    if (changes.added.length + changes.dropped.length > 0) this.#tell({ type: 'operands', changes })
  }

  async close(): Promise<void> {
    await endControl(this.#control)
  }

  /** Serves the stream until it ends. Never rejects. */
  async run(): Promise<void> {
    this.#control.signal.addEventListener('abort', () => this.#end(this.#control.signal.reason), { once: true })
    try {
      for await (const message of this.#control.messages({ signal: this.signal })) this.#onMessage(message)
      this.#end(new WireError('STREAM_ENDED', `${this.peerId} closed the lease stream`))
    } catch (error) {
      if (!this.signal.aborted) this.#log.error('lease stream to %p failed - %e', this.peerId, error)
      this.#control.abort(asWireError(error))
      this.#end(asWireError(error))
    }
    await endControl(this.#control)
  }

  #onMessage(message: SubmitterMessage): void {
    switch (message.type) {
      case 'heartbeat-ack':
        this.#heartbeats.answer(message.requestId, message.gone)
        return
      case 'claim-answer':
        this.#onClaimAnswer(message.requestId, message.reply)
        return
      case 'revoked':
        this.#handler.onRevoked(message.leaseNumbers, message.reason)
        return
      case 'wake':
        this.#handler.onWake(message.jobId)
        return
      case 'welcome':
      case 'refused':
        throw new WireError('MESSAGE_MALFORMED', `${this.peerId} sent ${message.type} after the first message`)
    }
  }

  #onClaimAnswer(requestId: number, reply: ClaimReply): void {
    const { jobId, count } = this.#claims.question(requestId)
    if (reply.grants.length > count || reply.grants.some((grant) => grant.jobId !== jobId)) {
      throw new WireError('MESSAGE_MALFORMED', `${this.peerId} granted what was not claimed`)
    }
    const { abandoned } = this.#claims.answer(requestId, reply)
    // Nobody waits for these leases any more: give them back at once rather than let them time out.
    if (abandoned)
      this.release(
        reply.grants.map((grant) => grant.leaseNumber),
        'expired'
      )
  }

  /** Sends what has no answer; does nothing once the session is over. */
  #tell(message: WorkerMessage): void {
    if (this.signal.aborted) return
    try {
      this.#control.send(message)
    } catch (error) {
      const wireError = asWireError(error)
      // Our own message is out of range: the caller must hear of it.
      if (wireError.code === 'MESSAGE_MALFORMED') throw wireError
      this.#end(wireError)
    }
  }

  #sendOrThrow(send: () => void): void {
    if (this.signal.aborted) throw this.signal.reason
    send()
  }

  #end(error: WireError): void {
    if (this.signal.aborted) return
    this.#ended.abort(error)
    this.#claims.fail(error)
    this.#heartbeats.fail(error)
  }
}
