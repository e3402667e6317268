import type { JobEvent } from '../domain/events.ts'
import { type BatchCounts, type BatchOutcome, type BatchPlace, isFinal } from './batch-outcome.ts'
import { formatBatch, formatState } from './batch-table.ts'
import { formatJobEvent } from './job-text.ts'
import { LineBudget } from './line-budget.ts'
import { LiveBlock } from './live-block.ts'
import { printable } from './printable.ts'
import { formatCount, formatDurationMs, formatRate } from './quantities.ts'
import { displayWidth, truncate } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Shortest time between two lines on running jobs in a log. */
export const RUNNING_LINE_INTERVAL_MS = 10_000

const NAME_COLUMNS = 32
const BAR_CELLS = 16
/** Before as much is done nothing can be said of the time that is left. */
const FRACTION_MIN = 0.005

type Progress = Extract<JobEvent, { event: 'progress' }>

interface Running {
  readonly inputBytes: number
  readonly progress: Progress | undefined
}

/** Shows how a batch goes: a line for each running job on a screen, a line for each file in a log, or JSON. */
export class BatchProgress {
  readonly #terminal: Terminal
  readonly #mode: 'live' | 'lines' | 'json'
  #block: LiveBlock
  readonly #budget: LineBudget
  /** Newest progress of each running job, by file. */
  readonly #running = new Map<string, Running>()
  readonly #ended = { done: 0, failed: 0, skipped: 0 }
  #files = 0
  #bytes = 0
  #endedBytes = 0
  #startedMs: number | undefined
  #lineAtMs = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#mode = json ? 'json' : terminal.live ? 'live' : 'lines'
    this.#block = new LiveBlock(terminal)
    this.#budget = new LineBudget(
      () => terminal.nowMs(),
      (line) => this.#print(line)
    )
  }

  /** Says how many files there are in all, before the first event. */
  begin(files: number): void {
    this.#files = files
  }

  /** Begins to count the time of the jobs, once it is known which files are left to do. @param bytes of these files */
  beginJobs(bytes: number): void {
    this.#bytes = bytes
    this.#startedMs = this.#terminal.nowMs()
    this.#lineAtMs = this.#startedMs
  }

  /** Shows an event of a file's job. Cheap to call as often as events come. */
  show({ file, inputBytes }: BatchPlace, event: JobEvent): void {
    if (this.#mode === 'json') {
      this.#terminal.out(JSON.stringify({ ...event, file }))
      return
    }
    if (isFinal(event)) return
    if (event.event === 'progress') this.#running.set(file, { inputBytes, progress: event })
    else if (event.event === 'accepted') this.#running.set(file, { inputBytes, progress: undefined })
    else this.#say(`${printable(file)}: ${formatJobEvent(event) ?? event.event}`)
    if (this.#mode === 'live') this.#block.update(() => this.#lines())
    else this.#sayRunning()
  }

  /** Shows what became of a file. */
  settle(outcome: BatchOutcome): void {
    this.#running.delete(outcome.file)
    this.#endedBytes += outcome.state === 'skipped' ? 0 : outcome.inputBytes
    if (outcome.state === 'done' || outcome.state === 'skipped') this.#ended[outcome.state]++
    else if (outcome.state === 'failed' || outcome.state === 'cancelled') this.#ended.failed++
    if (this.#mode === 'json') this.#showOutcome(outcome)
    else if (outcome.state === 'done' || outcome.state === 'skipped') this.#say(this.#outcomeLine(outcome))
    // What went wrong is always said.
    else if (outcome.state !== 'not started') this.#print(this.#outcomeLine(outcome))
  }

  /** Shows the last word: the table, or the event `batch`. */
  finish(outcomes: readonly BatchOutcome[], counts: BatchCounts): void {
    this.close()
    if (this.#mode === 'json') {
      const { done, failed, left, skipped } = counts
      this.#terminal.out(JSON.stringify({ event: 'batch', files: outcomes, done, failed, skipped, left }))
    } else this.#terminal.out(formatBatch(outcomes, counts))
  }

  /** Leaves the terminal clean. May be called again. */
  close(): void {
    if (this.#mode === 'json') return
    this.#budget.flush()
    if (this.#mode === 'live') this.#block.clear()
  }

  /** Of jobs the last event was shown already; what had none gets one here. */
  #showOutcome(outcome: BatchOutcome): void {
    const { code, file, folder, jobId, message, state } = outcome
    if (state === 'skipped') this.#terminal.out(JSON.stringify({ event: 'skipped', file, folder, reason: 'done' }))
    if (state === 'failed' && jobId === undefined) {
      this.#terminal.out(JSON.stringify({ event: 'failed', code, message, file, folder }))
    }
  }

  #outcomeLine(outcome: BatchOutcome): string {
    const { code, file, message, state, totalMs } = outcome
    const style = state === 'failed' ? 'red' : state === 'stopped' || state === 'cancelled' ? 'yellow' : undefined
    const word = style === undefined ? formatState(outcome) : this.#terminal.paint(style, state)
    const took = totalMs === undefined ? '' : ` ${formatDurationMs(totalMs)}`
    const said = message === undefined ? '' : `: ${printable(message)}${code === undefined ? '' : ` (${code})`}`
    return `${word} ${this.#count()} ${printable(file)}${took}${said}`
  }

  #say(line: string): void {
    this.#budget.print(line)
  }

  #print(line: string): void {
    if (this.#mode === 'live') {
      // A fresh block, since one that was just drawn would go on showing the job whose end this line tells.
      this.#block.clear()
      this.#block = new LiveBlock(this.#terminal)
    }
    this.#terminal.err(line)
    if (this.#mode === 'live') this.#block.update(() => this.#lines())
  }

  /** A log hears of long jobs as well. */
  #sayRunning(): void {
    const nowMs = this.#terminal.nowMs()
    if (nowMs - this.#lineAtMs < RUNNING_LINE_INTERVAL_MS) return
    this.#lineAtMs = nowMs
    const jobs = [...this.#running].map(([file, { progress }]) => `${printable(file)} ${percentOf(progress)} %`)
    this.#print(`running ${jobs.join(', ')}; ${this.#total()}`)
  }

  #lines(): readonly string[] {
    return [...[...this.#running].map(([file, { progress }]) => runningLine(file, progress)), this.#total()]
  }

  #count(): string {
    const { done, failed, skipped } = this.#ended
    return `${formatCount(done + failed + skipped)}/${formatCount(this.#files)}`
  }

  #total(): string {
    const { done, failed, skipped } = this.#ended
    const left = this.#remainingMs()
    const time = left === undefined ? '' : `, ${formatDurationMs(left)} left`
    return `${formatCount(done)} done, ${formatCount(failed)} failed, ${formatCount(skipped)} skipped of ${formatCount(this.#files)}${time}`
  }

  /** By the bytes of files that are done: the swarm's speed is that of all jobs together. */
  #remainingMs(): number | undefined {
    if (this.#startedMs === undefined || this.#bytes === 0) return undefined
    let doneBytes = this.#endedBytes
    for (const { inputBytes, progress } of this.#running.values()) doneBytes += inputBytes * fractionOf(progress)
    const fraction = Math.min(1, doneBytes / this.#bytes)
    if (fraction < FRACTION_MIN) return undefined
    return ((this.#terminal.nowMs() - this.#startedMs) * (1 - fraction)) / fraction
  }
}

function runningLine(file: string, progress: Progress | undefined): string {
  const name = truncate(printable(file), NAME_COLUMNS)
  const padded = name + ' '.repeat(Math.max(0, NAME_COLUMNS - displayWidth(name)))
  const percent = percentOf(progress)
  const cells = Math.round((percent / 100) * BAR_CELLS)
  const bar = `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}`
  if (progress === undefined) return `  ${padded}  ${bar}`
  const left = progress.remainingMs === undefined ? '' : `  ${formatDurationMs(progress.remainingMs)} left`
  return `  ${padded}  ${bar}  ${percent} %  ${formatRate(progress.bytesPerSecond)}${left}`
}

/** Rounded down, so that 100 is only said when all is there. */
function percentOf(progress: Progress | undefined): number {
  return Math.floor(fractionOf(progress) * 100)
}

function fractionOf(progress: Progress | undefined): number {
  if (progress === undefined || progress.inputBytes <= 0) return 0
  return Math.min(1, progress.mergedBytes / progress.inputBytes)
}
