import type { LeaseGrant, ProgressReport } from '../../src/domain/lease-types.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import { SIM_BLOCK_BYTES, type WorkerPlan } from './scenario.ts'
import type { VirtualLink } from './virtual-link.ts'
import type { VirtualSubmitter } from './virtual-submitter.ts'
import type { VirtualTime } from './virtual-time.ts'

const HEARTBEAT_MS = 2_000
const PATIENCE_MS = 3_000
const OFFERS_MAX = 12

interface Task {
  readonly grant: LeaseGrant
  phase: 'pulling' | 'queued' | 'computing' | 'finished'
  progress: number
  result: Uint8Array
  offers: number
}

/** What a worker sees of the submitter it is connected to, which changes when that restarts. */
export interface WorkerSurroundings {
  readonly time: VirtualTime
  readonly reverse: boolean
  submitter(): VirtualSubmitter
}

/** One worker: claims, pulls, computes, offers, sends heartbeats; and can be killed, stopped, cut off or false. */
export class VirtualWorker {
  readonly plan: WorkerPlan
  readonly link: VirtualLink
  readonly #around: WorkerSurroundings
  readonly #tasks = new Map<number, Task>()
  readonly #held = new Map<number, { epoch: number; result: Uint8Array }>()
  #life = 0
  #alive = false
  #paused = false
  #inbox: (() => void)[] = []
  #claimNumber = 0
  #isClaiming = false

  constructor(plan: WorkerPlan, link: VirtualLink, around: WorkerSurroundings) {
    this.plan = plan
    this.link = link
    this.#around = around
  }

  get isAlive(): boolean {
    return this.#alive
  }

  /** The process starts and connects. */
  start(): void {
    this.#life++
    this.#alive = true
    this.connect()
    this.#later(HEARTBEAT_MS, () => this.#beat())
  }

  /** The process is gone with all it held. */
  kill(): void {
    this.#life++
    this.#alive = false
    this.#paused = false
    this.#inbox = []
    this.#tasks.clear()
    this.#held.clear()
  }

  /** The process is stopped (SIGSTOP): what comes meanwhile waits. */
  pause(): void {
    this.#paused = this.#alive
  }

  resume(): void {
    this.#paused = false
    const inbox = this.#inbox
    this.#inbox = []
    for (const action of inbox) this.receive(action)
  }

