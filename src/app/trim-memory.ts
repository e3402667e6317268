import type { BufferPool } from '../domain/buffer-pool.ts'
import { type Clock, sleepOrAbort } from '../domain/clock.ts'

/** How often is looked whether work has ended. */
const LOOK_MS = 500
/**
 * How long there must be no work before memory is given back. A worker that waits for its next grant has none for a
 * moment, many times in a job, and a collection of all heaps takes 200 ms of CPU.
 */
const IDLE_MS = 3_000

/** What {@link trimWhenIdle} needs. */
export interface TrimOptions {
  /** Whether this process runs a job or holds a lease now. */
  readonly isBusy: () => boolean
  readonly buffers: BufferPool
  /** What else lets go of memory that is kept for the next job. */
  readonly trim?: () => void
  readonly clock: Clock
  /** V8's collector, where the process was started with `--expose-gc` (bin/run.js does). */
  readonly collect?: (() => unknown) | undefined
}

/**
 * Gives memory back once after each spell of work ({@link IDLE_MS}): idle chunk buffers, and the garbage that V8 was told to be slow about
 * (see bin/run.js), so that a process that runs for weeks starts each job as small as the first.
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
  { isBusy, buffers, trim, clock, collect }: TrimOptions,
  signal: AbortSignal
): Promise<void> {
  let busyAtMs: number | undefined
  while (!signal.aborted) {
    if (isBusy()) {
      busyAtMs = clock.nowMs()
    } else if (busyAtMs !== undefined && clock.nowMs() - busyAtMs >= IDLE_MS) {
      busyAtMs = undefined
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
