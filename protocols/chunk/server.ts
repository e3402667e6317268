import type { Connection, PeerId, Startable } from '@libp2p/interface'
import { BulkAcceptor, type ProtocolComponents } from '../wire/bulk-acceptor.ts'
import type { BulkOptions, BulkStream } from '../wire/bulk-stream.ts'
import { type FrameHeader, FrameType } from '../wire/frame.ts'
import { RangeServer } from '../wire/range-server.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { openChunkClient } from './client.ts'
import { CHUNK_PROTOCOL } from './constants.ts'
import type { ChunkClient, ChunkHandler, ChunkService } from './types.ts'

/** The chunk protocol of one peer: serves what its handler reads, and opens streams to other submitters. */
export class ChunkProtocol implements ChunkService, Startable {
  readonly #acceptor: BulkAcceptor
  readonly #options: BulkOptions
  #handler: ChunkHandler | undefined

  constructor(components: ProtocolComponents, options: BulkOptions = {}) {
    this.#options = options
    const acceptance = {
      protocol: CHUNK_PROTOCOL,
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

  setHandler(handler: ChunkHandler | undefined): void {
    this.#handler = handler
  }

  async open(connection: Connection, options: { signal: AbortSignal }): Promise<ChunkClient> {
    return openChunkClient(connection, { ...this.#options, ...options })
  }

  #serve(bulk: BulkStream, peerId: PeerId): void {
    const ranges = new RangeServer(
      bulk,
      (header) => this.#read(peerId, header, bulk.signal),
      ({ leaseNumber, offset, byteLength }, { isRead }) => {
        if (isRead) this.#handler?.onRead(peerId, { leaseNumber, offset, byteLength })
      }
    )
    bulk.attach({
      isWaiting: () => ranges.isWaiting,
      onData: () => {
        throw new WireError('FRAME_MALFORMED', `chunk stream: ${peerId} sent data, which nobody asked for`)
      },
      onFrame: (header) => {
        if (header.type !== FrameType.pull) {
          throw new WireError('FRAME_MALFORMED', `chunk stream: ${peerId} sent a frame of type ${header.type}`)
        }
        ranges.onPull(header)
      }
    })
  }

  #read(peerId: PeerId, header: FrameHeader, signal: AbortSignal): Promise<Uint8Array> {
    const { leaseNumber, offset, byteLength } = header
    if (this.#handler !== undefined) return this.#handler.read(peerId, { leaseNumber, offset, byteLength }, { signal })
    throw new WireError('REFUSED', `lease ${leaseNumber} is served no more`, { refusal: RefusalCode.unknownLease })
  }
}
