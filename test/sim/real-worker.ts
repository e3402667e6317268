import type { ReceivedAdvert } from '../../protocols/advert/types.ts'
import type { LeaseClient, LeaseClientHandler, WorkerHello } from '../../protocols/lease/types.ts'
import type { OfferOptions, OfferOutcome } from '../../protocols/result/types.ts'
import { WireError } from '../../protocols/wire/wire-error.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import { Worker } from '../../src/worker/join-swarm.ts'
import type { WorkerPorts } from '../../src/worker/ports.ts'
import type { JobHarness } from '../submitter/job-harness.ts'
import { FakeCompute, sha256 } from '../support/fake-compute.ts'
import { fakeConnection, fakePeerId } from '../support/fake-peer.ts'
import type { Random } from './random.ts'

/** Longest way of a message, in virtual ms. */
const LATENCY_MS_MAX = 40

const unused = (): never => {
  throw new Error('the simulation does not use this')
}

/** What the simulation's wire is made of. */
export interface RealWorkerOptions {
  readonly name: string
  readonly harness: JobHarness
  readonly random: Random
  /** Returns false results with right hashes. */
  readonly lies: boolean
  readonly pullAdverts: () => readonly ReceivedAdvert[]
}

/**
 * The real worker, joined to the real lease desk by streams that take time, stand still, and break. Owns its link;
 * driven by the virtual clock.
 */
export class RealWorker {
  readonly worker: Worker
  readonly name: string
  readonly #options: RealWorkerOptions
  #link = new AbortController()
  #stillUntilMs = 0
  /** Offers that were made on a link that lives, and have no verdict yet. */
  readonly openOffers = new Set<object>()
  hear: (received: ReceivedAdvert) => void = () => undefined

  constructor(options: RealWorkerOptions) {
    this.#options = options
    this.name = options.name
    this.worker = new Worker(this.#ports())
  }

  start(): void {
    this.worker.start()
    this.worker.onConnection(fakeConnection('sub'))
  }

  /** All streams end, as when either process is killed or the link breaks. */
  lose(): void {
    const old = this.#link
    this.#link = new AbortController()
    old.abort(new WireError('STREAM_ENDED', 'the link broke'))
  }

  /** Nothing arrives for a while, in either direction. */
  standStill(forMs: number): void {
    this.#stillUntilMs = this.#options.harness.clock.nowMs() + forMs
  }

  /** The way of one message. */
  async #travel(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.harness
    await clock.sleep(this.#options.random.integer(1, LATENCY_MS_MAX), { signal })
    const stillMs = this.#stillUntilMs - clock.nowMs()
    if (stillMs > 0) await clock.sleep(stillMs, { signal })
  }

  #later(link: AbortSignal, action: () => void): void {
    this.#travel(link).then(action, () => undefined)
  }

