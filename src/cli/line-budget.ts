/** Most lines in one second; what is more is counted and said once. */
export const LINES_PER_SECOND_MAX = 20

const WINDOW_MS = 1_000

/** Keeps a log readable whatever a swarm does: passes on a bounded number of lines a second. */
export class LineBudget {
  readonly #nowMs: () => number
  readonly #write: (line: string) => void
  #windowStartMs = Number.NEGATIVE_INFINITY
  #written = 0
  #leftOut = 0

  constructor(nowMs: () => number, write: (line: string) => void) {
    this.#nowMs = nowMs
    this.#write = write
  }

  /** Writes the line, or counts it as left out. */
  print(line: string): void {
    if (this.#nowMs() - this.#windowStartMs >= WINDOW_MS) {
      this.flush()
      this.#windowStartMs = this.#nowMs()
      this.#written = 0
    }
    if (this.#written < LINES_PER_SECOND_MAX) {
      this.#written++
      this.#write(line)
    } else {
      this.#leftOut++
    }
  }

  /** Says how many lines were left out since it was last said. */
  flush(): void {
    if (this.#leftOut > 0) this.#write(`(${this.#leftOut} more lines left out)`)
    this.#leftOut = 0
  }
}
