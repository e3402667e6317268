import type { BufferPool } from '../domain/buffer-pool.ts'
import { type Clock, sleepOrAbort } from '../domain/clock.ts'

/** How often is looked whether work has ended. */
const LOOK_MS = 250
/**
 * How long a worker must have held no lease before memory is given back. One that waits for its next grant holds none for
 * a moment, many times in a job, and a collection of all heaps takes 200 ms of CPU.
 */
const UNLEASED_MS = 1_000

/** What {@link trimWhenIdle} needs. */
export interface TrimOptions {
  /** Whether this process runs a job of its own now. */
  readonly runsJob: () => boolean
  /** Whether it holds a lease of somebody else's now. */
  readonly holdsLease: () => boolean
  readonly buffers: BufferPool
  /** What else lets go of memory that is kept for the next job. */
  readonly trim?: () => void
  readonly clock: Clock
  /** V8's collector, where the process was started with `--expose-gc` (bin/run.js does). */
  readonly collect?: (() => unknown) | undefined
}

/**
 * Gives memory back once after each spell of work: idle chunk buffers, and the garbage that V8 was told to be slow about
 * (see bin/run.js), so that a process that runs for weeks starts each job as small as the first. Work is over when the
 * process has started, with a job of its own, or {@link UNLEASED_MS} after the last lease of another's.
 *
 * @returns what ends it
 */
export function trimWhenIdle(options: TrimOptions): { stop(): Promise<void> } {
  const stopped = new AbortController()
  const running = keepTrimming({ collect: collectGarbage(), ...options }, stopped.signal)
  return {
    stop: () => {
      stopped.abort()
      return running
    }
  }
}

async function keepTrimming(
  { runsJob, holdsLease, buffers, trim, clock, collect }: TrimOptions,
  signal: AbortSignal
): Promise<void> {
  // Starting is work as well: a quarter of the heap is garbage after it.
  let overAtMs: number | undefined = clock.nowMs() + UNLEASED_MS
  while (!signal.aborted) {
    if (runsJob()) {
      overAtMs = clock.nowMs()
    } else if (holdsLease()) {
      overAtMs = clock.nowMs() + UNLEASED_MS
    } else if (overAtMs !== undefined && clock.nowMs() >= overAtMs) {
      overAtMs = undefined
      buffers.clear()
      trim?.()
      collect?.()
    }
    await sleepOrAbort(clock, LOOK_MS, signal)
  }
}

/** @returns what asks V8 for a collection, where the process was started with `--expose-gc` */
export function collectGarbage(): (() => unknown) | undefined {
  const { gc } = globalThis
  return gc === undefined ? undefined : () => gc({ type: 'major', execution: 'async' })
}
