/** Source of monotonic milliseconds and timers; the simulation supplies a virtual one. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin; never goes back. */
  nowMs(): number
  /** Wall time in Unix milliseconds; shown to people and put in receipts, never used for a deadline. */
  wallMs(): number
  /** Resolves after `delayMs`. @throws the signal's reason when it aborts. */
  sleep(delayMs: number, options: { signal: AbortSignal }): Promise<void>
}

/** Sleeps until the delay is over or the signal aborts, which whoever called looks at. @throws what else goes wrong */
export async function sleepOrAbort(clock: Pick<Clock, 'sleep'>, delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(delayMs, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
