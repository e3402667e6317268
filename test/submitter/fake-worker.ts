import type { ClaimReply, Grant, LeaseSession, LeaseSessionHandler, WorkerHello } from '../../protocols/lease/types.ts'
import type { IncomingOffer } from '../../protocols/result/types.ts'
import type { Claim } from '../../protocols/wire/receipt-types.ts'
import { type RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import { sha256 } from '../support/fake-compute.ts'
import { fakeConnection, fakePeerId } from '../support/fake-peer.ts'
import { settle } from '../support/virtual-clock.ts'
import { CHUNK_BYTES, JOB_ID, type JobHarness } from './job-harness.ts'

/** An offer as its worker sees what becomes of it. */
export interface FakeOffer {
  readonly incoming: IncomingOffer
  /** `accepted` with the receipt's text, or `refused` with the code. */
  verdicts: (string | RefusalCode)[]
}

/** A worker as its submitter sees it, driven by a test. */
export class FakeWorker {
  readonly name: string
  readonly revoked: { leaseNumbers: readonly number[]; code: RefusalCode }[] = []
  readonly woken: string[] = []
  readonly #harness: JobHarness
  readonly #ended = new AbortController()
  readonly #handler: LeaseSessionHandler
  wasClosed = false

  constructor(name: string, harness: JobHarness, hello: Partial<WorkerHello> = {}) {
    this.name = name
    this.#harness = harness
    const session: LeaseSession = {
      peerId: fakePeerId(name),
      connection: fakeConnection(name),
      hello: { name, threads: 1, kernelIds: [invert.kernelId], memoryBytes: 1024 * 1024, held: [], ...hello },
      signal: this.#ended.signal,
      revoke: (leaseNumbers, code) => void this.revoked.push({ leaseNumbers, code }),
      wake: (jobId) => void this.woken.push(jobId),
      close: () => {
        this.wasClosed = true
      }
    }
    this.#handler = harness.desk.onSession(session)
  }

  /** Aborts when the worker's streams end. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  claim(count = 1, jobId: string = JOB_ID): Promise<ClaimReply> {
    return this.#handler.onClaim({ jobId, count }, { signal: this.#ended.signal })
  }

  /** Claims one chunk that must be there. */
  async grant(): Promise<Grant> {
    const { grants, refusal } = await this.claim()
    const [grant] = grants
    if (grant === undefined) throw new Error(`refused with ${refusal}`)
    return grant
  }

  heartbeat(...leaseNumbers: number[]): readonly number[] {
    return this.#handler.onHeartbeat(leaseNumbers.map((leaseNumber) => ({ leaseNumber, progress: 1 })))
  }

  release(leaseNumber: number, reason: Parameters<LeaseSessionHandler['onRelease']>[1] = 'shutdown'): void {
    this.#handler.onRelease([leaseNumber], reason)
  }

  pull(leaseNumber: number, offset = 0, byteLength = CHUNK_BYTES): Promise<Uint8Array> {
    return this.#harness.desk.read(fakePeerId(this.name), { leaseNumber, offset, byteLength })
  }

  /** Ends its streams, as a killed process does. */
  async leave(): Promise<void> {
    this.#ended.abort(new WireError('STREAM_ENDED', `${this.name} is gone`))
    this.#handler.onClose()
    await settle()
  }

  /** Pulls and computes a granted chunk. */
  async compute({ leaseNumber }: Grant): Promise<Uint8Array> {
    const input = (await this.pull(leaseNumber)).slice()
    return invert.run(input, { kind: 'invert', params: new Uint8Array(0), reverse: true })
  }

  /** What an honest worker claims for a result. */
  claimFor(grant: Grant, result: Uint8Array, changes: Partial<Claim> = {}): Claim {
    return {
      jobId: grant.jobId,
      chunkIndex: grant.chunkIndex,
      epoch: grant.epoch,
      incarnation: grant.incarnation,
      submitter: 'sub',
      workerName: this.name,
      kernelId: invert.kernelId,
      inputHash: grant.inputHash,
      outputHash: sha256(result),
      inputBytes: grant.inputBytes,
      outputBytes: result.byteLength,
      computeMs: 2,
      ...changes
    }
  }

  /** Offers a result with a claim that may lie. `pull` takes the place of sending the result. */
  async offer(
    grant: Grant,
    result: Uint8Array,
    lie: { claim?: Partial<Claim>; signer?: string; envelope?: Uint8Array; pull?: IncomingOffer['pull'] } = {}
  ): Promise<FakeOffer> {
    const verdicts: (string | RefusalCode)[] = []
    const claim = this.claimFor(grant, result, lie.claim)
    const incoming: IncomingOffer = {
      peerId: fakePeerId(this.name),
      leaseNumber: grant.leaseNumber,
      resultBytes: result.byteLength,
      claim: lie.envelope ?? this.#harness.signClaim(claim, lie.signer ?? this.name),
      signal: this.#ended.signal,
      pull: lie.pull ?? (async (into) => into.set(result)),
      accept: (receipt) => {
        this.#harness.log.push(`accept ${grant.chunkIndex}`)
        verdicts.push(new TextDecoder().decode(receipt))
      },
      refuse: (code) => void verdicts.push(code)
    }
    this.#harness.desk.onOffer(incoming)
    await settle()
    return { incoming, verdicts }
  }

  /** Does all of what is left, one chunk at a time. @returns how many chunks it did */
  async work(): Promise<number> {
    for (let done = 0; ; done++) {
      const { grants } = await this.claim()
      const [grant] = grants
      if (grant === undefined) return done
      await this.offer(grant, await this.compute(grant))
    }
  }
}
