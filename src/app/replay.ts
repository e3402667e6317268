import { stat } from 'node:fs/promises'
import { isFinalState, type JobOutputs } from '../domain/events.ts'
import type { FileStamp } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { FAST_KERNEL_PREFIX } from '../tasks/matrix/matrix.ts'
import type { JobDetail, JobFigures, ReplayView, ResultComparison, SubmitRequest, Waiting } from './api-types.ts'
import { compareResults } from './replay-results.ts'

/** What a replay may have otherwise than its original. */
export interface ReplayChanges {
  /** Folder for the outputs; default `<outRoot>/<job id>`. */
  readonly outDir?: string
  readonly outRoot: string
  /** Multiaddrs dialled before the job opens. */
  readonly peers: readonly string[]
}

/**
 * Makes the request that runs a job again, once its inputs are found as they were.
 *
 * @throws SwarmError JOB_NOT_ENDED for one that can still be resumed; INPUT_CHANGED, also when an input is gone;
 *   NOT_REPLAYABLE when the process that runs the home is older than this program
 */
export async function requestReplay(job: JobDetail, changes: ReplayChanges): Promise<SubmitRequest> {
  const { recipe } = job
  if (job.running || !isFinalState(job.state)) {
    const advice = job.running ? `follow it with "swarm jobs watch ${job.jobId}"` : 'resume or cancel it first'
    throw usage('JOB_NOT_ENDED', `job ${job.jobId} has not ended, so there is nothing to compare with: ${advice}`)
  }
  if (recipe === undefined) {
    throw usage(
      'NOT_REPLAYABLE',
      `the process that runs this home does not tell how job ${job.jobId} ran: start it anew`
    )
  }
  for (const input of recipe.inputs) await checkInput(job, input)
  return {
    ...recipe.request,
    outRoot: changes.outRoot,
    ...(changes.outDir !== undefined && { outDir: changes.outDir }),
    detach: false,
    peers: changes.peers
  }
}

/**
 * Compares a replay that is done with its original: results byte by byte, and how both went.
 *
 * @throws SwarmError TAG_MISMATCH when a sealed result was changed, RESULT_UNREADABLE; the signal's reason
 */
export async function compareReplay(original: JobDetail, replay: JobDetail, waiting: Waiting): Promise<ReplayView> {
  const kernels = [original, replay].map(({ figures }) => figures?.kernelId)
  const [kernelId, other] = kernels
  return {
    event: 'replayed',
    original,
    replay,
    result: await compareOutputs(original, replay.outputs, waiting),
    mustBeEqual: kernelId !== undefined && kernelId === other && !kernelId.startsWith(FAST_KERNEL_PREFIX),
    ratios: ratiosOf(original.figures, replay.figures)
  }
}

/** Whether a replay's result is other than it may be. */
export function isBroken({ result, mustBeEqual }: ReplayView): boolean {
  return mustBeEqual && result.compared && !result.equal
}

async function compareOutputs(
  { state, outputs }: JobDetail,
  replayed: JobOutputs | undefined,
  waiting: Waiting
): Promise<ResultComparison> {
  if (outputs === undefined) return { compared: false, reason: `the original is ${state} and has no result` }
  if (replayed === undefined) return { compared: false, reason: 'the replay has no result' }
  try {
    return await compareResults(outputs, replayed, waiting)
  } catch (error) {
    if (error instanceof SwarmError && error.code === 'RESULT_MISSING') {
      return { compared: false, reason: error.message }
    }
    throw error
  }
}

function ratiosOf(original: JobFigures | undefined, replay: JobFigures | undefined): ReplayView['ratios'] {
  const names = ['totalMs', 'averageChunkMs', 'unitsPerSecond', 'efficiency'] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const [before, now] = [original?.[name] ?? 0, replay?.[name] ?? 0]
      return before > 0 ? [[name, Math.round((now / before) * 1000) / 1000]] : []
    })
  )
}

async function checkInput({ jobId }: JobDetail, { path, byteLength, modifiedMs }: FileStamp): Promise<void> {
  const found = await statInput(path, jobId)
  if (found.size !== byteLength) throw changed(path, jobId, `${byteLength} bytes`, `${found.size}`)
  if (found.mtimeMs !== modifiedMs) throw changed(path, jobId, `last change ${at(modifiedMs)}`, at(found.mtimeMs))
}

async function statInput(path: string, jobId: string) {
  try {
    return await stat(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw changed(path, jobId, 'the file that the job read', reason, error)
  }
}

function changed(path: string, jobId: string, expected: string, found: string, cause?: unknown): SwarmError {
  return new SwarmError(
    'INPUT_CHANGED',
    `${path} is not as it was for job ${jobId}: expected ${expected}, found ${found}. Put the file back, or submit it anew`,
    { cause }
  )
}

function usage(code: string, message: string): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage })
}

function at(unixMs: number): string {
  return new Date(unixMs).toISOString()
}
