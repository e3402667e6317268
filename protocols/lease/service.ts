import type { ComponentLogger, Connection, Logger, Startable, Stream } from '@libp2p/interface'
import type { ProtocolComponents } from '../wire/bulk-acceptor.ts'
import { ControlStream } from '../wire/control-stream.ts'
import { endControl, openControl } from '../wire/open-control.ts'
import { asWireError } from '../wire/stream-life.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { WorkerSession } from './client.ts'
import { SUBMITTER_CODEC, type SubmitterControl, WORKER_CODEC } from './codecs.ts'
import { HANDSHAKE_TIMEOUT_MS, LEASE_PROTOCOL, LEASE_STREAMS_MAX } from './constants.ts'
import { SubmitterSession } from './server.ts'
import type { LeaseClient, LeaseClientHandler, LeaseHandler, LeaseService, WorkerHello } from './types.ts'

/** What the service needs of libp2p. */
export interface LeaseComponents extends ProtocolComponents {
  readonly logger: ComponentLogger
}

/** Options of the service. */
export interface LeaseInit {
  /** Monotonic milliseconds, for the limits on message rates; by default the process's own clock. */
  readonly nowMs?: () => number
}

/** The lease protocol as a libp2p service. Owns the streams of both roles; ends them when it stops. */
export class Lease implements LeaseService, Startable {
  readonly [Symbol.toStringTag] = '@swarm/lease'
  readonly #components: LeaseComponents
  readonly #log: Logger
  readonly #nowMs: () => number
  /** Connections that have their one lease stream, as seen by the submitter. */
  readonly #served = new Set<Connection>()
  readonly #sessions = new Set<SubmitterSession>()
  readonly #clients = new Set<WorkerSession>()
  readonly #tasks = new Set<Promise<void>>()
  #handler: LeaseHandler | undefined

  constructor(components: LeaseComponents, init: LeaseInit = {}) {
    this.#components = components
    this.#log = components.logger.forComponent('swarm:lease')
    this.#nowMs = init.nowMs ?? (() => performance.now())
  }

  async start(): Promise<void> {
    await this.#components.registrar.handle(
      LEASE_PROTOCOL,
      (stream, connection) => this.#onStream(stream, connection),
      {
        maxInboundStreams: LEASE_STREAMS_MAX,
        maxOutboundStreams: LEASE_STREAMS_MAX,
        runOnLimitedConnection: true
      }
    )
  }

  /** Ends the streams while their connections still stand, so that the other side is told. */
  async beforeStop(): Promise<void> {
    for (const session of this.#sessions) session.close()
    for (const client of this.#clients) this.#watch(client.close())
    await Promise.allSettled(this.#tasks)
  }

  async stop(): Promise<void> {
    await this.#components.registrar.unhandle(LEASE_PROTOCOL)
  }

  setHandler(handler: LeaseHandler | undefined): void {
    this.#handler = handler
  }

  open(
    connection: Connection,
    hello: WorkerHello,
    handler: LeaseClientHandler,
    options: { signal: AbortSignal }
  ): Promise<LeaseClient> {
    const opening = {
      signal: options.signal,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      streamsMax: LEASE_STREAMS_MAX,
      runOnLimitedConnection: true
    }
    return openControl(connection, LEASE_PROTOCOL, WORKER_CODEC, opening, async (control, waiting) => {
      control.send({ type: 'hello', hello })
      const answer = await control.read(waiting)
      if (answer?.type === 'refused') throw refusedError(answer.code)
      if (answer?.type !== 'welcome') {
        throw new WireError('MESSAGE_MALFORMED', `hello: expected a welcome, got ${answer?.type ?? 'the end'}`)
      }
      const client = new WorkerSession(connection.remotePeer, control, handler, this.#log)
      this.#clients.add(client)
      this.#watch(client.run().finally(() => this.#clients.delete(client)))
      return client
    })
  }

  /** Attaches to the stream at once: what comes before is lost otherwise. */
  #onStream(stream: Stream, connection: Connection): void {
    const control = new ControlStream(stream, SUBMITTER_CODEC)
    this.#watch(this.#serve(control, connection).catch((error) => this.#abort(control, error)))
  }

  async #serve(control: SubmitterControl, connection: Connection): Promise<void> {
    const message = await control.read({ signal: control.signal, timeoutMs: HANDSHAKE_TIMEOUT_MS })
    if (message?.type !== 'hello') throw new WireError('MESSAGE_MALFORMED', 'a lease stream starts with a hello')
    if (this.#served.has(connection)) return await refuse(control, RefusalCode.busy)
    if (this.#handler === undefined) return await refuse(control, RefusalCode.unknownJob)
    this.#served.add(connection)
    try {
      const { hello } = message
      const session = new SubmitterSession({ control, connection, hello, log: this.#log, nowMs: this.#nowMs })
      this.#sessions.add(session)
      await session.run(this.#handler).finally(() => this.#sessions.delete(session))
    } finally {
      this.#served.delete(connection)
    }
  }

  #abort(control: SubmitterControl, error: unknown): void {
    this.#log.error('lease stream refused - %e', error)
    control.abort(asWireError(error))
  }

  #watch(task: Promise<void>): void {
    const watched = task
      .catch((error) => this.#log.error('lease stream failed - %e', error))
      .finally(() => this.#tasks.delete(watched))
    this.#tasks.add(watched)
  }
}

async function refuse(control: SubmitterControl, code: RefusalCode): Promise<void> {
  control.send({ type: 'refused', code })
  await endControl(control)
}

function refusedError(code: RefusalCode): WireError {
  const options = { refusal: code }
  if (code === RefusalCode.busy)
    return new WireError('STREAM_BUSY', 'this connection has a lease stream already', options)
  return new WireError('REFUSED', `the lease stream was refused with code ${code}`, options)
}
