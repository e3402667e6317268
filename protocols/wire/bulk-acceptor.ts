import type { AbortOptions, Connection, Stream, StreamHandler, StreamHandlerOptions } from '@libp2p/interface'
import { BULK_STREAMS_MAX, type BulkOptions, BulkStream } from './bulk-stream.ts'
import { asWireError } from './stream-life.ts'
import { RefusalCode, WireError } from './wire-error.ts'

/** What our protocols need of libp2p: where handlers are registered. */
export interface ProtocolComponents {
  readonly registrar: {
    handle(protocol: string, handler: StreamHandler, options?: StreamHandlerOptions & AbortOptions): Promise<void>
    unhandle(protocol: string): Promise<void>
  }
}

/** How incoming streams of one bulk protocol are served. */
export interface BulkAcceptance {
  readonly protocol: string
  /** Why no stream is served now; undefined when streams are. */
  refusal(): RefusalCode | undefined
  /** Attaches a role to an accepted stream, synchronously. */
  serve(bulk: BulkStream, connection: Connection): void
}

/** Accepts one stream per connection for a bulk protocol, and ends them all when the protocol stops. */
export class BulkAcceptor {
  readonly #registrar: ProtocolComponents['registrar']
  readonly #acceptance: BulkAcceptance
  readonly #options: BulkOptions
  readonly #live = new Map<Connection, BulkStream>()

  constructor(components: ProtocolComponents, acceptance: BulkAcceptance, options: BulkOptions) {
    this.#registrar = components.registrar
    this.#acceptance = acceptance
    this.#options = options
  }

  async start(): Promise<void> {
    const handler: StreamHandler = (stream, connection) => this.#accept(stream, connection)
    await this.#registrar.handle(this.#acceptance.protocol, handler, {
      maxInboundStreams: BULK_STREAMS_MAX,
      maxOutboundStreams: BULK_STREAMS_MAX
    })
  }

  async stop(): Promise<void> {
    await this.#registrar.unhandle(this.#acceptance.protocol)
    for (const bulk of this.#live.values()) bulk.life.fail(new WireError('STREAM_ENDED', 'the protocol was stopped'))
  }

  #accept(stream: Stream, connection: Connection): void {
    const bulk = new BulkStream(stream, connection, this.#options)
    try {
      this.#options.prepare?.(stream, connection)
      const refusal = this.#live.has(connection) ? RefusalCode.busy : this.#acceptance.refusal()
      if (refusal !== undefined) {
        bulk.refuseStream(refusal).catch((error) => bulk.life.fail(asWireError(error)))
        return
      }
      this.#acceptance.serve(bulk, connection)
      this.#live.set(connection, bulk)
      bulk.signal.addEventListener('abort', () => this.#live.delete(connection), { once: true })
      bulk.sendReady()
    } catch (error) {
      bulk.life.fail(asWireError(error))
    }
  }
}
