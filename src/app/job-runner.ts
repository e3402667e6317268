import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Advert } from '../../protocols/advert/types.ts'
import { isFinalState, type JobEvent } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import type { JobForecast, JobOptions } from '../domain/job.ts'
import { inputStamps, type JournalJob } from '../domain/journal.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { checkInputFile } from '../store/input-file.ts'
import type { LeaseDesk } from '../submitter/lease-desk.ts'
import { createJob, openJob } from '../submitter/open-job.ts'
import type { SubmitterPorts } from '../submitter/ports.ts'
import { type JobEnd, JobEndRequest, type JobRun } from '../submitter/run-job.ts'
import type { SubmitRequest, Waiting } from './api-types.ts'
import { cancelStored, dropSamples, unknownJob } from './end-stored-job.ts'
import { FanOut } from './fan-out.ts'
import { shapeJob } from './job-shape.ts'
import { readSealingKey } from './sealing-key.ts'
import type { JobShape } from './shaped-job.ts'

/** Jobs that one peer runs side by side; each takes its window of memory. */
export const JOBS_RUNNING_MAX = 8
/** AES block, which is the length of an IV. */
const IV_BYTES = 16

interface Running {
  readonly events: FanOut<JobEvent>
  readonly controller: AbortController
  readonly detached: boolean
  readonly ended: Promise<void>
  /** Undefined until the sink is open. */
  run: JobRun | undefined
}

/** A journalled job, and what the user should know of it before it begins. */
interface NewRecord {
  readonly record: JournalJob
  readonly notices: readonly string[]
}

/** Says what a job that is about to begin will take, where that can be said. */
export type ForecastJob = (request: SubmitRequest, shape: JobShape) => Promise<JobForecast | undefined>

/** Owns the jobs that this process runs: starts, resumes, watches and ends them. */
export class JobRunner {
  readonly #ports: SubmitterPorts
  readonly #desk: LeaseDesk
  readonly #running = new Map<JobId, Running>()
  readonly #onState: (jobId: JobId, event: JobEvent) => void
  readonly #makeJobId: () => JobId
  readonly #forecast: ForecastJob

  constructor(
    ports: SubmitterPorts,
    desk: LeaseDesk,
    makeJobId: () => JobId,
    onState: (jobId: JobId, event: JobEvent) => void,
    forecast: ForecastJob = async () => undefined
  ) {
    this.#ports = ports
    this.#desk = desk
    this.#makeJobId = makeJobId
    this.#onState = onState
    this.#forecast = forecast
  }

