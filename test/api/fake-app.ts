import type {
  InviteView,
  JobDetail,
  LedgerView,
  PeerEvent,
  PlanView,
  StatusView,
  SubmitRequest,
  SwarmApp,
  Waiting
} from '../../src/app/api-types.ts'
import type { JobCounters, JobEvent } from '../../src/domain/events.ts'
import { type JobId, parseJobId, peerName } from '../../src/domain/ids.ts'
import { EXIT_CODES, SwarmError } from '../../src/errors.ts'

function jobId(text: string): JobId {
  const id = parseJobId(text)
  if (id === undefined) throw new Error(`${text} is no job id`)
  return id
}

export const JOB = jobId('abcdefghijklmnopqrstuvwxyz')
export const OTHER_JOB = jobId('zyxwvutsrqponmlkjihgfedcba')
export const PEER = '12D3KooWAbcdefghijklmnopqrstuvwxyz0123456789tower1'

export const COUNTERS: JobCounters = {
  inputBytes: 8_000_000,
  outputBytes: 8_000_016,
  chunks: 4,
  localChunks: 1,
  releases: 1,
  duplicates: 0,
  totalMs: 2_000,
  computeMs: 1_500,
  transferMs: 500,
  checkMs: 0,
  grants: { claims: 0, p50Ms: 0, p99Ms: 0, mostMs: 0 },
  efficiency: 75,
  peers: [
    {
      peerId: peerName(PEER),
      name: 'tower',
      chunks: 3,
      units: 1_500_000,
      computeMs: 900,
      bytesIn: 6_000_000,
      bytesOut: 6_000_000
    }
  ]
}

export const ACCEPTED: JobEvent = { event: 'accepted', jobId: JOB, task: 'invert', inputBytes: 8_000_000 }
export const PROGRESS: Extract<JobEvent, { event: 'progress' }> = {
  event: 'progress',
  jobId: JOB,
  mergedBytes: 2_000_000,
  inputBytes: 8_000_000,
  bytesPerSecond: 4_000_000,
  remainingMs: 1_500,
  leasedChunks: 2,
  counters: COUNTERS
}
export const DONE: Extract<JobEvent, { event: 'done' }> = {
  event: 'done',
  jobId: JOB,
  task: 'invert',
  summary: 'kept 1 chunk, shipped 3: tower was faster',
  outputs: {
    result: '/out/result.f32.enc',
    key: '/out/encryption_key.bin',
    iv: '/out/encryption_iv.bin',
    hmac: '/out/result.f32.enc.hmac',
    manifest: '/out/job.json',
    ledger: '/out/ledger.bin'
  },
  ...COUNTERS
}
export const STOPPED: JobEvent = { event: 'stopped', jobId: JOB, message: 'stopped on request' }

export const READY: Extract<PeerEvent, { event: 'ready' }> = {
  event: 'ready',
  peerId: PEER,
  name: 'tower',
  swarmName: 'home',
  swarmId: 'qqqqqqqqqqqqqqqqqqqqqqqqqq',
  home: '/home/x',
  addresses: [`/ip4/192.168.1.5/tcp/4001/p2p/${PEER}`],
  code: 'swarm1qqq',
  founded: true,
  threads: 2
}

export const STATUS: StatusView = {
  running: true,
  home: '/home/x',
  swarmName: 'home',
  swarmId: READY.swarmId,
  peerId: PEER,
  name: 'tower',
  addresses: READY.addresses,
  peers: 1,
  threads: 2,
  pid: 42,
  upMs: 60_000,
  jobsOpen: 0,
  leases: 0
}

export const JOB_DETAIL: JobDetail = {
  jobId: JOB,
  state: 'open',
  running: false,
  task: 'invert',
  inputPath: '/in/noise.f32',
  outDir: '/out',
  inputBytes: 8_000_000,
  mergedBytes: 2_000_000,
  openedAtMs: 1_000,
  counters: COUNTERS
}

