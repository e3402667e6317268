import type { LocalPolicy } from './job.ts'

/** What a job consists of, for a forecast. Times in ms of one thread. */
export interface ForecastWork {
  /** All of its kernel time on this machine, measured while all of its threads work. */
  readonly computeMs: number
  /** What the first use of the kernel takes beside that: threads and packages are loaded. */
  readonly startMs: number
  /** What checking all of it takes this machine, were all of it shipped. */
  readonly checkMs: number
  readonly inputBytes: number
  readonly resultBytes: number
  /** Chunks or tiles, at least 1: no more can be worked on at once. */
  readonly parts: number
  /** Input of one part, where parts share inputs that spread from peer to peer; absent: each byte is needed once. */
  readonly partInputBytes?: number
  /** CPU time per byte that is sent or received, at this end and at the other, in ns. */
  readonly transport: { readonly hereNsPerByte: number; readonly thereNsPerByte: number }
  /** Whether the result is encrypted as it comes, or once it is whole. */
  readonly sealing: 'none' | 'along' | 'after'
  /** True when `--local auto` ships only probes, since shipping costs this machine more than the work. */
  readonly kept: boolean
}

/** A peer as a forecast sees it. */
export interface ForecastPeer {
  /** Its kernel threads run on this machine's cores. */
  readonly sameMachine: boolean
  readonly threads: number
  /** Its time for the whole job with all its threads, without the network, in ms. */
  readonly computeMs: number
  /** Bytes per second that its link carries each way. */
  readonly linkBytesPerSecond: number
  /** Round trip, in ms. */
  readonly latencyMs: number
}

/** What a forecast rests on. */
export interface ForecastInput {
  readonly work: ForecastWork
  readonly local: LocalPolicy
  /** Kernel threads of this peer. */
  readonly threads: number
  /** Cores of this machine, which peers on it share. */
  readonly cores: number
  readonly peers: readonly ForecastPeer[]
}

/** What keeps a job with peers from being faster. */
export type ForecastLimit =
  /** `--local only`. */
  | 'asked'
  | 'no-peers'
  /** Over before a peer's first result. */
  | 'latency'
  /** Peers run on this machine. */
  | 'shared-cores'
  /** Shipping costs this machine more than the work. */
  | 'transport'
  /** Checking and shipping take this machine's cores. */
  | 'checks'
  /** What leaves this machine. */
  | 'uplink'
  /** Links of the peers. */
  | 'links'
  /** Kernels. */
  | 'compute'
