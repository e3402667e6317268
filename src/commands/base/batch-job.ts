import { setTimeout as sleep } from 'node:timers/promises'
import type { SubmitRequest, SwarmApp, Waiting } from '../../app/api-types.ts'
import type { FolderSearch } from '../../app/batch-folder.ts'
import { type BatchOutcome, type BatchPlace, isFinal, outcomeOf } from '../../cli/batch-outcome.ts'
import { describeError } from '../../cli/describe-error.ts'
import type { JobEvent } from '../../domain/events.ts'
import { SwarmError } from '../../errors.ts'

/** Time between two looks whether the process that runs the home has room for another job. */
export const ROOM_LOOK_MS = 1_000
/** So many looks are enough: whoever fills the process with jobs for an hour has no room for a batch. */
export const ROOM_LOOKS_MAX = 3_600

/** Errors of a process that is not there any more: no other file would fare better. */
const PROCESS_GONE_CODES = ['PROCESS_GONE', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']

/** One file's job. */
export interface BatchJob {
  readonly place: BatchPlace
  readonly request: SubmitRequest
  /** Where to look for a job that was interrupted. */
  readonly search: FolderSearch
}

/** What running a {@link BatchJob} needs. */
export interface BatchJobPorts {
  readonly app: SwarmApp
  readonly findResumable: typeof import('../../app/batch-folder.ts').findResumable
  readonly onEvent: (place: BatchPlace, event: JobEvent) => void
  readonly sleep?: (ms: number, waiting: Waiting) => Promise<void>
}

/**
 * Runs a file's job to its end, or goes on with the one that was interrupted. Waits for room where too many jobs run.
 *
 * @returns what came of it; errors are a failed outcome, an abort before the job began one that was not started
 */
export async function runBatchJob(job: BatchJob, ports: BatchJobPorts, { signal }: Waiting): Promise<BatchOutcome> {
  try {
    return await runToEnd(job, ports, { signal })
  } catch (error) {
    if (signal.aborted) return { ...job.place, state: 'not started' }
    return failedOutcome(job.place, error)
  }
}

/** Makes an outcome of an error. */
export function failedOutcome(place: BatchPlace, error: unknown): BatchOutcome {
  const { code, message } = describeError(error)
  return { ...place, state: 'failed', code, message }
}

/** Whether a failure says that the process which runs the home is gone. */
export function isProcessGone({ code }: BatchOutcome): boolean {
  return code !== undefined && PROCESS_GONE_CODES.includes(code)
}

async function runToEnd({ place, request, search }: BatchJob, ports: BatchJobPorts, waiting: Waiting) {
  const { app, findResumable, onEvent } = ports
  const { jobId, stale } = await findResumable(app, search, waiting)
  for (const each of stale) {
    const message = `job ${each}, which was interrupted, would not give this result: "swarm jobs cancel ${each}" removes what it left in ${place.folder}`
    onEvent(place, { event: 'notice', jobId: each, message })
  }
  const begin = () => (jobId === undefined ? app.submit(request, waiting) : app.resume(jobId, waiting))
  for await (const event of startedOnceThereIsRoom(begin, ports, waiting)) {
    onEvent(place, event)
    if (isFinal(event)) return outcomeOf(place, event)
  }
  waiting.signal.throwIfAborted()
  throw new SwarmError('PROCESS_GONE', 'the job said nothing more; see "swarm jobs" for its state, then run this again')
}

async function* startedOnceThereIsRoom(
  begin: () => AsyncIterable<JobEvent>,
  { sleep: wait = pause }: BatchJobPorts,
  waiting: Waiting
): AsyncIterable<JobEvent> {
  for (let look = 1; ; look++) {
    try {
      // Thrown before the first event only, so nothing is told twice.
      yield* begin()
      return
    } catch (error) {
      if (!(error instanceof SwarmError && error.code === 'TOO_MANY_JOBS') || look >= ROOM_LOOKS_MAX) throw error
    }
    await wait(ROOM_LOOK_MS, waiting)
  }
}

async function pause(ms: number, { signal }: Waiting): Promise<void> {
  await sleep(ms, undefined, { signal })
}
