import { existsSync } from 'node:fs'
import { glob, opendir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { FileStamp } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { LEDGER_NAME, MANIFEST_NAME } from '../submitter/finish-job.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import type { Waiting } from './api-types.ts'

/** Files of one batch at most. */
export const BATCH_FILES_MAX = 100_000

/** What a folder's files of sound end with. A file that is named itself, or matched by a pattern, may end otherwise. */
export const AUDIO_EXTENSIONS: readonly string[] = [
  'wav',
  'wave',
  'flac',
  'mp3',
  'ogg',
  'oga',
  'opus',
  'm4a',
  'mp4',
  'aac',
  'rf64',
  'bwf'
]

const PATTERN_CHARACTERS = /[*?[\]{}]/

/** What files a batch is asked to take. */
export interface BatchSearch {
  /** Files, folders or glob patterns, absolute or relative to `folder`. */
  readonly paths: readonly string[]
  /** Absolute. */
  readonly folder: string
  readonly task: string
  /** Whether folders are searched with the folders in them. */
  readonly recursive: boolean
}

/**
 * Finds a batch's files. What is hidden, and what a job left as its outputs, is only taken when it is named itself.
 *
 * @returns each file once, 1 to {@link BATCH_FILES_MAX}, in the order of their paths
 * @throws SwarmError TASK_UNKNOWN, OPTION_UNSUITABLE for a task that takes more than one file; INPUT_MISSING,
 *   INPUT_NOT_A_FILE, INPUT_UNREADABLE for a path; BATCH_EMPTY, BATCH_TOO_LARGE; the signal's reason
 */
export async function findBatchFiles(search: BatchSearch, { signal }: Waiting): Promise<readonly FileStamp[]> {
  const wanted = wantedIn(search.task)
  const found = new Map<string, FileStamp>()
  for (const path of search.paths) {
    for await (const file of filesOf(path, search, wanted)) {
      signal.throwIfAborted()
      if (found.has(file)) continue
      const stamp = await stampOf(file)
      if (stamp !== undefined) found.set(file, stamp)
      if (found.size > BATCH_FILES_MAX) throw tooLarge()
    }
  }
  if (found.size === 0) throw nothingFound(search, wanted)
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Which of a folder's files are meant, by name. */
interface WantedFiles {
  readonly isWanted: (name: string) => boolean
  readonly inWords: string
}

function wantedIn(task: string): WantedFiles {
  const { kind, takes } = requireTaskKind(task)
  switch (takes) {
    case 'segments':
      return {
        isWanted: (name) => AUDIO_EXTENSIONS.includes(extname(name).slice(1).toLowerCase()),
        inWords: `files that end with .${AUDIO_EXTENSIONS.join(', .')}`
      }
    case 'ranges':
      return { isWanted: () => true, inWords: 'files that are not hidden' }
    case 'tiles':
      throw usage('OPTION_UNSUITABLE', `--task ${kind} takes two files for one job: use "swarm submit" for each pair`)
  }
}

async function* filesOf(given: string, search: BatchSearch, wanted: WantedFiles): AsyncIterable<string> {
  const path = resolve(search.folder, given)
  const found = await statOf(path)
  if (found?.isFile()) yield path
  else if (found?.isDirectory()) yield* filesIn(path, search.recursive, wanted)
  else if (found !== undefined) {
    throw usage('INPUT_NOT_A_FILE', `${path} is neither a file nor a folder; give one of these, not a pipe or device`)
  } else if (PATTERN_CHARACTERS.test(given)) yield* filesLike(given, search.folder)
  else throw usage('INPUT_MISSING', `there is no file or folder ${path}; check the path`)
}

async function* filesIn(folder: string, recursive: boolean, wanted: WantedFiles): AsyncIterable<string> {
  const folders = [folder]
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    for await (const entry of await openFolder(path)) {
      if (entry.name.startsWith('.')) continue
      const inside = join(path, entry.name)
      if (!entry.isDirectory()) {
        if (wanted.isWanted(entry.name)) yield inside
      } else if (recursive && !isJobFolder(inside)) folders.push(inside)
    }
  }
}

async function* filesLike(pattern: string, folder: string): AsyncIterable<string> {
  const areJobFolders = new Map<string, boolean>()
  for await (const match of glob(pattern, { cwd: folder })) {
    const path = resolve(folder, match)
    const parent = dirname(path)
    const isOutput = areJobFolders.get(parent) ?? isJobFolder(parent)
    areJobFolders.set(parent, isOutput)
    if (!isOutput && !basename(path).startsWith('.')) yield path
  }
}

/** Whether a job left its outputs there, which are nobody's inputs. */
function isJobFolder(path: string): boolean {
  return existsSync(join(path, MANIFEST_NAME)) && existsSync(join(path, LEDGER_NAME))
}

async function openFolder(path: string) {
  try {
    return await opendir(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** @returns undefined for what is no regular file, such as a link to nothing */
async function stampOf(path: string): Promise<FileStamp | undefined> {
  const found = await statOf(path)
  return found?.isFile() ? { path, byteLength: found.size, modifiedMs: found.mtimeMs } : undefined
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
}

function nothingFound({ paths, recursive }: BatchSearch, { inWords }: WantedFiles): SwarmError {
  const deeper = recursive ? '' : '; --recursive looks into the folders inside as well'
  return usage('BATCH_EMPTY', `nothing to do: ${paths.join(', ')}: expected ${inWords}, found none${deeper}`)
}

function tooLarge(): SwarmError {
  const most = BATCH_FILES_MAX.toLocaleString('en-US')
  return usage('BATCH_TOO_LARGE', `more than ${most} files match, which one batch takes at most: name fewer at a time`)
}

function unreadable(path: string, cause: unknown): SwarmError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return usage('INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, cause)
}

function usage(code: string, message: string, cause?: unknown): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage, cause })
}
