import type { Connection, PeerId } from '@libp2p/interface'
import { type BulkOptions, type BulkStream, openBulk } from '../wire/bulk-stream.ts'
import { HASH_BYTES, OPERAND_BYTES_MAX } from '../wire/constants.ts'
import { FrameType, UINT32_MAX } from '../wire/frame.ts'
import { type PullOptions, RangePuller } from '../wire/range-puller.ts'
import { WireError } from '../wire/wire-error.ts'
import { OPERAND_FIRST_RANGE_BYTES, OPERAND_NAMES_MAX, OPERAND_PROTOCOL } from './constants.ts'
import type { OperandClient } from './types.ts'

/** Opens the operand stream on a connection. @throws WireError STREAM_BUSY, REFUSED, STREAM_ENDED, TIMED_OUT */
export async function openOperandClient(
  connection: Connection,
  options: BulkOptions & { readonly signal: AbortSignal }
): Promise<OperandClient> {
  return new PullingStream(await openBulk(connection, OPERAND_PROTOCOL, options), connection.remotePeer)
}

/** The fetching end: names blocks, pulls them, and takes nothing but answers. Owns the handles. */
class PullingStream implements OperandClient {
  readonly peerId: PeerId
  readonly #bulk: BulkStream
  readonly #puller: RangePuller
  #lastHandle = 0
  #namedCount = 0

  constructor(bulk: BulkStream, peerId: PeerId) {
    this.peerId = peerId
    this.#bulk = bulk
    this.#puller = new RangePuller(bulk, { firstRangeBytes: OPERAND_FIRST_RANGE_BYTES })
    bulk.attach({
      isWaiting: () => this.#puller.isWaiting,
      onData: (header) => this.#puller.onData(header),
      onFrame: (header) => {
        if (header.type !== FrameType.refuse) {
          throw new WireError('FRAME_MALFORMED', `operand stream: ${peerId} sent a frame of type ${header.type}`)
        }
        this.#puller.onRefuse(header)
      }
    })
  }

  get signal(): AbortSignal {
    return this.#bulk.signal
  }

  async pull(hash: Uint8Array, into: Uint8Array, options: PullOptions): Promise<void> {
    if (hash.byteLength !== HASH_BYTES || into.byteLength === 0 || into.byteLength > OPERAND_BYTES_MAX) {
      throw new RangeError(
        `a block has a hash of ${HASH_BYTES} bytes and 1 to ${OPERAND_BYTES_MAX} bytes, ` +
          `not ${hash.byteLength} and ${into.byteLength}`
      )
    }
    options.signal.throwIfAborted()
    const handle = this.#name(hash)
    try {
      await this.#puller.pull(handle, into, options)
    } catch (error) {
      throw this.#explain(error, hash)
    } finally {
      this.#letGo(handle)
    }
  }

  async close(): Promise<void> {
    await this.#bulk.close()
  }

  #name(hash: Uint8Array): number {
    if (this.#namedCount >= OPERAND_NAMES_MAX || this.#lastHandle >= UINT32_MAX) {
      throw new WireError(
        'LIMIT_EXCEEDED',
        `operand stream to ${this.peerId}: ${this.#namedCount} blocks are being pulled already`
      )
    }
    const handle = this.#lastHandle + 1
    const header = { type: FrameType.name, code: 0, leaseNumber: handle, offset: 0, byteLength: HASH_BYTES } as const
    this.#bulk.send(header, hash.slice())
    this.#lastHandle = handle
    this.#namedCount += 1
    return handle
  }

  /** On a stream that is closing or over the other side forgets all handles at once. */
  #letGo(handle: number): void {
    this.#namedCount -= 1
    const { stream, hasFailed } = this.#bulk.life
    if (hasFailed || stream.writeStatus !== 'writable') return
    this.#bulk.send({ type: FrameType.pulled, code: 0, leaseNumber: handle, offset: 0, byteLength: 0 })
  }

  #explain(error: unknown, hash: Uint8Array): unknown {
    if (!(error instanceof WireError) || error.code !== 'REFUSED') return error
    const name = Array.from(hash.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const { refusal } = error
    return new WireError(
      'REFUSED',
      `${this.peerId} does not give block ${name}… (code ${refusal ?? 0})`,
      refusal === undefined ? { cause: error } : { cause: error, refusal }
    )
  }
}
