import type { Startable, Stream } from '@libp2p/interface'
import {
  OPERAND_PROTOCOL,
  type OperandClient,
  type OperandOptions,
  type OperandRange,
  type OperandService,
  operandService
} from '../../../protocols/operand/index.ts'
import { BulkStream } from '../../../protocols/wire/bulk-stream.ts'
import { encodeHeaders, type FrameHeader, FrameType } from '../../../protocols/wire/frame.ts'
import { RefusalCode, WireError } from '../../../protocols/wire/wire-error.ts'
import { connectNodes, type NodePair } from '../../support/stream-pair.ts'

export const STALL_MS = 400
export const signal: AbortSignal = new AbortController().signal

/** A block's name in these tests: its number, not its hash. */
export const nameOf = (block: number): Uint8Array => new Uint8Array(32).fill(block)

/** Bytes that tell where they belong. */
export function blockOf(block: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  for (let offset = 0; offset < byteLength; offset += 1) bytes[offset] = block * 31 + offset + (offset >>> 8)
  return bytes
}

export function header(type: FrameType, fields: Partial<FrameHeader> = {}): FrameHeader {
  return { type, code: 0, leaseNumber: 1, offset: 0, byteLength: 0, ...fields }
}

/** Resolves with the reason once a signal aborts. */
export function ended(aborting: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (aborting.aborted) resolve(aborting.reason)
    else aborting.addEventListener('abort', () => resolve(aborting.reason), { once: true })
  })
}

/** Two peers, of which the listener serves blocks. */
export class OperandPair {
  readonly nodes: NodePair<{ operand: OperandService & Startable }>
  /** What was read, in order. */
  readonly reads: OperandRange[] = []
  readonly blocks = new Map<number, Uint8Array>()
  /** Blocks that are still on their way. */
  readonly gates = new Map<number, Promise<void>>()
  /** Signals of the reads, in order. */
  readonly signals: AbortSignal[] = []

  static async make(options: OperandOptions = {}): Promise<OperandPair> {
    return new OperandPair(await connectNodes({ operand: operandService({ stallMs: STALL_MS, ...options }) }))
  }

  constructor(nodes: NodePair<{ operand: OperandService & Startable }>) {
    this.nodes = nodes
  }

  /** Serves {@link OperandPair.blocks}. */
  serve(): void {
    this.nodes.listener.services.operand.setHandler({
      read: async (_peerId, range, options) => {
        this.reads.push(range)
        this.signals.push(options.signal)
        const number = range.hash[0] ?? 0
        await this.gates.get(number)
        const block = this.blocks.get(number)
        if (block === undefined) throw refusal(RefusalCode.inputUnavailable)
        if (range.offset + range.byteLength > block.byteLength) throw refusal(RefusalCode.rangeInvalid)
        return block.subarray(range.offset, range.offset + range.byteLength)
      }
    })
  }

  open(): Promise<OperandClient> {
    return this.nodes.dialer.services.operand.open(this.nodes.connection, { signal })
  }

  /** Pulls a block whole. */
  async pull(client: OperandClient, block: number): Promise<Uint8Array> {
    const into = new Uint8Array(this.blocks.get(block)?.byteLength ?? 8)
    await client.pull(nameOf(block), into, { signal })
    return into
  }

  /** A peer that sends raw frames to the serving end. */
  async openRaw(): Promise<{ raw: Stream; bulk: BulkStream }> {
    const raw = await this.nodes.connection.newStream(OPERAND_PROTOCOL)
    const bulk = new BulkStream(raw, this.nodes.connection)
    await bulk.whenReady({ signal })
    return { raw, bulk }
  }

  /** Replaces the serving end by raw frames. */
  async serveRaw(onStream: (stream: Stream) => void): Promise<void> {
    await this.nodes.listener.handle(
      OPERAND_PROTOCOL,
      (stream) => {
        onStream(stream)
        stream.send(encodeHeaders([header(FrameType.ready, { leaseNumber: 0 })]))
      },
      { force: true }
    )
  }

  async stop(): Promise<void> {
    await this.nodes.stop()
  }
}

export function refusal(code: RefusalCode): WireError {
  return new WireError('REFUSED', 'no', { refusal: code })
}