  connect(): void {
    if (!this.#alive || this.link.isOpen) return
    this.link.open()
    this.#isClaiming = false
    this.#tasks.clear()
    const held = [...this.#held].map(([chunkIndex, { epoch }]) => ({ chunkIndex, epoch }))
    this.#send(64, (submitter) => submitter.onHello(this, held))
    this.#claimAfter(1)
  }

  /** Its end of the stream closed: unfinished leases are dropped, finished results kept. */
  onClose(): void {
    this.#tasks.clear()
    this.#isClaiming = false
    this.#later(500, () => this.connect())
  }

  /** Runs an action of this process: now, after it was resumed, or never when it was killed. */
  receive(action: () => void): void {
    if (this.#paused) this.#inbox.push(action)
    else if (this.#alive) action()
  }

  onAdopted(grants: readonly LeaseGrant[]): void {
    const adopted = new Map(grants.map((grant) => [grant.chunk.chunkIndex, grant]))
    for (const [chunkIndex, { result }] of this.#held) {
      const grant = adopted.get(chunkIndex)
      this.#held.delete(chunkIndex)
      if (grant === undefined) continue
      const task: Task = { grant, phase: 'finished', progress: 0, result, offers: 0 }
      this.#tasks.set(grant.leaseNumber, task)
      this.#offer(task)
    }
  }

  onReply(claimNumber: number, grants: readonly LeaseGrant[], retryAfterMs: number): void {
    if (claimNumber !== this.#claimNumber) return
    this.#isClaiming = false
    for (const grant of grants) {
      const task: Task = { grant, phase: 'pulling', progress: 0, result: new Uint8Array(0), offers: 0 }
      this.#tasks.set(grant.leaseNumber, task)
      this.#pull(task)
    }
    this.#claimAfter(grants.length > 0 ? 1 : Math.max(retryAfterMs, 100))
  }

  onInput(leaseNumber: number, input: Uint8Array | undefined): void {
    const task = this.#tasks.get(leaseNumber)
    if (task === undefined || task.phase !== 'pulling') return
    if (input === undefined) {
      this.#tasks.delete(leaseNumber)
      this.#claimAfter(1)
      return
    }
    task.progress += input.byteLength
    task.phase = 'queued'
    task.result = input
    this.#computeNext()
  }

  onDead(leaseNumbers: readonly number[]): void {
    if (this.plan.stubborn) return
    for (const leaseNumber of leaseNumbers) this.#tasks.delete(leaseNumber)
    this.#claimAfter(1)
  }

  onRevoked(leaseNumber: number): void {
    if (this.#tasks.get(leaseNumber)?.phase !== 'finished') this.#tasks.delete(leaseNumber)
    this.#claimAfter(1)
  }

  onResultPull(leaseNumber: number): void {
    const task = this.#tasks.get(leaseNumber)
    if (task?.phase !== 'finished') return
    const { result } = task
    this.#send(result.byteLength, (submitter) => submitter.onResult(this, leaseNumber, result.slice()))
  }

  /** The verdict on an offered result: receipted or refused. */
  onVerdict(leaseNumber: number): void {
    const task = this.#tasks.get(leaseNumber)
    if (task !== undefined) this.#held.delete(task.grant.chunk.chunkIndex)
    this.#tasks.delete(leaseNumber)
    this.#claimAfter(1)
  }

  onWake(): void {
    this.#claimAfter(0)
  }

  #claimAfter(delayMs: number): void {
    this.#later(delayMs, () => {
      const room = this.plan.depth - this.#tasks.size
      if (this.#isClaiming || room <= 0 || !this.link.isOpen) return
      this.#isClaiming = true
      const claimNumber = ++this.#claimNumber
      this.#send(32, (submitter) => submitter.onClaim(this, claimNumber, room))
      this.#later(PATIENCE_MS, () => {
        if (claimNumber !== this.#claimNumber || !this.#isClaiming) return
        this.#isClaiming = false
        this.#claimAfter(0)
      })
    })
  }

  #pull(task: Task): void {
    if (task.phase !== 'pulling' || this.#tasks.get(task.grant.leaseNumber) !== task) return
    this.#send(32, (submitter) => submitter.onPull(this, task.grant.leaseNumber))
    this.#later(PATIENCE_MS, () => this.#pull(task))
  }

  /** One kernel thread: the first that is queued runs. */
  #computeNext(): void {
    const tasks = [...this.#tasks.values()]
    const task = tasks.find(({ phase }) => phase === 'queued')
    if (task === undefined || tasks.some(({ phase }) => phase === 'computing')) return
    task.phase = 'computing'
    if (this.plan.character === 'hung') return
    const steps = Math.ceil(task.grant.chunk.inputBytes / SIM_BLOCK_BYTES)
    this.#later(this.plan.blockMs * steps, () => this.#finish(task))
    for (let step = 1; step < Math.min(steps, 4); step++) {
      this.#later(this.plan.blockMs * step, () => {
        task.progress += SIM_BLOCK_BYTES
      })
    }
  }

  #finish(task: Task): void {
    const { leaseNumber, chunk, epoch } = task.grant
    if (this.#tasks.get(leaseNumber) !== task) {
      this.#computeNext()
      return
    }
    if (this.plan.character === 'broken') {
      this.#tasks.delete(leaseNumber)
      this.#send(32, (submitter) => submitter.onRelease(this, leaseNumber))
      this.#claimAfter(1)
    } else {
      task.phase = 'finished'
      task.result = invert.run(task.result, {
        kind: 'invert',
        params: new Uint8Array(0),
        reverse: this.#around.reverse
      })
      if (this.plan.character === 'liar') spoil(task.result)
      this.#held.set(chunk.chunkIndex, { epoch, result: task.result })
      this.#offer(task)
    }
    this.#computeNext()
  }

  #offer(task: Task): void {
    const { leaseNumber, chunk } = task.grant
    if (this.#tasks.get(leaseNumber) !== task) return
    if (++task.offers > OFFERS_MAX) {
      this.#held.delete(chunk.chunkIndex)
      this.#tasks.delete(leaseNumber)
      this.#claimAfter(1)
      return
    }
    this.#send(96, (submitter) => submitter.onOffer(this, leaseNumber))
    this.#later(PATIENCE_MS, () => this.#offer(task))
  }

  #beat(): void {
    const reports: ProgressReport[] = []
    for (const [leaseNumber, { progress }] of this.#tasks) reports.push({ leaseNumber, progress })
    this.#send(32, (submitter) => submitter.onHeartbeat(this, reports))
    this.#later(HEARTBEAT_MS, () => this.#beat())
  }

  #send(byteLength: number, deliver: (submitter: VirtualSubmitter) => void): void {
    this.link.send(byteLength, () => deliver(this.#around.submitter()))
  }

  #later(delayMs: number, action: () => void): void {
    const life = this.#life
    this.#around.time.after(delayMs, () => {
      if (life === this.#life) this.receive(action)
    })
  }
}

/** Flips one bit. */
function spoil(result: Uint8Array): void {
  const at = result.byteLength >> 1
  result[at] = (result[at] ?? 0) ^ 1
}
