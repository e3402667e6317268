import type { Connection } from '@libp2p/interface'
import type { ChunkClient } from '../../protocols/chunk/types.ts'
import type { LeaseClient, LeaseClientHandler, WorkerHello } from '../../protocols/lease/types.ts'
import type { ResultClient } from '../../protocols/result/types.ts'
import type { WorkerPorts } from './ports.ts'

/** The three long-lived streams to one submitter: leases on the control connection, chunks and results on a bulk one. */
export interface SubmitterLink {
  readonly submitter: string
  readonly lease: LeaseClient
  readonly chunk: ChunkClient
  readonly result: ResultClient
  /** Aborts when any of the streams ends. */
  readonly signal: AbortSignal
  close(): Promise<void>
}

/**
 * Opens the streams to a submitter. The lease stream comes last, since its hello makes the submitter expect pulls.
 * @throws WireError when the submitter refuses or goes away
 */
export async function openSubmitterLink(
  control: Connection,
  hello: WorkerHello,
  handler: LeaseClientHandler,
  ports: WorkerPorts,
  { signal }: { signal: AbortSignal }
): Promise<SubmitterLink> {
  const bulk = await ports.openBulk(control, { signal })
  const opened: { close(): Promise<void> }[] = bulk === control ? [] : [bulk]
  try {
    const chunk = await ports.chunk.open(bulk, { signal })
    opened.push(chunk)
    const result = await ports.result.open(bulk, { signal })
    opened.push(result)
    const lease = await ports.lease.open(control, hello, handler, { signal })
    opened.push(lease)
    return {
      submitter: control.remotePeer.toString(),
      lease,
      chunk,
      result,
      signal: AbortSignal.any([lease.signal, chunk.signal, result.signal]),
      close: () => closeAll(opened.toReversed())
    }
  } catch (error) {
    await closeAll(opened.toReversed())
    throw error
  }
}

/** Closes what is still open; an end that is gone already is no error here. */
async function closeAll(streams: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.allSettled(streams.map((stream) => stream.close()))
}
