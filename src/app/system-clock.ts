import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../domain/clock.ts'

/** The machine's clocks. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (delayMs, { signal }) => {
    try {
      await delay(delayMs, undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  }
}
