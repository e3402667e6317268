import { isAbsolute, relative, resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { BatchFile } from '../app/batch.ts'
import type { ResultRecipe } from '../app/batch-recipe.ts'
import { type BatchOutcome, type BatchPlace, countOutcomes } from '../cli/batch-outcome.ts'
import { BatchProgress } from '../cli/batch-progress.ts'
import { EXIT_CODES } from '../errors.ts'
import { type BatchJob, failedOutcome, isProcessGone, runBatchJob } from './base/batch-job.ts'
import { runInLanes } from './base/batch-lanes.ts'
import { JobCommand } from './base/job-command.ts'
import { type PeerFlags, peerFlags } from './base/swarm-command.ts'
import { buildRequest, OUT_ROOT, Submit, type SubmitFlags } from './submit.ts'

/** Jobs side by side unless told otherwise: while one ends or begins, the other works. */
export const BATCH_JOBS_DEFAULT = 2
/** As many as one peer runs at most. */
export const BATCH_JOBS_MAX = 8

/** `swarm batch` */
export class Batch extends JobCommand {
  static override summary = 'Run one job for each of many files.'
  static override description =
    "Takes files, folders (their audio files; with --task invert all files) and patterns in quotes. Each file's outputs go " +
    'to a folder of their own in --out, named after the file. A file that fails does not stop the others. Run again, it ' +
    'skips what is done and goes on with what was interrupted.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> takes --effects "highpass 80, normalize -16LUFS" --out mastered',
    `<%= config.bin %> <%= command.id %> 'takes/**/*.flac' --effects "resample 44100" --format pcm16 --jobs 4`,
    '<%= config.bin %> <%= command.id %> takes --recursive --task silence --threshold -45dB --json'
  ]
  static override strict = false
  static override args = {
    path: Args.string({ description: 'File, folder or pattern; more may follow', required: true, ignoreStdin: true })
  }
  static override flags = {
    task: Flags.string({ description: 'What to do with each file', default: 'wav', helpValue: 'KIND' }),
    effects: Submit.flags.effects,
    format: Submit.flags.format,
    salvage: Submit.flags.salvage,
    threshold: Submit.flags.threshold,
    hysteresis: Submit.flags.hysteresis,
    'min-silence': Submit.flags['min-silence'],
    'min-sound': Submit.flags['min-sound'],
    out: Flags.string({ description: `Folder for the folders of outputs (default: ${OUT_ROOT})`, helpValue: 'DIR' }),
    jobs: Flags.integer({
      description: 'Jobs side by side',
      default: BATCH_JOBS_DEFAULT,
      min: 1,
      max: BATCH_JOBS_MAX,
      helpValue: 'N'
    }),
    recursive: Flags.boolean({ description: 'Look into the folders inside as well' }),
    'chunk-size': Submit.flags['chunk-size'],
    local: Submit.flags.local,
    'min-peers': Submit.flags['min-peers'],
    wait: Submit.flags.wait,
    reverse: Submit.flags.reverse,
    encrypt: Submit.flags.encrypt,
    'key-file': Submit.flags['key-file'],
    ...peerFlags
  }

  protected override get outlivesReader(): boolean {
    return true
  }

  protected override get stoppingMessage(): string {
    return 'stopping the jobs that run; once more to quit at once'
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Batch)
    const progress = new BatchProgress(this.terminal, flags.json)
    try {
      await this.#runAll(argv.map(String), flags, progress)
    } finally {
      progress.close()
    }
  }

  async #runAll(paths: readonly string[], flags: BatchFlags, progress: BatchProgress): Promise<void> {
    const { signal } = this
    const [{ planBatch }, { makeRecipe }] = await Promise.all([
      import('../app/batch.ts'),
      import('../app/batch-recipe.ts')
    ])
    // Makes sure of what all jobs share, so that it is refused once and not for each file.
    const wanted = makeRecipe(buildRequest('', flags))
    const search = { paths, folder: process.cwd(), task: flags.task, recursive: flags.recursive }
    const files = await planBatch(search, resolve(flags.out ?? OUT_ROOT), { signal })
    progress.begin(files.length)
    const settled = new Map<BatchFile, BatchOutcome>()
    const settle = (file: BatchFile, outcome: BatchOutcome) => {
      settled.set(file, outcome)
      progress.settle(outcome)
    }
    const jobs = await this.#findJobs(files, { flags, settle, wanted })
    // After an interrupt the table says what is left; errors are its echo.
    if (jobs.length > 0) {
      await this.#runJobs(jobs, { flags, progress, settle }).catch((error: unknown) => {
        if (!this.interrupted) throw error
      })
    }
    const outcomes = files.map((file) => settled.get(file) ?? { ...placeOf(file), state: 'not started' as const })
    const counts = countOutcomes(outcomes, this.interrupted)
    progress.finish(outcomes, counts)
    if (this.interrupted) this.terminal.setExitCode(EXIT_CODES.interrupted)
    else if (counts.failed + counts.left > 0) this.terminal.setExitCode(EXIT_CODES.jobFailed)
  }

  /** Looks what is there already, which needs no peer; so a batch that has nothing to do starts none. */
  async #findJobs(files: readonly BatchFile[], { flags, settle, wanted }: Finding): Promise<readonly FileJob[]> {
    const { lookAtFolder } = await import('../app/batch-folder.ts')
    const jobs: FileJob[] = []
    for (const file of files) {
      if (this.signal.aborted) break
      const { input, outDir } = file
      const place = placeOf(file)
      const found = await lookAtFolder(outDir, input, wanted).catch((error: unknown) => failedOutcome(place, error))
      if (found.state === 'done') settle(file, { ...place, state: 'skipped' })
      else if (found.state !== 'free') settle(file, found)
      else {
        const request = buildRequest(input.path, { ...flags, out: outDir })
        const { unfinished } = found
        jobs.push({ file, place, request, search: { folder: outDir, input, local: flags.local, unfinished, wanted } })
      }
    }
    return jobs
  }

  async #runJobs(jobs: readonly FileJob[], { flags, progress, settle }: Running): Promise<void> {
    const { signal } = this
    const { findResumable } = await import('../app/batch-folder.ts')
    let isGone = false
    await this.withApp(flags, async (app) => {
      progress.beginJobs(jobs.reduce((sum, { place }) => sum + place.inputBytes, 0))
      const onEvent = progress.show.bind(progress)
      const run = async (job: FileJob): Promise<void> => {
        const outcome = await runBatchJob(job, { app, findResumable, onEvent }, { signal })
        isGone ||= isProcessGone(outcome)
        settle(job.file, outcome)
      }
      await runInLanes(jobs, flags.jobs, run, () => isGone || signal.aborted)
    })
  }
}

interface BatchFlags extends SubmitFlags, PeerFlags {
  readonly peer?: readonly string[] | undefined
  readonly jobs: number
  readonly json: boolean
  readonly recursive: boolean
}

interface FileJob extends BatchJob {
  readonly file: BatchFile
}

type Settle = (file: BatchFile, outcome: BatchOutcome) => void

interface Finding {
  readonly flags: BatchFlags
  readonly settle: Settle
  readonly wanted: ResultRecipe
}

interface Running {
  readonly flags: BatchFlags
  readonly progress: BatchProgress
  readonly settle: Settle
}

function placeOf({ input, outDir }: BatchFile): BatchPlace {
  return { file: shownPath(input.path), folder: outDir, inputBytes: input.byteLength }
}

/** As short as it is still clear. */
function shownPath(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith('..') || isAbsolute(below) ? path : below
}
