import type { Advert } from '../../protocols/advert/types.ts'
import type { Claim } from '../../protocols/wire/receipt-types.ts'
import { WireError } from '../../protocols/wire/wire-error.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import type { JobEvent } from '../../src/domain/events.ts'
import { parseJobId, peerName } from '../../src/domain/ids.ts'
import type { JobOptions } from '../../src/domain/job.ts'
import type { JournalJob } from '../../src/domain/journal.ts'
import { SharedBuffers } from '../../src/domain/shared-buffers.ts'
import { LeaseDesk } from '../../src/submitter/lease-desk.ts'
import { createJob, openJob } from '../../src/submitter/open-job.ts'
import type { Evidence, OpenedClaim, SubmitterPorts } from '../../src/submitter/ports.ts'
import type { JobRun } from '../../src/submitter/run-job.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import { FakeCompute } from '../support/fake-compute.ts'
import { fakePeerId } from '../support/fake-peer.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'
import { FakeWorker } from './fake-worker.ts'
import { MemoryJournal, memorySinks } from './memory-job.ts'

export const JOB_ID = parseJobId('abcdefghijklmnopqrstuvwxyz') ?? never()
export const CHUNK_BYTES = 64

function never(): never {
  throw new Error('no job id')
}

/** A submitter whose surroundings are fakes, with one job of 64-byte chunks. */
export class JobHarness {
  /** What was made durable, signed and handed out, in order. */
  readonly log: string[] = []
  readonly clock = new VirtualClock()
  readonly journal = new MemoryJournal(this.log)
  readonly sinks = memorySinks(this.log)
  readonly desk = new LeaseDesk()
  readonly compute: FakeCompute
  readonly events: JobEvent[] = []
  readonly adverts: Advert[] = []
  readonly evidence: Evidence[] = []
  readonly written: string[] = []
  readonly internalErrors: unknown[] = []
  readonly ports: SubmitterPorts
  readonly stopping = new AbortController()
  /** What claims envelopes hold, by their text. */
  readonly claims = new Map<string, OpenedClaim>()
  publishFailure: Error | undefined
  evidenceFailure: Error | undefined
  ledgerFailure: Error | undefined
  record: JournalJob

  constructor(chunks: number, options: Partial<JobOptions> = {}) {
    const file = Uint8Array.from({ length: chunks * CHUNK_BYTES }, (_, index) => (index * 31) % 253)
    this.compute = new FakeCompute(file, 1)
    this.ports = this.#makePorts()
    this.record = createJob(
      {
        jobId: JOB_ID,
        kind: invert,
        kernelId: invert.kernelId,
        params: new Uint8Array(0),
        blockBytes: CHUNK_BYTES,
        reverse: true,
        inputBytes: file.byteLength,
        inputModifiedMs: 0,
        options: {
          inputPath: '/in.raw',
          outDir: '/out',
          encrypt: false,
          local: 'never',
          chunkBytesMax: CHUNK_BYTES,
          chunkBytesFixed: true,
          minPeers: 0,
          waitMs: 60_000,
          ...options
        }
      },
      this.ports
    )
  }

  /** The bytes that one machine would give. */
  get expected(): Uint8Array {
    return invert.run(this.compute.file.slice(), { kind: 'invert', params: new Uint8Array(0), reverse: true })
  }

  get sink() {
    return this.sinks.sinks.at(-1) ?? never()
  }

  async open(): Promise<JobRun> {
    const emit = (event: JobEvent) => void this.events.push(event)
    return openJob(this.record, this.desk, this.ports, emit, { signal: this.stopping.signal })
  }

  /** Starts the job; `ended` holds its last event. */
  async start(): Promise<{ run: JobRun; ended: Promise<JobEvent> }> {
    const run = await this.open()
    const ended = run.run({ signal: this.stopping.signal })
    await settle()
    return { run, ended }
  }

  /** A worker whose lease stream is open. */
  async worker(name: string, hello: ConstructorParameters<typeof FakeWorker>[2] = {}): Promise<FakeWorker> {
    const worker = new FakeWorker(name, this, hello)
    await this.clock.advance(100)
    return worker
  }

  eventsOf<Name extends JobEvent['event']>(name: Name): Extract<JobEvent, { event: Name }>[] {
    return this.events.filter((event): event is Extract<JobEvent, { event: Name }> => event.event === name)
  }

  /** Makes a claim's envelope. */
  signClaim(claim: Claim, worker: string): Uint8Array {
    const text = `claim ${this.claims.size}`
    this.claims.set(text, { claim, worker })
    return new TextEncoder().encode(text)
  }

  #makePorts(): SubmitterPorts {
    const { log } = this
    return {
      peerId: fakePeerId('sub'),
      submitter: peerName('sub'),
      name: 'sub',
      advert: {
        setSource: () => undefined,
        setListener: () => undefined,
        pull: async () => [],
        publish: async (advert) => {
          this.adverts.push(advert)
          if (this.publishFailure !== undefined) throw this.publishFailure
          return 0
        }
      },
      compute: this.compute,
      buffers: new BufferPool(1024 * 1024),
      shared: new SharedBuffers(0),
      journal: this.journal,
      clock: this.clock,
      openSink: this.sinks.openSink,
      random: () => 0.5,
      collectGarbage: undefined,
      mainThreadCpuMs: () => this.clock.nowMs(),
      openClaim: async (envelope) => {
        const opened = this.claims.get(new TextDecoder().decode(envelope))
        if (opened === undefined) throw new WireError('SIGNATURE_INVALID', 'the signature is wrong')
        return opened
      },
      signReceipt: async ({ claim }) => {
        const text = `receipt of ${new TextDecoder().decode(claim)}`
        log.push('sign')
        return new TextEncoder().encode(text)
      },
      keepReceipts: async (receipts) => {
        if (this.ledgerFailure !== undefined) throw this.ledgerFailure
        if (receipts.length > 0) log.push(`ledger ${receipts.length}`)
      },
      closeJob: async ({ outcome, chunks, localChunks }, receipts) => {
        log.push(`ledger close ${outcome}: ${receipts.length} receipts, ${chunks} chunks, ${localChunks} local`)
      },
      writeJobLedger: async (_jobId, path) => void this.written.push(path),
      keepEvidence: async (evidence) => {
        if (this.evidenceFailure !== undefined) throw this.evidenceFailure
        this.evidence.push({ ...evidence, result: evidence.result.slice() })
        return '/evidence.json'
      },
      segmentFile: async () => {
        throw new Error('this job has no segments')
      },
      writeFile: async (path) => void this.written.push(path),
      cores: 2,
      isHere: () => false,
      connectedPeers: () => this.desk.sessions.size,
      onInternalError: (error) => void this.internalErrors.push(error)
    }
  }
}
