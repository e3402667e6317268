import type { Clock } from '../../src/domain/clock.ts'

/** How finely an uplink is shared, in bytes. */
const SLICE_BYTES = 4096

interface Flow {
  leftBytes: number
  readonly signal: AbortSignal
  readonly onSlice: (byteLength: number) => void
  readonly settled: PromiseWithResolvers<void>
}

/** A peer's way out: a fixed rate that all who are sent to share fairly, slice by slice. */
export class VirtualUplink {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  readonly #flows: Flow[] = []
  #isRunning = false
  /** Bytes that left. */
  sentBytes = 0

  constructor(clock: Clock, bytesPerMs: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerMs
  }

  /** Resolves when all has left. @throws the signal's reason */
  async send(byteLength: number, signal: AbortSignal, onSlice: (byteLength: number) => void): Promise<void> {
    const flow: Flow = { leftBytes: byteLength, signal, onSlice, settled: Promise.withResolvers<void>() }
    this.#flows.push(flow)
    const running = this.#isRunning ? undefined : this.#run()
    await flow.settled.promise
    if (this.#flows.length === 0) await running
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    const forever = new AbortController().signal
    for (let flow = this.#flows.shift(); flow !== undefined; flow = this.#flows.shift()) {
      if (flow.signal.aborted) {
        flow.settled.reject(flow.signal.reason)
        continue
      }
      const byteLength = Math.min(SLICE_BYTES, flow.leftBytes)
      await this.#clock.sleep(byteLength / this.#bytesPerMs, { signal: forever })
      this.sentBytes += byteLength
      flow.leftBytes -= byteLength
      if (!flow.signal.aborted) flow.onSlice(byteLength)
      if (flow.leftBytes > 0) this.#flows.push(flow)
      else flow.settled.resolve()
    }
    this.#isRunning = false
  }
}
