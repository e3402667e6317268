import type { PeerId } from '@libp2p/interface'
import type { Advert } from '../../protocols/advert/types.ts'
import type { ChunkClient } from '../../protocols/chunk/types.ts'
import type {
  ClaimReply,
  Grant,
  LeaseClient,
  LeaseClientHandler,
  LeaseProgress,
  ReleaseReason,
  WorkerHello
} from '../../protocols/lease/types.ts'
import type { OfferOptions, OfferOutcome, ResultClient } from '../../protocols/result/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { sha256 } from '../support/fake-compute.ts'
import { fakePeerId } from '../support/fake-peer.ts'

export const JOB_ID = 'abcdefghijklmnopqrstuvwxyz'
export const CHUNK_BYTES = 1024

/** Rejects with the signal's reason once it aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

export interface OpenOffer {
  readonly leaseNumber: number
  readonly result: Uint8Array
  readonly claim: Uint8Array
  readonly options: OfferOptions
  readonly verdict: PromiseWithResolvers<OfferOutcome>
}

/** The far end of a worker's link, driven by a test. */
export class FakeSubmitter {
  readonly name: string
  readonly peerId: PeerId
  readonly file = Uint8Array.from({ length: 64 * CHUNK_BYTES }, (_, index) => (index * 7) % 251)
  readonly hellos: WorkerHello[] = []
  readonly claims: { jobId: string; count: number }[] = []
  readonly heartbeats: (readonly LeaseProgress[])[] = []
  readonly releases: { leaseNumbers: readonly number[]; reason: ReleaseReason }[] = []
  readonly offers: OpenOffer[] = []
  readonly pulls: number[] = []
  /** Chunks still to be granted. */
  chunksLeft = 0
  /** How a claim is answered when no chunk is left. */
  refusal: { refusal: RefusalCode; retryAfterMs: number } = { refusal: RefusalCode.nothingLeft, retryAfterMs: 0 }
  answersClaims = true
  answersHeartbeats = true
  /** Leases that the next heartbeats are told to be over. */
  gone: number[] = []
  /** Thrown by the next opening of a stream of that kind. */
  readonly openFailures = new Map<'lease' | 'chunk' | 'result', Error>()
  pullFailure: Error | undefined
  /** Pulls wait for this. */
  pullGate: Promise<void> = Promise.resolve()
  opened = 0
  closed = 0
  handler: LeaseClientHandler | undefined
  #link = new AbortController()
  #nextLease = 1

  constructor(name = 'sub') {
    this.name = name
    this.peerId = fakePeerId(name)
  }

  advert(changes: Partial<Advert> = {}): Advert {
    return {
      jobId: JOB_ID,
      submitter: this.name,
      submitterName: this.name,
      kind: 'invert',
      params: new Uint8Array(0),
      kernelId: 'invert-f32-1',
      inputBytes: this.file.byteLength,
      blockBytes: CHUNK_BYTES,
      reverse: true,
      state: 'open',
      mergedBytes: 0,
      localOnly: false,
      chunkBytesMax: 2 * 1024 * 1024,
      incarnation: 1,
      sequence: 1,
      ...changes
    }
  }

  /** A grant of the chunk whose index is its lease number less one. */
  grant(changes: Partial<Grant> = {}): Grant {
    const leaseNumber = changes.leaseNumber ?? this.#nextLease++
    const chunkIndex = leaseNumber - 1
    return {
      leaseNumber,
      jobId: JOB_ID,
      chunkIndex,
      inputBytes: CHUNK_BYTES,
      resultBytes: CHUNK_BYTES,
      epoch: 1,
      incarnation: 1,
      ttlMs: 5_000,
      inputHash: sha256(this.inputOf(leaseNumber)),
      adopted: false,
      operands: [],
      ...changes
    }
  }

  inputOf(leaseNumber: number): Uint8Array {
    return this.file.slice((leaseNumber - 1) * CHUNK_BYTES, leaseNumber * CHUNK_BYTES)
  }

  /** Ends the streams, as a killed process does. */
  lose(): void {
    const old = this.#link
    this.#link = new AbortController()
    old.abort(new WireError('STREAM_ENDED', 'the submitter is gone'))
  }

  openLease(hello: WorkerHello, handler: LeaseClientHandler): LeaseClient {
    this.#failOpening('lease')
    this.hellos.push(hello)
    this.handler = handler
    this.opened++
    const { signal } = this.#link
    return {
      peerId: this.peerId,
      signal,
      claim: (claim, options) => this.#claim(claim, AbortSignal.any([signal, options.signal])),
      heartbeat: (progress, options) => this.#heartbeat(progress, AbortSignal.any([signal, options.signal])),
      release: (leaseNumbers, reason) => void this.releases.push({ leaseNumbers, reason }),
      tellOperands: () => undefined,
      close: async () => void this.closed++
    }
  }

  openChunk(): ChunkClient {
    this.#failOpening('chunk')
    const { signal } = this.#link
    const close = async () => void this.closed++
    return {
      signal,
      pull: async (leaseNumber, into, options) => {
        this.pulls.push(leaseNumber)
        await Promise.race([this.pullGate, aborted(AbortSignal.any([signal, options.signal]))])
        if (this.pullFailure !== undefined) throw this.pullFailure
        into.set(this.inputOf(leaseNumber))
        options.onBytes?.(into.byteLength)
      },
      close
    }
  }

  openResult(): ResultClient {
    this.#failOpening('result')
    const { signal } = this.#link
    return {
      signal,
      offer: (leaseNumber, result, claim, options) => {
        const verdict = Promise.withResolvers<OfferOutcome>()
        this.offers.push({ leaseNumber, result, claim, options, verdict })
        return Promise.race([verdict.promise, aborted(AbortSignal.any([signal, options.signal]))])
      },
      close: async () => void this.closed++
    }
  }

  #failOpening(kind: 'lease' | 'chunk' | 'result'): void {
    const failure = this.openFailures.get(kind)
    this.openFailures.delete(kind)
    if (failure !== undefined) throw failure
  }

  async #claim(claim: { jobId: string; count: number }, signal: AbortSignal): Promise<ClaimReply> {
    this.claims.push(claim)
    if (!this.answersClaims) return aborted(signal)
    const count = Math.min(claim.count, this.chunksLeft)
    this.chunksLeft -= count
    if (count === 0) return { grants: [], ...this.refusal }
    return { grants: Array.from({ length: count }, () => this.grant()), retryAfterMs: 0 }
  }

  async #heartbeat(progress: readonly LeaseProgress[], signal: AbortSignal): Promise<readonly number[]> {
    this.heartbeats.push(progress)
    if (!this.answersHeartbeats) return aborted(signal)
    return this.gone.splice(0)
  }
}
