import type { Connection, PeerId, Startable } from '@libp2p/interface'
import { BulkAcceptor, type ProtocolComponents } from '../wire/bulk-acceptor.ts'
import type { BulkOptions, BulkRole, BulkStream } from '../wire/bulk-stream.ts'
import { OPERAND_BYTES_MAX } from '../wire/constants.ts'
import { type FrameHeader, FrameType } from '../wire/frame.ts'
import type { DataTarget } from '../wire/frame-parser.ts'
import { RangeServer } from '../wire/range-server.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { openOperandClient } from './client.ts'
import { OPERAND_PROTOCOL, OPERAND_WAIT_MS } from './constants.ts'
import { NamedBlocks } from './named-blocks.ts'
import type { OperandClient, OperandHandler, OperandService } from './types.ts'

/** How operand streams are opened and served. */
export interface OperandOptions extends BulkOptions {
  /** See {@link OPERAND_WAIT_MS}. */
  readonly waitMs?: number
}

/** The operand protocol of one peer: serves the blocks that its handler reads, and opens streams to other peers. */
export class OperandProtocol implements OperandService, Startable {
  readonly #acceptor: BulkAcceptor
  readonly #options: OperandOptions
  #handler: OperandHandler | undefined

  constructor(components: ProtocolComponents, options: OperandOptions = {}) {
    this.#options = options
    const waitMs = options.waitMs ?? OPERAND_WAIT_MS
    const acceptance = {
      protocol: OPERAND_PROTOCOL,
      refusal: () => (this.#handler === undefined ? RefusalCode.unknownJob : undefined),
      serve: (bulk: BulkStream, connection: Connection) =>
        bulk.attach(new ServedStream(bulk, connection.remotePeer, waitMs, () => this.#handler))
    }
    this.#acceptor = new BulkAcceptor(components, acceptance, options)
  }

  async start(): Promise<void> {
    await this.#acceptor.start()
  }

  async stop(): Promise<void> {
    await this.#acceptor.stop()
  }

  setHandler(handler: OperandHandler | undefined): void {
    this.#handler = handler
  }

  async open(connection: Connection, options: { signal: AbortSignal }): Promise<OperandClient> {
    return openOperandClient(connection, { ...this.#options, ...options })
  }
}

/** The serving end of one stream. Reads wait side by side, so that one which does holds up no other. */
class ServedStream implements BulkRole {
  readonly #peerId: PeerId
  readonly #waitMs: number
  readonly #handler: () => OperandHandler | undefined
  readonly #blocks = new NamedBlocks()
  readonly #ranges: RangeServer

  constructor(bulk: BulkStream, peerId: PeerId, waitMs: number, handler: () => OperandHandler | undefined) {
    this.#peerId = peerId
    this.#waitMs = waitMs
    this.#handler = handler
    this.#ranges = new RangeServer(bulk, (header) => this.#read(header))
    bulk.signal.addEventListener('abort', () => this.#blocks.clear(), { once: true })
  }

  isWaiting(): boolean {
    return this.#ranges.isWaiting
  }

  onData(): DataTarget {
    throw this.#malformed('data, which nobody asked for')
  }

  onFrame(header: FrameHeader, payload: Uint8Array): void {
    switch (header.type) {
      case FrameType.name:
        this.#blocks.name(header.leaseNumber, payload)
        return
      case FrameType.pull:
        // Here, since what a read throws is answered by a refusal.
        this.#blocks.hashOf(header.leaseNumber)
        this.#ranges.onPull(header)
        return
      case FrameType.pulled:
        this.#blocks.letGo(header.leaseNumber)
        return
      default:
        throw this.#malformed(`a frame of type ${header.type}`)
    }
  }

  #read({ leaseNumber, offset, byteLength }: FrameHeader): Promise<Uint8Array> {
    const handler = this.#handler()
    if (handler === undefined) throw refused('blocks are served no more', RefusalCode.inputUnavailable)
    if (offset + byteLength > OPERAND_BYTES_MAX) {
      throw refused(`${offset}+${byteLength} is beyond ${OPERAND_BYTES_MAX} bytes`, RefusalCode.rangeInvalid)
    }
    const range = { hash: this.#blocks.hashOf(leaseNumber), offset, byteLength }
    return this.#blocks.read(leaseNumber, this.#waitMs, (options) => handler.read(this.#peerId, range, options))
  }

  #malformed(what: string): WireError {
    return new WireError('FRAME_MALFORMED', `operand stream: ${this.#peerId} sent ${what}`)
  }
}

function refused(what: string, refusal: RefusalCode): WireError {
  return new WireError('REFUSED', what, { refusal })
}
