import type { Connection, Logger, PeerId } from '@libp2p/interface'
import { endControl } from '../wire/open-control.ts'
import { asWireError } from '../wire/stream-life.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import type { SubmitterControl } from './codecs.ts'
import {
  CLAIM_BUSY_RETRY_MS,
  CLAIMS_PENDING_MAX,
  HEARTBEAT_BURST_MAX,
  HEARTBEATS_PER_SECOND_MAX,
  IDLE_MESSAGE_BURST_MAX,
  IDLE_MESSAGES_PER_SECOND_MAX,
  OPERAND_MESSAGE_BURST_MAX,
  OPERAND_MESSAGES_PER_SECOND_MAX
} from './constants.ts'
import { batchLeaseNumbers } from './lease-numbers.ts'
import { RateLimit } from './rate-limit.ts'
import type { SubmitterMessage } from './submitter-messages.ts'
import type { LeaseHandler, LeaseSession, LeaseSessionHandler, WorkerHello } from './types.ts'
import type { WorkerMessage } from './worker-messages.ts'

type ClaimMessage = Extract<WorkerMessage, { type: 'claim' }>

/** What a session is made of. */
export interface SubmitterSessionInit {
  readonly control: SubmitterControl
  readonly connection: Connection
  readonly hello: WorkerHello
  readonly log: Logger
  /** Monotonic milliseconds, for the limits on message rates. */
  readonly nowMs: () => number
}

/**
 * The submitter's end of one lease stream, from welcome to end. Reads one message after the other; only claims are
 * answered out of order, so that a claim that waits for the disk delays no heartbeat.
 */
export class SubmitterSession implements LeaseSession {
  readonly peerId: PeerId
  readonly connection: Connection
  readonly hello: WorkerHello
  readonly #control: SubmitterControl
  readonly #log: Logger
  readonly #nowMs: () => number
  readonly #idleMessages: RateLimit
  readonly #heartbeats: RateLimit
  readonly #operandMessages: RateLimit
  readonly #ended = new AbortController()
  #claimsPending = 0

  constructor(init: SubmitterSessionInit) {
    this.peerId = init.connection.remotePeer
    this.connection = init.connection
    this.hello = init.hello
    this.#control = init.control
    this.#log = init.log
    this.#nowMs = init.nowMs
    this.#idleMessages = new RateLimit(IDLE_MESSAGE_BURST_MAX, IDLE_MESSAGES_PER_SECOND_MAX, init.nowMs())
    this.#heartbeats = new RateLimit(HEARTBEAT_BURST_MAX, HEARTBEATS_PER_SECOND_MAX, init.nowMs())
    this.#operandMessages = new RateLimit(OPERAND_MESSAGE_BURST_MAX, OPERAND_MESSAGES_PER_SECOND_MAX, init.nowMs())
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  revoke(leaseNumbers: readonly number[], reason: RefusalCode): void {
    for (const batch of batchLeaseNumbers(leaseNumbers)) this.#send({ type: 'revoked', leaseNumbers: batch, reason })
  }

  wake(jobId: string): void {
    this.#send({ type: 'wake', jobId })
  }

  close(): void {
    this.#ended.abort(new WireError('STREAM_ENDED', `the session with ${this.peerId} was closed`))
  }

  /** Serves the stream until it ends. Never rejects. */
  async run(leaseHandler: LeaseHandler): Promise<void> {
    let handler: LeaseSessionHandler | undefined
    // At once when the connection dies, though messages that came before may still wait to be read.
    this.#control.signal.addEventListener('abort', () => this.#ended.abort(this.#control.signal.reason), { once: true })
    try {
      this.#send({ type: 'welcome' })
      handler = leaseHandler.onSession(this)
      for await (const message of this.#control.messages({ signal: this.signal })) this.#onMessage(message, handler)
      this.close()
    } catch (error) {
      this.#fail(error)
    } finally {
      handler?.onClose()
    }
    await endControl(this.#control)
  }

  #onMessage(message: WorkerMessage, handler: LeaseSessionHandler): void {
    switch (message.type) {
      case 'claim':
        this.#onClaim(message, handler)
        return
      case 'heartbeat':
        if (!this.#heartbeats.take(this.#nowMs())) {
          throw new WireError('LIMIT_EXCEEDED', `${this.peerId} sends heartbeats too often`)
        }
        this.#send({
          type: 'heartbeat-ack',
          requestId: message.requestId,
          gone: handler.onHeartbeat(message.progress)
        })
        return
      case 'release':
        this.#spendIdleMessage()
        handler.onRelease(message.leaseNumbers, message.reason)
        return
      case 'operands':
        if (!this.#operandMessages.take(this.#nowMs())) {
          throw new WireError('LIMIT_EXCEEDED', `${this.peerId} tells what it holds too often`)
        }
        handler.onOperands(message.changes)
        return
      case 'hello':
        throw new WireError('MESSAGE_MALFORMED', `${this.peerId} said hello twice`)
    }
  }

  #onClaim(claim: ClaimMessage, handler: LeaseSessionHandler): void {
    if (this.#claimsPending >= CLAIMS_PENDING_MAX) {
      this.#spendIdleMessage()
      const reply = { grants: [], refusal: RefusalCode.busy, retryAfterMs: CLAIM_BUSY_RETRY_MS }
      this.#send({ type: 'claim-answer', requestId: claim.requestId, reply })
      return
    }
    this.#claimsPending += 1
    this.#answer(claim, handler)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#claimsPending -= 1
      })
  }

  async #answer(claim: ClaimMessage, handler: LeaseSessionHandler): Promise<void> {
    const { jobId, count, requestId } = claim
    const reply = await handler.onClaim({ jobId, count }, { signal: this.signal })
    if (reply.refusal !== undefined) this.#spendIdleMessage()
    this.#send({ type: 'claim-answer', requestId, reply })
  }

  /** Counts a message that moved no work. Claims that are granted are not limited: work itself limits them. */
  #spendIdleMessage(): void {
    if (this.#idleMessages.take(this.#nowMs())) return
    throw new WireError('LIMIT_EXCEEDED', `${this.peerId} floods its lease stream`)
  }

  /** Does nothing once the session is over: `onClose` has told the handler. */
  #send(message: SubmitterMessage): void {
    if (this.signal.aborted) return
    try {
      this.#control.send(message)
    } catch (error) {
      const wireError = asWireError(error)
      // Our own message is out of range: the caller must hear of it.
      if (wireError.code === 'MESSAGE_MALFORMED') throw wireError
      this.#fail(wireError)
    }
  }

  #fail(error: unknown): void {
    if (this.signal.aborted) return
    this.#log.error('lease stream of %p failed - %e', this.peerId, error)
    const wireError = asWireError(error)
    this.#control.abort(wireError)
    this.#ended.abort(wireError)
  }
}