  #ports(): WorkerPorts {
    const { harness, name, lies, pullAdverts } = this.#options
    const compute = lies ? new LyingCompute() : new FakeCompute(new Uint8Array(0), 1)
    return {
      peerId: fakePeerId(name),
      name,
      advert: {
        setSource: unused,
        publish: unused,
        setListener: (listener) => {
          this.hear = listener
        },
        pull: async () => pullAdverts()
      },
      lease: { setHandler: unused, open: async (_connection, hello, handler) => this.#openLease(hello, handler) },
      chunk: {
        setHandler: unused,
        open: async () => {
          const { signal } = this.#link
          return {
            signal,
            pull: (number, into, options) => this.#pull(number, into, options, signal),
            close: async () => undefined
          }
        }
      },
      result: {
        setHandler: unused,
        open: async () => {
          const { signal } = this.#link
          return { signal, offer: (...offer) => this.#offer(signal, ...offer), close: async () => undefined }
        }
      },
      compute,
      buffers: new BufferPool(1024 * 1024),
      clock: harness.clock,
      kernelIds: ['invert-f32-1'],
      operandBytesMax: 64 * 1024 * 1024,
      isTight: false,
      collectGarbage: undefined,
      openOperands: () => Promise.reject(new Error('an inversion has no operands')),
      memoryBytes: 1024 * 1024,
      controlTo: () => fakeConnection('sub'),
      openBulk: async (control) => control,
      signClaim: async (claim) => harness.signClaim(claim, name),
      keepReceipt: async () => undefined,
      onEvent: () => undefined
    }
  }

  #openLease(hello: WorkerHello, handler: LeaseClientHandler): LeaseClient {
    const link = this.#link
    const { desk } = this.#options.harness
    const session = desk.onSession({
      peerId: fakePeerId(this.name),
      connection: fakeConnection(this.name),
      hello,
      signal: link.signal,
      revoke: (numbers, code) => this.#later(link.signal, () => handler.onRevoked(numbers, code)),
      wake: (jobId) => this.#later(link.signal, () => handler.onWake(jobId)),
      close: () => link.abort(new WireError('STREAM_ENDED', 'closed'))
    })
    link.signal.addEventListener('abort', () => session.onClose(), { once: true })
    const ask = async <Answer>(options: { signal: AbortSignal }, question: () => Answer | Promise<Answer>) => {
      const signal = AbortSignal.any([link.signal, options.signal])
      await this.#travel(signal)
      const answer = await question()
      await this.#travel(signal)
      return answer
    }
    return {
      peerId: fakePeerId('sub'),
      signal: link.signal,
      claim: (claim, options) => ask(options, () => session.onClaim(claim, { signal: link.signal })),
      heartbeat: (progress, options) => ask(options, () => session.onHeartbeat(progress)),
      release: (numbers, reason) => this.#later(link.signal, () => session.onRelease(numbers, reason)),
      tellOperands: (changes) => this.#later(link.signal, () => session.onOperands(changes)),
      close: async () => link.abort(new WireError('STREAM_ENDED', 'closed'))
    }
  }

  async #pull(
    leaseNumber: number,
    into: Uint8Array,
    options: { signal: AbortSignal },
    link: AbortSignal
  ): Promise<void> {
    const signal = AbortSignal.any([link, options.signal])
    await this.#travel(signal)
    const range = { leaseNumber, offset: 0, byteLength: into.byteLength }
    into.set(await this.#options.harness.desk.read(fakePeerId(this.name), range))
    await this.#travel(signal)
  }

  async #offer(
    link: AbortSignal,
    leaseNumber: number,
    result: Uint8Array,
    claim: Uint8Array,
    options: OfferOptions
  ): Promise<OfferOutcome> {
    const signal = AbortSignal.any([link, options.signal])
    const verdict = Promise.withResolvers<OfferOutcome>()
    const given = (outcome: OfferOutcome) => {
      this.openOffers.delete(verdict)
      this.#later(link, () => verdict.resolve(outcome))
    }
    await this.#travel(signal)
    signal.addEventListener('abort', () => verdict.reject(signal.reason), { once: true })
    link.addEventListener('abort', () => this.openOffers.delete(verdict), { once: true })
    this.openOffers.add(verdict)
    this.#options.harness.desk.onOffer({
      peerId: fakePeerId(this.name),
      leaseNumber,
      resultBytes: result.byteLength,
      claim,
      signal: link,
      pull: async (into, pulling) => {
        const both = AbortSignal.any([link, pulling.signal])
        await this.#travel(both)
        if (options.signal.aborted) throw new WireError('REFUSED', 'given up')
        into.set(result)
        await this.#travel(both)
        this.#later(link, () => options.onPulled?.())
      },
      accept: (receipt) => given({ outcome: 'receipted', receipt }),
      refuse: (code) => given({ outcome: 'refused', code })
    })
    return verdict.promise
  }
}

/** Flips a bit of each result, and hashes that. */
class LyingCompute extends FakeCompute {
  constructor() {
    super(new Uint8Array(0), 1)
  }

  override async runKernel(...call: Parameters<FakeCompute['runKernel']>) {
    const done = await super.runKernel(...call)
    const result = new Uint8Array(done.buffer, 0, done.byteLength)
    result[0] = (result[0] ?? 0) ^ 1
    return { ...done, outputHash: sha256(result) }
  }
}
