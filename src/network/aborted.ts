/** Waits, and takes the signal's abort for the end of the wait. */
export async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await wait
  } catch (error) {
    if (!signal.aborted) {
      throw error
    }
  }
}
