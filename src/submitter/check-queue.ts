/** A check that waits for its turn. */
interface Waiting {
  readonly operands: readonly number[]
  readonly begin: () => void
}

/**
 * Lets so many checks run at once, so that only these keep operands in memory. Among those that wait, the one goes first
 * whose operands are nearest; each waits for as many turns as there are others at most.
 */
export class CheckQueue {
  readonly #atOnce: number
  readonly #costOf: (operand: number) => number
  readonly #waiting: Waiting[] = []
  #running = 0
  /** Checks that went before the oldest one that waits. */
  #passed = 0

  /** @param costOf what it costs to bring an operand here, in any unit; 0 when it is here */
  constructor(atOnce: number, costOf: (operand: number) => number) {
    this.#atOnce = atOnce
    this.#costOf = costOf
  }

  /** Runs a check when it is its turn. @throws what the check throws, or the signal's reason while it waits */
  async run<Value>(
    operands: readonly number[],
    check: () => Promise<Value>,
    { signal }: { signal: AbortSignal }
  ): Promise<Value> {
    await this.#turn(operands, signal)
    try {
      return await check()
    } finally {
      this.#running--
      this.#next()
    }
  }

  #turn(operands: readonly number[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const leave = (): void => {
        const place = this.#waiting.indexOf(waiting)
        if (place >= 0) this.#waiting.splice(place, 1)
        reject(signal.reason)
      }
      const waiting: Waiting = {
        operands,
        begin: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      this.#next()
    })
  }

  #next(): void {
    if (this.#running >= this.#atOnce || this.#waiting.length === 0) return
    const place = this.#passed >= this.#waiting.length ? 0 : this.#nearest()
    this.#passed = place === 0 ? 0 : this.#passed + 1
    const [waiting] = this.#waiting.splice(place, 1)
    if (waiting === undefined) return
    this.#running++
    waiting.begin()
  }

  #nearest(): number {
    const costs = this.#waiting.map(({ operands }) => operands.reduce((sum, operand) => sum + this.#costOf(operand), 0))
    return costs.indexOf(Math.min(...costs))
  }
}
