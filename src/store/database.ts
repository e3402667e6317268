// Owns one SQLite file: how it is opened, its transactions, and what its errors mean. Stores prepare their own statements.
import { existsSync, writeFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { PRIVATE_FILE_MODE } from './home.ts'
import { HOME_MIGRATIONS } from './schema.ts'

/** How long a transaction waits for another process's. */
export const BUSY_TIMEOUT_MS = 5_000
/** Pages in the write-ahead log before SQLite folds them into the file. */
const WAL_PAGES = 2_000

/** Result codes of SQLite. @see https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** How far a transaction must be safe when it returns. */
export interface TransactionOptions {
  /**
   * True: it survives a power cut (one fsync). False: it survives the death of the process, and a power cut may only take
   * it together with everything after it.
   */
  readonly durable: boolean
}

/** An open SQLite database. */
export class Database {
  readonly path: string
  readonly #sqlite: DatabaseSync
  readonly #syncFull: StatementSync
  readonly #syncNormal: StatementSync
  #inTransaction = false
  #open = true

  constructor(sqlite: DatabaseSync, path: string) {
    this.#sqlite = sqlite
    this.path = path
    this.#syncFull = sqlite.prepare('PRAGMA synchronous = FULL')
    this.#syncNormal = sqlite.prepare('PRAGMA synchronous = NORMAL')
  }

  prepare(sql: string): StatementSync {
    return this.#sqlite.prepare(sql)
  }

  /**
   * Runs `body` in one transaction, or within the one that is under way. `body` must not wait.
   *
   * @throws SwarmError with code DISK_FULL, DATABASE_BUSY or DATABASE_BROKEN, or whatever `body` throws; then nothing is
   * written.
   */
  transaction<T>(body: () => T, options: TransactionOptions): T {
    if (this.#inTransaction) return body()
    try {
      // Not a setting of the connection for good: only a commit that others rely on is worth an fsync.
      if (options.durable) this.#syncFull.run()
      this.#sqlite.exec('BEGIN IMMEDIATE')
      this.#inTransaction = true
      try {
        const value = body()
        this.#sqlite.exec('COMMIT')
        return value
      } catch (error) {
        // After a full disk SQLite may have rolled back already.
        if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
        throw error
      }
    } catch (error) {
      throw explain(error, this.path)
    } finally {
      this.#inTransaction = false
      if (options.durable && this.#open) this.#syncNormal.run()
    }
  }

  /** Folds the log into the file, so that what was overwritten is gone; does nothing while readers are busy. */
  checkpoint(): void {
    this.#sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** A second call does nothing. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#sqlite.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * Opens a database for writing; creates it, for its owner alone, and brings it up to date.
 *
 * @param path file, or `''` for a temporary one that vanishes when closed
 * @throws SwarmError with code DATABASE_NEWER, DATABASE_BROKEN, DATABASE_BUSY or DISK_FULL
 */
export function openDatabase(path: string, migrations: readonly string[] = HOME_MIGRATIONS): Database {
  try {
    // The log and its index take their mode from the file.
    if (path !== '' && !existsSync(path)) writeFileSync(path, '', { flag: 'a', mode: PRIVATE_FILE_MODE })
    return open(path, false, (sqlite, database) => {
      sqlite.exec('PRAGMA journal_mode = WAL')
      sqlite.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA secure_delete = ON`)
      migrate(sqlite, database, migrations)
    })
  } catch (error) {
    throw explain(error, path)
  }
}

/**
 * Opens the home's database for reading, whether or not another process writes to it.
 *
 * @returns undefined when there is none yet, so nothing to read.
 * @throws SwarmError with code DATABASE_NEWER, DATABASE_BROKEN or DATABASE_BUSY
 */
export function openDatabaseForReading(path: string): Database | undefined {
  if (!existsSync(path)) return undefined
  try {
    let version = 0
    const database = open(path, true, (sqlite) => {
      version = readVersion(sqlite)
      checkVersion(version, HOME_MIGRATIONS.length, path)
    })
    if (version === HOME_MIGRATIONS.length) return database
    database.close()
    // Made by an older program, or being made right now: bring it up to date first.
    openDatabase(path).close()
    return open(path, true, () => undefined)
  } catch (error) {
    throw explain(error, path)
  }
}

/** @returns whether the error says that another process has the database. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY
}

function open(path: string, readOnly: boolean, prepare: (sqlite: DatabaseSync, database: Database) => void): Database {
  const sqlite = new DatabaseSync(path, { readOnly })
  try {
    sqlite.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    const database = new Database(sqlite, path)
    prepare(sqlite, database)
    return database
  } catch (error) {
    sqlite.close()
    throw error
  }
}

function migrate(sqlite: DatabaseSync, database: Database, migrations: readonly string[]): void {
  checkVersion(readVersion(sqlite), migrations.length, database.path)
  if (readVersion(sqlite) === migrations.length) return
  database.transaction(
    () => {
      // Read again: another process may have migrated while this one waited for its turn.
      for (const sql of migrations.slice(readVersion(sqlite))) sqlite.exec(sql)
      sqlite.exec(`PRAGMA user_version = ${migrations.length}`)
    },
    { durable: true }
  )
}

function readVersion(sqlite: DatabaseSync): number {
  return Number(sqlite.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

function checkVersion(version: number, known: number, path: string): void {
  if (version <= known) return
  throw new SwarmError(
    'DATABASE_NEWER',
    `${path} has schema ${version}, this program knows up to ${known}: run the newer swarm that wrote it`,
    { exitCode: EXIT_CODES.usage }
  )
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  // The low byte is the primary result code; the rest refines it.
  return typeof code === 'number' ? code & 0xff : undefined
}

function explain(error: unknown, path: string): unknown {
  const code = resultCode(error)
  if (code === undefined || error instanceof SwarmError) return error
  const message = (error as Error).message
  if (code === SQLITE_FULL) return new SwarmError('DISK_FULL', `no room to write ${path}: ${message}`, { cause: error })
  if (code === SQLITE_BUSY) {
    return new SwarmError('DATABASE_BUSY', `${path} is kept busy by another process`, {
      cause: error,
      exitCode: EXIT_CODES.tryAgain
    })
  }
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return new SwarmError('DATABASE_BROKEN', `${path} is damaged (${message}): restore it, or move it away`, {
      cause: error
    })
  }
  return error
}
