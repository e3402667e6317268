import { contentHash } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import type { PeerName } from '../domain/ids.ts'
import type { Chunk } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { JobContext } from './job-context.ts'

/** A peer's result that was merged. */
interface Accepted {
  readonly chunk: Chunk
  readonly outputHash: Uint8Array
}

/** What a {@link LiarReview} needs of its job. */
type ReviewedJob = Pick<JobContext, 'fail' | 'kind' | 'ports' | 'signal' | 'source' | 'spec'>

/**
 * Where results are checked by chance, some lies pass before their peer is found out. Owns what each peer gave to such a job,
 * and computes all of it again once the peer has proven a liar: a job never ends well with what is known to be false.
 */
export class LiarReview {
  readonly #job: ReviewedJob
  readonly #accepted = new Map<PeerName, Accepted[]>()
  readonly #liars = new Set<PeerName>()
  #reviews: Promise<void> = Promise.resolve()

  constructor(job: ReviewedJob) {
    this.#job = job
    if (!this.#isSampled) return
    // What a former incarnation merged.
    for (const { merged, ...chunk } of job.ports.journal.chunks(job.spec.jobId)) {
      const { outputHash, peerId } = merged ?? {}
      if (peerId !== undefined && outputHash !== undefined) this.accepted(peerId, chunk, outputHash)
    }
  }

  /** A peer's result passed its check, and is about to be merged. */
  accepted(peer: PeerName, chunk: Chunk, outputHash: Uint8Array): void {
    if (!this.#isSampled) return
    const accepted = this.#accepted.get(peer) ?? []
    accepted.push({ chunk, outputHash })
    this.#accepted.set(peer, accepted)
    if (this.#liars.has(peer)) this.#begin(peer)
  }

  /** A peer's result was proven false. */
  lied(peer: PeerName): void {
    this.#liars.add(peer)
    this.#begin(peer)
  }

  /** Waits for all reviews. @throws SwarmError RESULT_FALSE, or what recomputing throws */
  settled(): Promise<void> {
    return this.#reviews
  }

  get #isSampled(): boolean {
    return this.#job.kind.verification === 'sampled'
  }

  #begin(peer: PeerName): void {
    const suspects = this.#accepted.get(peer) ?? []
    this.#accepted.delete(peer)
    this.#reviews = this.#reviews.then(() => this.#review(peer, suspects))
    this.#reviews.catch((error) => this.#job.fail(error))
  }

  async #review(peer: PeerName, suspects: readonly Accepted[]): Promise<void> {
    const { ports, signal, source } = this.#job
    for (const { chunk, outputHash } of suspects) {
      const { buffer, byteLength } = await source.compute(chunk, { signal })
      const isSame = sameBytes(contentHash(new Uint8Array(buffer, 0, byteLength)), outputHash)
      ports.buffers.give(buffer)
      if (!isSame) throw falseResult(peer, chunk)
    }
  }
}

function falseResult(peer: PeerName, { chunkIndex }: Chunk): SwarmError {
  return new SwarmError(
    'RESULT_FALSE',
    `peer ${peer} was found to return false results, and chunk ${chunkIndex}, which it gave before, is false as well though ` +
      'the check by sample had passed it. The result would be wrong, so the job has ended. Stop that peer and submit ' +
      'again, or use --local only',
    { exitCode: EXIT_CODES.verificationFailed }
  )
}
