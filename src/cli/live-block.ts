import { truncate } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Shortest time between two redraws. */
export const REDRAW_INTERVAL_MS = 100

/**
 * A few lines at the bottom of the terminal that are drawn over and over, at most every {@link REDRAW_INTERVAL_MS}.
 * Lines printed in between scroll away above it. Driven by its owner's events; it has no timer.
 */
export class LiveBlock {
  readonly #terminal: Terminal
  #drawnLines = 0
  #lines: readonly string[] = []
  #drawnAtMs = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Shows these lines, unless the last redraw was just now; `render` is only called when it counts. */
  update(render: () => readonly string[]): void {
    if (this.#terminal.nowMs() - this.#drawnAtMs < REDRAW_INTERVAL_MS) return
    this.#lines = render()
    this.#redraw('')
  }

  /** Prints a line above the block. */
  print(line: string): void {
    this.#redraw(`${line}\n`)
  }

  /** Removes the block. */
  clear(): void {
    this.#lines = []
    this.#redraw('')
  }

  #redraw(above: string): void {
    // One write, so that nothing flickers: up to the block's first line, clear to the end, then all anew.
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A\r\u001b[J` : ''
    const columns = this.#terminal.columns - 1
    const block = this.#lines.map((line) => `${truncate(line, columns)}\n`).join('')
    if (up + above + block !== '') this.#terminal.errRaw(up + above + block)
    this.#drawnLines = this.#lines.length
    this.#drawnAtMs = this.#terminal.nowMs()
  }
}
