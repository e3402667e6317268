import { invert } from '../../src/tasks/invert/invert.ts'
import { Figures } from './figures.ts'
import { MemoryJournal } from './memory-journal.ts'
import { Random } from './random.ts'
import type { Fault, Scenario } from './scenario.ts'
import { VirtualLink } from './virtual-link.ts'
import { VirtualSubmitter } from './virtual-submitter.ts'
import { VirtualTime } from './virtual-time.ts'
import { VirtualWorker } from './virtual-worker.ts'

/** No job of the simulation needs longer, in virtual ms; the longest pauses and partitions last a minute each. */
const VIRTUAL_MS_MAX = 3 * 3_600_000
const ACTIONS_MAX = 5_000_000
/** libp2p notices a peer that is silent after about this long. */
const MONITOR_MS = 14_000

/** Runs one scenario to its end and checks what must hold. @throws Error with the seed when it does not */
export function simulate(scenario: Scenario): Figures {
  const world = new World(scenario)
  try {
    return world.run()
  } catch (cause) {
    throw new Error(`seed ${scenario.seed} at ${Math.round(world.time.nowMs)} ms: ${String(cause)}`, { cause })
  }
}

class World {
  readonly time = new VirtualTime()
  readonly #scenario: Scenario
  readonly #figures = new Figures()
  readonly #input: Uint8Array
  readonly #journal: MemoryJournal
  readonly #workers: VirtualWorker[]
  #submitter: VirtualSubmitter

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    const random = new Random(scenario.seed ^ 0x5eed)
    this.#input = Uint8Array.from({ length: scenario.inputBytes }, () => random.integer(0, 255))
    this.#journal = new MemoryJournal(scenario.inputBytes)
    this.#submitter = this.#startSubmitter()
    const around = { time: this.time, reverse: scenario.reverse, submitter: () => this.#submitter }
    this.#workers = scenario.workers.map((plan) => {
      return new VirtualWorker(plan, new VirtualLink(this.time, random, plan), around)
    })
  }

  run(): Figures {
    for (const worker of this.#workers) this.time.after(worker.plan.joinsAtMs, () => worker.start())
    for (const fault of this.#scenario.faults) this.time.after(fault.atMs, () => this.#strike(fault))
    while (!this.#submitter.table.done) {
      if (!this.time.step()) throw new Error('nothing is planned any more, and the job is not done')
      if (this.time.nowMs > VIRTUAL_MS_MAX) throw new Error('the job does not end')
      if (this.time.actionsRun > ACTIONS_MAX) throw new Error('the job spins')
    }
    this.#submitter.stop()
    this.#check()
    return this.#count()
  }

  #startSubmitter(): VirtualSubmitter {
    return new VirtualSubmitter({
      scenario: this.#scenario,
      time: this.time,
      input: this.#input,
      journal: this.#journal,
      figures: this.#figures
    })
  }

  #strike(fault: Fault): void {
    const worker = this.#workers[fault.worker]
    if (worker === undefined) return
    this.#figures.faults[fault.kind]++
    if (fault.kind === 'restart') {
      this.#restart(fault.durationMs)
    } else if (!worker.isAlive) {
      return
    } else if (fault.kind === 'kill') {
      worker.kill()
      this.time.after(9 + (fault.durationMs % 40), () => this.#close(worker))
      if (fault.returns) this.time.after(100 + fault.durationMs, () => worker.isAlive || worker.start())
    } else if (fault.kind === 'pause') {
      worker.pause()
      this.time.after(fault.durationMs, () => worker.resume())
    } else if (fault.kind === 'partition') {
      worker.link.cut(fault.durationMs)
      this.time.after(MONITOR_MS, () => worker.link.isCut && this.#close(worker))
    } else {
      this.#close(worker)
    }
  }

  #close(worker: VirtualWorker): void {
    if (!worker.link.isOpen) return
    worker.link.close()
    this.#submitter.onClose(worker)
    worker.receive(() => worker.onClose())
  }

  /** The submitter's process ends and starts again a little later. */
  #restart(durationMs: number): void {
    this.#submitter.stop()
    this.#submitter = this.#startSubmitter()
    for (const worker of this.#workers) {
      if (!worker.link.isOpen) continue
      worker.link.close()
      worker.receive(() => worker.onClose())
    }
    this.#workers[0]?.link.cut(durationMs % 500)
  }

  #check(): void {
    const { reverse, workers } = this.#scenario
    const expected = invert.run(this.#input.slice(), { kind: 'invert', params: new Uint8Array(0), reverse })
    if (Buffer.compare(expected, this.#journal.output) !== 0) throw new Error('the result differs from the reference')
    const { receipts, mergedChunks, localChunks } = this.#journal
    if (receipts.size !== mergedChunks - localChunks) throw new Error('receipts and merged chunks differ')
    const liars = new Set(workers.filter(({ character }) => character === 'liar').map(({ name }) => name))
    for (const peer of receipts.values()) if (liars.has(peer)) throw new Error(`${peer} is a liar and has credit`)
  }

  #count(): Figures {
    this.#figures.runs = 1
    this.#figures.chunks = this.#journal.mergedChunks
    this.#figures.localChunks = this.#journal.localChunks
    this.#figures.virtualMs = this.time.nowMs
    this.#figures.actions = this.time.actionsRun
    return this.#figures
  }
}
