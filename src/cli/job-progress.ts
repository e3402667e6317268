import type { JobEvent } from '../domain/events.ts'
import { formatDone, formatJobEvent, formatProgressBlock, formatProgressLine } from './job-text.ts'
import { LineBudget } from './line-budget.ts'
import { LiveBlock } from './live-block.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** Shortest time between two progress lines in a log. */
export const PROGRESS_LINE_INTERVAL_MS = 1_000

/** How a job's events are shown: redrawn on a screen, lines in a log, or JSON. */
export type ProgressMode = 'live' | 'lines' | 'json'

/** Shows the events of one job. stdout gets the result (or all events, as JSON), stderr the rest. */
export class JobProgress {
  readonly #terminal: Terminal
  readonly #mode: ProgressMode
  readonly #block: LiveBlock
  readonly #budget: LineBudget
  #task = ''
  #lineAtMs = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#mode = json ? 'json' : terminal.live ? 'live' : 'lines'
    this.#block = new LiveBlock(terminal)
    this.#budget = new LineBudget(
      () => terminal.nowMs(),
      (line) => (this.#mode === 'live' ? this.#block.print(line) : terminal.err(line))
    )
  }

  /** Shows one event. Cheap to call as often as events come. */
  show(event: JobEvent): void {
    if (this.#mode === 'json') {
      this.#terminal.out(JSON.stringify(event))
      return
    }
    if (event.event === 'accepted') this.#task = event.task
    if (event.event === 'progress') this.#showProgress(event)
    else if (event.event === 'done') this.#end(() => this.#terminal.out(formatDone(event)))
    else if (event.event === 'failed') this.#end(() => this.#say('red', 'failed', `${event.message} (${event.code})`))
    else if (event.event === 'stopped' || event.event === 'cancelled') {
      this.#end(() => this.#say('yellow', event.event, event.message))
    } else {
      const line = formatJobEvent(event)
      if (line !== undefined) this.#budget.print(line)
    }
  }

  /** Leaves the terminal clean, however the job ended. May be called again. */
  close(): void {
    this.#end(() => undefined)
  }

  #showProgress(event: Extract<JobEvent, { event: 'progress' }>): void {
    if (this.#mode === 'live') {
      this.#block.update(() => formatProgressBlock(this.#task, event))
      return
    }
    const nowMs = this.#terminal.nowMs()
    if (nowMs - this.#lineAtMs < PROGRESS_LINE_INTERVAL_MS) return
    this.#lineAtMs = nowMs
    this.#terminal.err(formatProgressLine(event))
  }

  #end(say: () => void): void {
    if (this.#mode === 'live') this.#block.clear()
    if (this.#mode !== 'json') this.#budget.flush()
    say()
  }

  #say(style: 'red' | 'yellow', word: string, message: string): void {
    this.#terminal.err(`${this.#terminal.paint(style, `${word}:`)} ${printable(message)}`)
  }
}