  /** Jobs running now. */
  get running(): ReadonlyMap<JobId, JobRun | undefined> {
    return new Map([...this.#running].map(([jobId, { run }]) => [jobId, run]))
  }

  /** What this peer advertises now. */
  adverts(): Advert[] {
    return [...this.#running.values()].flatMap(({ run }) => run?.advert() ?? [])
  }

  /** Checks a request and starts its job. Events begin with `accepted`. @throws SwarmError before that */
  async submit(request: SubmitRequest, { signal }: Waiting): Promise<AsyncIterable<JobEvent>> {
    const { record, notices } = await this.#create(request, signal)
    return this.#follow(this.#start(record, request.detach, notices), request.detach, signal)
  }

  /** Starts a stopped or interrupted job again. @throws SwarmError JOB_UNKNOWN, JOB_ENDED, JOB_RUNNING, INPUT_CHANGED */
  async resume(jobId: JobId, { signal }: Waiting): Promise<AsyncIterable<JobEvent>> {
    await checkUnchanged(this.#resumable(jobId))
    // Asked again, since it may have been started or ended while the input was looked at.
    const record = this.#resumable(jobId)
    this.#checkRoom()
    const incarnation = this.#ports.journal.reopen(jobId)
    return this.#follow(this.#start({ ...record, state: 'open', incarnation }, false), false, signal)
  }

  /** @throws SwarmError JOB_UNKNOWN, JOB_RUNNING, JOB_ENDED (a failed job's key is gone with its end) */
  #resumable(jobId: JobId): JournalJob {
    const record = this.#known(jobId)
    if (this.#running.has(jobId)) {
      throw new SwarmError('JOB_RUNNING', `job ${jobId} is running: follow it with "swarm jobs watch ${jobId}"`)
    }
    if (isFinalState(record.state)) {
      throw new SwarmError('JOB_ENDED', `job ${jobId} is ${record.state}, so there is nothing left to resume`)
    }
    return record
  }

  /** Events from now on. @throws SwarmError JOB_UNKNOWN, JOB_NOT_RUNNING */
  watch(jobId: JobId, { signal }: Waiting): AsyncIterable<JobEvent> {
    this.#known(jobId)
    const running = this.#running.get(jobId)
    if (running === undefined) {
      throw new SwarmError('JOB_NOT_RUNNING', `job ${jobId} is not running here: see "swarm jobs show ${jobId}"`)
    }
    const first = running.run === undefined ? [] : [running.run.progress()]
    return running.events.subscribe(first, { signal })
  }

  /** Ends a job for good. @throws SwarmError JOB_UNKNOWN, JOB_ENDED */
  async cancel(jobId: JobId): Promise<void> {
    const running = this.#running.get(jobId)
    if (running === undefined) {
      cancelStored(jobId, this.#ports.journal)
      return
    }
    running.controller.abort(new JobEndRequest('cancelled'))
    await running.ended
  }

  /** Stops all jobs; each can be resumed. */
  async stopAll(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { controller } of running) controller.abort(new JobEndRequest('stopped'))
    // What went wrong with one was reported as it happened; the others are waited for all the same.
    await Promise.allSettled(running.map(({ ended }) => ended))
  }

  async #create(request: SubmitRequest, signal: AbortSignal): Promise<NewRecord> {
    this.#checkRoom()
    const jobId = this.#makeJobId()
    const outDir = request.outDir ?? join(request.outRoot, jobId)
    const outputPath = join(outDir, `.${basename(request.inputPath)}.${jobId}.samples`)
    const shaped = await shapeJob(request, { compute: this.#ports.compute, outputPath, signal }).catch(
      async (error) => {
        await rm(outputPath, { force: true })
        throw error
      }
    )
    const { notices, audio, chunkBytesMax, operands, ...shape } = shaped
    await makeFolder(outDir)
    const encrypt = request.encrypt ?? shape.kind.defaults.encrypt
    const forecast = await this.#forecast(request, shaped)
    const options: JobOptions = {
      inputPath: request.inputPath,
      ...(operands !== undefined && { operands }),
      ...(audio !== undefined && { audio }),
      outDir,
      encrypt,
      ...(request.keyFile !== undefined && { keyFile: request.keyFile }),
      local: request.local,
      chunkBytesMax,
      chunkBytesFixed: request.chunkBytes !== undefined,
      minPeers: request.minPeers,
      waitMs: request.waitMs,
      ...(forecast !== undefined && { forecast })
    }
    const sealing = encrypt && { key: await readSealingKey(request.keyFile), iv: randomBytes(IV_BYTES) }
    const reverse = request.reverse ?? shape.kind.defaults.reverse
    const job = { ...shape, jobId, reverse, options, ...(sealing !== false && { sealing }) }
    return { record: createJob(job, this.#ports), notices }
  }

  #start(record: JournalJob, detached: boolean, notices: readonly string[] = []): Running {
    const { jobId } = record.spec
    const events = new FanOut<JobEvent>(({ event }) => event === 'progress')
    const controller = new AbortController()
    const done = Promise.withResolvers<void>()
    const running: Running = { events, controller, detached, ended: done.promise, run: undefined }
    this.#running.set(jobId, running)
    // The reader subscribes in this turn; the run begins in a later one, so that no event is missed.
    queueMicrotask(() => {
      this.#run(record, running, notices).then(done.resolve, done.reject)
    })
    done.promise.catch((error) => this.#ports.onInternalError(error))
    return running
  }

  async #run(record: JournalJob, running: Running, notices: readonly string[]): Promise<void> {
    const { jobId, kind, inputBytes } = record.spec
    const { signal } = running.controller
    const emit = (event: JobEvent) => {
      running.events.publish(event)
      if (event.event !== 'progress') this.#onState(jobId, event)
    }
    emit({ event: 'accepted', jobId, task: kind, inputBytes })
    for (const message of notices) emit({ event: 'notice', jobId, message })
    try {
      running.run = await openJob(record, this.#desk, this.#ports, emit, { signal })
      emit(await running.run.run({ signal }))
    } catch (error) {
      emit(unopened(record, error, this.#ports))
    } finally {
      await dropSamples(this.#ports.journal.get(jobId))
      this.#running.delete(jobId)
      running.events.end()
    }
  }

  /** Hands a job's events to the one who started it; when that one leaves, a job that is not detached stops. */
  #follow(running: Running, detached: boolean, signal: AbortSignal): AsyncIterable<JobEvent> {
    const never = new AbortController().signal
    // Subscribed now, not at the first read, so that nothing is missed.
    const events = running.events.subscribe([], { signal: detached ? signal : never })
    return detached ? events : stopOnLeave(events, running.controller, signal)
  }

  #known(jobId: JobId): JournalJob {
    const record = this.#ports.journal.get(jobId)
    if (record === undefined) throw unknownJob(jobId)
    return record
  }

  #checkRoom(): void {
    if (this.#running.size < JOBS_RUNNING_MAX) return
    throw new SwarmError('TOO_MANY_JOBS', `${JOBS_RUNNING_MAX} jobs are running here: wait until one ends`, {
      exitCode: EXIT_CODES.tryAgain
    })
  }
}

async function* stopOnLeave(
  events: AsyncIterable<JobEvent>,
  controller: AbortController,
  signal: AbortSignal
): AsyncIterable<JobEvent> {
  const stop = () => controller.abort(new JobEndRequest('stopped'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    yield* events
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

async function checkUnchanged(job: JournalJob): Promise<void> {
  const { jobId } = job.spec
  for (const { path, byteLength, modifiedMs } of inputStamps(job)) {
    const found = await checkInputFile(path)
    if (found.byteLength === byteLength && found.modifiedMs === modifiedMs) continue
    const message = `${path} changed since job ${jobId} began (${byteLength} bytes then, ${found.byteLength} now, or another time of change): put the file back, or submit it anew`
    throw new SwarmError('INPUT_CHANGED', message)
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SwarmError('OUTPUT_UNWRITABLE', `the output folder ${path} cannot be made: ${why}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
}

/** The end of a job whose sink or journal could not be opened. */
function unopened({ spec }: JournalJob, error: unknown, ports: SubmitterPorts): JobEvent {
  const { jobId } = spec
  if (error instanceof JobEndRequest) {
    const end: JobEnd = error.end
    ports.journal.close(jobId, end, {})
    return { event: end, jobId, message: end === 'stopped' ? `resume with: swarm jobs resume ${jobId}` : 'cancelled' }
  }
  const code = error instanceof SwarmError ? error.code : 'INTERNAL'
  const message = error instanceof Error ? error.message : String(error)
  ports.journal.close(jobId, 'failed', { failure: { code, message } })
  return { event: 'failed', jobId, code, message }
}
