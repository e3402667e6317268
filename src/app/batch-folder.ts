import { readdir, stat } from 'node:fs/promises'
import { isFinalState } from '../domain/events.ts'
import { type JobId, parseJobId } from '../domain/ids.ts'
import type { FileStamp, LocalPolicy } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { IV_FILE, KEY_FILE } from '../store/output-names.ts'
import type { HomeRecords, JobDetail, Waiting } from './api-types.ts'
import { type ResultRecord, readResultRecord } from './batch-manifest.ts'
import { describeDifference, makeRecipe, type RecipeRequest, type ResultRecipe } from './batch-recipe.ts'

/** Names of jobs' results; those of unfinished ones are hidden and hold the job's id. */
const RESULT_NAME = /^result\./
const PARTIAL_NAME = /^\.result\..+\.([a-z2-7]{26})\.partial$/

/** What a file's output folder holds. */
export type FolderFinding =
  /** The result that is wanted. */
  | { readonly state: 'done' }
  /** No result; `unfinished` are the jobs that left a partial one. */
  | { readonly state: 'free'; readonly unfinished: readonly JobId[] }

/**
 * Looks whether a folder holds a file's result already.
 * @throws SwarmError OUTPUT_EXISTS when it holds another one; a system error when it cannot be read
 */
export async function lookAtFolder(folder: string, input: FileStamp, wanted: ResultRecipe): Promise<FolderFinding> {
  const names = await namesIn(folder)
  const unfinished = names.flatMap((name) => parseJobId(PARTIAL_NAME.exec(name)?.[1] ?? '') ?? [])
  if (!names.some((name) => RESULT_NAME.test(name) || name === KEY_FILE || name === IV_FILE)) {
    return { state: 'free', unfinished }
  }
  const record = await readResultRecord(folder)
  const difference = record === undefined ? 'by a job that is not known' : await differenceOf(record, input, wanted)
  if (difference === undefined && record !== undefined && names.includes(record.resultName)) return { state: 'done' }
  throw occupied(folder, difference ?? 'by a job that did not leave all of it')
}

/**
 * Finds the job that was interrupted before it had a file's result done.
 *
 * @param search `unfinished` as {@link lookAtFolder} gave them
 * @throws SwarmError OUTPUT_EXISTS when a job writes to the folder now
 */
export async function findResumable(home: HomeRecords, search: FolderSearch, waiting: Waiting): Promise<Resumable> {
  const stale: JobId[] = []
  for (const jobId of search.unfinished) {
    const job = await knownJob(home, jobId, waiting)
    if (job === undefined || isFinalState(job.state)) continue
    if (job.running) throw occupied(search.folder, `just now by job ${jobId}, which is running`)
    if (isSame(job, search)) return { jobId, stale }
    stale.push(jobId)
  }
  return { jobId: undefined, stale }
}

/** What {@link findResumable} looks for. */
export interface FolderSearch {
  readonly folder: string
  readonly input: FileStamp
  /** A resumed job goes on as it was submitted, so one that was to run elsewhere is none to go on with. */
  readonly local: LocalPolicy
  readonly unfinished: readonly JobId[]
  readonly wanted: ResultRecipe
}

/** What {@link findResumable} finds. */
export interface Resumable {
  /** Undefined when there is none that would give what is wanted. */
  readonly jobId: JobId | undefined
  /** Interrupted ones that would give something else. */
  readonly stale: readonly JobId[]
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

async function differenceOf(
  { impulses, input: made, request }: ResultRecord,
  input: FileStamp,
  wanted: ResultRecipe
): Promise<string | undefined> {
  if (made.path !== input.path) return `from ${made.path}`
  if (!isSameStamp(made, input)) return `from ${made.path} before that was changed`
  const recipe = recipeOf(request)
  if (recipe === undefined) return 'by another version of this program'
  const difference = describeDifference(wanted, recipe)
  if (difference !== undefined) return difference
  for (const impulse of impulses) {
    if (!(await isUnchanged(impulse))) return `with ${impulse.path} before that was changed`
  }
  return undefined
}

async function isUnchanged(stamp: FileStamp): Promise<boolean> {
  try {
    const { mtimeMs, size } = await stat(stamp.path)
    return isSameStamp(stamp, { path: stamp.path, byteLength: size, modifiedMs: mtimeMs })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/** A changed input would be refused at the resume, so its job is begun anew. */
function isSame({ recipe }: JobDetail, { input, local, wanted }: FolderSearch): boolean {
  const [made] = recipe?.inputs ?? []
  if (recipe === undefined || made === undefined || recipe.request.local !== local) return false
  if (made.path !== input.path || !isSameStamp(made, input)) return false
  const found = recipeOf(recipe.request)
  return found !== undefined && describeDifference(wanted, found) === undefined
}

function isSameStamp(left: FileStamp, right: FileStamp): boolean {
  return left.byteLength === right.byteLength && left.modifiedMs === right.modifiedMs
}

/** @returns undefined for a request that this version does not understand, such as one with an effect it has not */
function recipeOf(request: RecipeRequest): ResultRecipe | undefined {
  try {
    return makeRecipe(request)
  } catch (error) {
    if (error instanceof SwarmError) return undefined
    throw error
  }
}

async function knownJob(home: HomeRecords, jobId: JobId, waiting: Waiting): Promise<JobDetail | undefined> {
  try {
    return await home.job(jobId, waiting)
  } catch (error) {
    if (error instanceof SwarmError && error.code === 'JOB_UNKNOWN') return undefined
    throw error
  }
}

function occupied(folder: string, difference: string): SwarmError {
  const message = `${folder} holds a result that was made ${difference}: choose another --out, or move it away`
  return new SwarmError('OUTPUT_EXISTS', message, { exitCode: EXIT_CODES.usage })
}
