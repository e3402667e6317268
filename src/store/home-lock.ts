import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { isBusy } from './database.ts'
import { createHome, type HomePaths, PRIVATE_FILE_MODE } from './home.ts'

/** Locks of this process: kept here because a database that is collected as garbage is closed, and so unlocked. */
const held = new Map<string, DatabaseSync>()

/** Proof that this process owns a home. */
export interface HomeLock {
  /** Gives the home back; a second call does nothing. */
  release(): void
}

/**
 * Takes a home for this process, creating it when there is none. The lock is a file lock of the operating system (held
 * by an open SQLite transaction), so it ends with the process however that ends; the pid file only tells people who it is.
 *
 * @throws SwarmError with code HOME_IN_USE when another process has it.
 */
export function acquireHomeLock(paths: HomePaths): HomeLock {
  createHome(paths)
  // Opening and closing the file once more would drop this process's own lock, as POSIX has it.
  if (held.has(paths.lock)) throw homeInUse(paths)
  const lock = openLock(paths)
  held.set(paths.lock, lock)
  let released = false
  return {
    release() {
      if (released) return
      released = true
      held.delete(paths.lock)
      rmSync(paths.pid, { force: true })
      lock.close()
    }
  }
}

function openLock(paths: HomePaths): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    if (!existsSync(paths.lock)) writeFileSync(paths.lock, '', { flag: 'a', mode: PRIVATE_FILE_MODE })
    lock = new DatabaseSync(paths.lock)
    lock.exec('BEGIN EXCLUSIVE')
    writeFileSync(paths.pid, `${process.pid}\n`, { mode: PRIVATE_FILE_MODE })
    return lock
  } catch (error) {
    lock?.close()
    if (isBusy(error)) throw homeInUse(paths, error)
    throw new SwarmError('HOME_UNUSABLE', `cannot lock ${paths.lock}: ${(error as Error).message}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
}

function homeInUse(paths: HomePaths, cause?: unknown): SwarmError {
  const pid = readPid(paths.pid)
  const owner = pid === undefined ? 'another process' : `process ${pid}`
  return new SwarmError(
    'HOME_IN_USE',
    `the home ${paths.folder} is in use by ${owner}: stop it, wait for it, or give this one another --home`,
    { cause, exitCode: EXIT_CODES.tryAgain }
  )
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    // The owner may be between locking and writing; its pid only decorates the message.
    return undefined
  }
}