export const LEDGER: LedgerView = {
  rows: [
    {
      rank: 1,
      peerId: PEER,
      name: 'tower',
      chunks: 3,
      units: { samples: 1_500_000 },
      computeMs: 900,
      bytesIn: 6_000_000,
      bytesOut: 6_000_000,
      jobs: 1,
      lastSeenMs: 0,
      verifications: ['full']
    }
  ],
  receipts: 3,
  jobs: 1,
  forks: []
}

const PLAN: PlanView = {
  task: 'invert',
  inputBytes: 8_000_000,
  chunkBytes: 4_194_304,
  chunks: 2,
  peers: 1,
  aloneMs: 20,
  swarmMs: 60,
  shippedBytes: 0,
  worthShipping: false,
  summary: 'all of it stays here: shipping costs more than computing'
}

/** An app in memory: it answers with the values above, records what it was asked, and its streams follow a script. */
export class FakeApp implements SwarmApp {
  readonly calls: unknown[][] = []
  /** Events of submit, resume and watch, in order. */
  script: readonly JobEvent[] = [ACCEPTED, PROGRESS, DONE]
  /** Whether the streams wait for an abort at the end of the script, and then say `stopped`. */
  waits = false
  /** Thrown by the next stream before its first event. */
  refusal: SwarmError | undefined
  /** Settles when a stream waits for an abort. */
  readonly waiting = Promise.withResolvers<void>()
  /** Settles when a stream's signal aborted. */
  readonly aborted = Promise.withResolvers<void>()
  /** Settles when a stream was left, whatever the reason. */
  readonly left = Promise.withResolvers<void>()
  peerEvents: readonly PeerEvent[] = [READY]
  stops = 0

  async status(): Promise<StatusView> {
    return STATUS
  }

  async peers() {
    return [{ peerId: PEER, name: 'tower', connected: true, addresses: READY.addresses, latencyMs: 1.5, threads: 2 }]
  }

  async invite(): Promise<InviteView> {
    return { swarmName: 'home', swarmId: READY.swarmId, code: READY.code, addresses: READY.addresses }
  }

  async jobs() {
    return [JOB_DETAIL]
  }

  async job(id: JobId): Promise<JobDetail> {
    if (id !== JOB) throw new SwarmError('JOB_UNKNOWN', `no job ${id}`, { exitCode: EXIT_CODES.usage })
    return JOB_DETAIL
  }

  async cancel(id: JobId): Promise<JobDetail> {
    this.calls.push(['cancel', id])
    return { ...JOB_DETAIL, state: 'cancelled' }
  }

  async ledger(filter: object): Promise<LedgerView> {
    this.calls.push(['ledger', filter])
    return LEDGER
  }

  async exportLedger(request: { path: string }) {
    this.calls.push(['exportLedger', request])
    return { path: request.path, receipts: 3 }
  }

  async plan(request: SubmitRequest): Promise<PlanView> {
    this.calls.push(['plan', request])
    return PLAN
  }

  submit(request: SubmitRequest, options: Waiting): AsyncIterable<JobEvent> {
    this.calls.push(['submit', request])
    return this.#play(options)
  }

  resume(id: JobId, options: Waiting): AsyncIterable<JobEvent> {
    this.calls.push(['resume', id])
    return this.#play(options)
  }

  watch(id: JobId, options: Waiting): AsyncIterable<JobEvent> {
    this.calls.push(['watch', id])
    return this.#play(options)
  }

  async *events({ signal }: Waiting): AsyncIterable<PeerEvent> {
    yield* this.peerEvents
    if (this.waits) await this.#abortOf(signal)
  }

  async stop(): Promise<void> {
    this.stops++
  }

  async *#play({ signal }: Waiting): AsyncIterable<JobEvent> {
    try {
      if (this.refusal !== undefined) throw this.refusal
      yield* this.script
      if (!this.waits) return
      await this.#abortOf(signal)
      yield STOPPED
    } finally {
      this.left.resolve()
    }
  }

  async #abortOf(signal: AbortSignal): Promise<void> {
    this.waiting.resolve()
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    this.aborted.resolve()
  }
}
