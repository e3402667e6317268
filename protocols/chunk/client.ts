import type { Connection } from '@libp2p/interface'
import { type BulkOptions, type BulkStream, openBulk } from '../wire/bulk-stream.ts'
import { FrameType } from '../wire/frame.ts'
import { type PullOptions, RangePuller } from '../wire/range-puller.ts'
import { WireError } from '../wire/wire-error.ts'
import { CHUNK_PROTOCOL } from './constants.ts'
import type { ChunkClient } from './types.ts'

/** Opens the chunk stream on a connection. @throws WireError STREAM_BUSY, REFUSED, STREAM_ENDED, TIMED_OUT */
export async function openChunkClient(
  connection: Connection,
  options: BulkOptions & { readonly signal: AbortSignal }
): Promise<ChunkClient> {
  return new WorkerChunkStream(await openBulk(connection, CHUNK_PROTOCOL, options))
}

/** The worker's end: pulls, and takes nothing but answers. */
class WorkerChunkStream implements ChunkClient {
  readonly #bulk: BulkStream
  readonly #puller: RangePuller

  constructor(bulk: BulkStream) {
    this.#bulk = bulk
    this.#puller = new RangePuller(bulk)
    bulk.attach({
      isWaiting: () => this.#puller.isWaiting,
      onData: (header) => this.#puller.onData(header),
      onFrame: (header) => {
        if (header.type !== FrameType.refuse) {
          throw new WireError('FRAME_MALFORMED', `chunk stream: the submitter sent a frame of type ${header.type}`)
        }
        this.#puller.onRefuse(header)
      }
    })
  }

  get signal(): AbortSignal {
    return this.#bulk.signal
  }

  async pull(leaseNumber: number, into: Uint8Array, options: PullOptions): Promise<void> {
    await this.#puller.pull(leaseNumber, into, options)
  }

  async close(): Promise<void> {
    await this.#bulk.close()
  }
}
