import type { Connection, PeerId } from '@libp2p/interface'

/** A job as its submitter advertises it; at most ADVERT_BYTES_MAX encoded. */
export interface Advert {
  readonly jobId: string
  /** Peer id text; must equal the sender. */
  readonly submitter: string
  readonly submitterName: string
  readonly kind: string
  readonly params: Uint8Array
  readonly kernelId: string
  readonly inputBytes: number
  readonly blockBytes: number
  readonly reverse: boolean
  readonly state: 'open' | 'closed'
  readonly mergedBytes: number
  /** True when the submitter keeps all work to itself (`--local only`): shown, never claimed. */
  readonly localOnly: boolean
  /** Upper bound of a chunk, in bytes, so that a worker with less memory does not claim. */
  readonly chunkBytesMax: number
  readonly incarnation: number
  /** Rises with each advert of this job within an incarnation; an older one is dropped. */
  readonly sequence: number
}

/** Where an advert came from. */
export interface ReceivedAdvert {
  readonly advert: Advert
  readonly from: PeerId
}

/** The protocol as a libp2p service: gossip, plus the same adverts pulled over a stream at each new connection. */
export interface AdvertService {
  /** What this peer advertises now; called for each pull. */
  setSource(source: () => readonly Advert[]): void
  /** Called for each fresh, checked advert from another peer (by gossip or pull). */
  setListener(listener: (received: ReceivedAdvert) => void): void
  /** Gossips one advert. @returns the number of peers it was handed to (0 when none is subscribed yet). */
  publish(advert: Advert): Promise<number>
  /** Pulls the adverts of the peer at the other end. @throws WireError */
  pull(connection: Connection, options: { signal: AbortSignal }): Promise<readonly ReceivedAdvert[]>
}
