/** Wait before the first retry, in ms. */
export const BACKOFF_FIRST_MS = 500
/** Longest wait between two tries, in ms. */
export const BACKOFF_MAX_MS = 60_000

/**
 * Wait before retry number `attempt` (from 0): doubles up to {@link BACKOFF_MAX_MS}, less up to half of it at random, so
 * that peers which lost the same machine do not all come back at once.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 30))
  return ceilingMs * (1 - random() / 2)
}
