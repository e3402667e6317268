import type { StatementSync } from 'node:sqlite'
import { BaseDatastore } from 'datastore-core/base'
import { type Batch, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { type Database, openDatabase } from './database.ts'
import { DATASTORE_MIGRATIONS } from './schema.ts'

/** Pairs read at a time while a query runs, so that no statement stays open across other work. */
const PAGE_PAIRS = 256

/** That a key has no value; libp2p knows it by its name. */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

/** What libp2p remembers across restarts (peer store, DHT records), in an SQLite file of its own. */
export class Libp2pDatastore extends BaseDatastore {
  readonly #database: Database
  readonly #put: StatementSync
  readonly #get: StatementSync
  readonly #delete: StatementSync
  readonly #page: StatementSync

  /** Opens or creates the file. @throws SwarmError with code DATABASE_BROKEN, DATABASE_NEWER, DATABASE_BUSY, DISK_FULL */
  constructor(path: string) {
    super()
    this.#database = openDatabase(path, DATASTORE_MIGRATIONS)
    this.#put = this.#database.prepare(
      'INSERT INTO pairs VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'
    )
    this.#get = this.#database.prepare('SELECT value FROM pairs WHERE key = ?')
    this.#delete = this.#database.prepare('DELETE FROM pairs WHERE key = ?')
    this.#page = this.#database.prepare(
      `SELECT key, value FROM pairs WHERE key > ?1 AND key < ?2 || char(0x10ffff) AND substr(key, 1, length(?2)) = ?2
        ORDER BY key LIMIT ${PAGE_PAIRS}`
    )
  }

  override put(key: Key, value: Uint8Array): Key {
    this.#write(() => this.#put.run(key.toString(), value))
    return key
  }

  /** @throws NotFoundError when there is no such key */
  override get(key: Key): Uint8Array {
    const row = this.#get.get(key.toString())
    if (row === undefined) throw new NotFoundError(`no value under ${key.toString()}`)
    return row.value as Uint8Array
  }

  override has(key: Key): boolean {
    return this.#get.get(key.toString()) !== undefined
  }

  override delete(key: Key): void {
    this.#write(() => this.#delete.run(key.toString()))
  }

  /** Changes are gathered and written in one transaction. */
  override batch(): Batch {
    let changes: (() => unknown)[] = []
    return {
      put: (key, value) => {
        changes.push(() => this.#put.run(key.toString(), value))
      },
      delete: (key) => {
        changes.push(() => this.#delete.run(key.toString()))
      },
      commit: () => {
        const gathered = changes
        changes = []
        this.#write(() => {
          for (const change of gathered) change()
        })
      }
    }
  }

  override *_all(query: Query): Generator<Pair> {
    for (const row of this.#rows(query.prefix ?? '')) yield { key: new Key(row.key), value: row.value }
  }

  override *_allKeys(query: KeyQuery): Generator<Key> {
    for (const row of this.#rows(query.prefix ?? '')) yield new Key(row.key)
  }

  /** Call it after libp2p has stopped. */
  close(): void {
    this.#database.close()
  }

  *#rows(prefix: string): Generator<{ readonly key: string; readonly value: Uint8Array }> {
    // The first key of a prefix may be the prefix itself, so start just before it.
    let after = prefix.slice(0, -1)
    for (;;) {
      const rows = this.#page.all(after, prefix) as unknown as { readonly key: string; readonly value: Uint8Array }[]
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE_PAIRS) return
      after = last.key
    }
  }

  #write(body: () => unknown): void {
    this.#database.transaction(body, { durable: false })
  }
}
