import { readdir } from 'node:fs/promises'
import { basename, join, parse } from 'node:path'
import type { Waiting } from './api-types.ts'
import { readResultRecord } from './batch-manifest.ts'

/**
 * Finds the folders that hold files' results already.
 *
 * @param paths absolute
 * @returns names of folders in `outRoot` by path, of those that {@link nameFolders} could have named
 */
export async function findKeptNames(
  outRoot: string,
  paths: readonly string[],
  { signal }: Waiting
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(paths)
  const kept = new Map<string, string>()
  for (const name of await foldersIn(outRoot)) {
    signal.throwIfAborted()
    const path = (await readResultRecord(join(outRoot, name)))?.input.path
    if (path !== undefined && wanted.has(path) && !kept.has(path) && isNameOf(name, path)) kept.set(path, name)
  }
  return kept
}

/**
 * Names the output folder of each of a batch's files: after the file, without its extension where no other one has that
 * name. A file keeps the folder that holds its result, whatever files came or went since.
 *
 * @param paths absolute, each once, in a fixed order
 * @param kept as {@link findKeptNames} gives them
 * @returns a name for each path, no two of which any file system takes for the same
 */
export function nameFolders(paths: readonly string[], kept: ReadonlyMap<string, string>): readonly string[] {
  const names = new FolderNames(kept.values())
  const sharers = new Map<string, number>()
  for (const path of paths) {
    const key = keyOf(stemOf(path))
    sharers.set(key, (sharers.get(key) ?? 0) + 1)
  }
  // Those that need not give way come first, so that the others do not take their names.
  const first = paths.map((path) => {
    const stem = stemOf(path)
    return kept.get(path) ?? (sharers.get(keyOf(stem)) === 1 && names.take(stem) ? stem : undefined)
  })
  return paths.map((path, index) => first[index] ?? names.takeNumbered(basename(path)))
}

/** Owns the names that are given away. */
class FolderNames {
  readonly #taken: Set<string>
  /** Next number to try, by name, so that a thousand files of one name are not a million tries. */
  readonly #next = new Map<string, number>()

  constructor(taken: Iterable<string>) {
    this.#taken = new Set([...taken].map(keyOf))
  }

  /** @returns whether the name was free */
  take(name: string): boolean {
    const key = keyOf(name)
    if (this.#taken.has(key)) return false
    this.#taken.add(key)
    return true
  }

  /** Takes the name itself or, with the first number that is free, one like it. */
  takeNumbered(name: string): string {
    const key = keyOf(name)
    let number = this.#next.get(key) ?? 1
    while (!this.take(numbered(name, number))) number++
    this.#next.set(key, number + 1)
    return numbered(name, number)
  }
}

async function foldersIn(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

function isNameOf(name: string, path: string): boolean {
  const full = basename(path)
  return (
    name === stemOf(path) || name === full || (name.startsWith(`${full}-`) && /^\d+$/.test(name.slice(full.length + 1)))
  )
}

function numbered(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`
}

/** Name without extension; the whole name where nothing of use is left. */
function stemOf(path: string): string {
  const { base, name } = parse(path)
  return name === '.' || name === '..' || name === '' ? base : name
}

/** Same for names that some file system takes for the same: in other case, or composed otherwise. */
function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
