import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerName } from '../../src/domain/ids.ts'
import type { MergedChunk, SinkCheckpoint } from '../../src/domain/journal.ts'
import { type Database, openDatabase, openDatabaseForReading } from '../../src/store/database.ts'
import { resolveHome } from '../../src/store/home.ts'
import { JournalStore } from '../../src/store/journal-store.ts'
import { testChunk, testJob, testJobId } from './support-journal.ts'
import { killProcess, startProcess } from './support-process.ts'

const JOB = testJobId('a')
const CHECKPOINT: SinkCheckpoint = {
  chunkCount: 2,
  plainBytes: 2_050,
  fileBytes: 2_048,
  digest: new Uint8Array(32).fill(4),
  tail: Uint8Array.of(1, 2)
}
const MERGED: MergedChunk = {
  chunkIndex: 1,
  peerId: peerName('worker'),
  peerName: 'bob',
  computeMs: 12.5,
  transferMs: 3.25,
  outputHash: new Uint8Array(32).fill(5),
  receipt: Uint8Array.of(9, 9)
}

let folder: string
let database: Database
let journal: JournalStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-journal-'))
  database = openDatabase(join(folder, 'swarm.db'))
  journal = new JournalStore(database)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

describe('a journalled job', () => {
  test('is read as it was written', () => {
    const plain = testJob('b')
    const { sealing: _, ...unsealed } = testJob('c')
    const job = {
      ...unsealed,
      checkpoint: CHECKPOINT,
      closedAtMs: 5,
      failure: { code: 'X', message: 'y' },
      summary: 'z'
    }
    journal.create(plain)
    journal.create({ ...job, openedAtMs: 1 })
    expect(journal.get(plain.spec.jobId)).toEqual(plain)
    expect(journal.get(job.spec.jobId)).toEqual({ ...job, openedAtMs: 1 })
    expect(journal.get(JOB)).toBeUndefined()
    expect(journal.list().map(({ spec }) => spec.jobId)).toEqual([plain.spec.jobId, job.spec.jobId])
    expect(journal.find('bb', 2)).toEqual([plain.spec.jobId])
    expect(journal.find('', 1)).toHaveLength(1)
    expect(journal.find('%', 2)).toEqual([])
  })

  test('is created once', () => {
    journal.create(testJob('a'))
    expect(() => journal.create(testJob('a'))).toThrow('UNIQUE')
  })

  test('keeps its cuts, and an epoch never falls', () => {
    journal.create(testJob('a'))
    journal.grant(
      JOB,
      [1, 0].map((index) => ({ ...testChunk(index), epoch: 3, attempts: 1 }))
    )
    journal.grant(JOB, [{ ...testChunk(7), chunkIndex: 1, epoch: 2, attempts: 2 }])
    expect(journal.chunks(JOB)).toEqual([
      { ...testChunk(0), epoch: 3, attempts: 1 },
      { ...testChunk(1), epoch: 3, attempts: 2 }
    ])
  })

  test('knows what is merged, with its receipt and the checkpoint that covers it', () => {
    journal.create(testJob('a'))
    journal.grant(
      JOB,
      [0, 1].map((index) => ({ ...testChunk(index), epoch: 1, attempts: 0 }))
    )
    const local: MergedChunk = { chunkIndex: 0, computeMs: 1, transferMs: 0 }
    journal.merge(JOB, [MERGED, local], CHECKPOINT)
    expect(journal.chunks(JOB).map(({ merged }) => merged)).toEqual([local, MERGED])
    expect(journal.receipts(JOB)).toEqual([MERGED.receipt])
    expect(journal.get(JOB)?.checkpoint).toEqual(CHECKPOINT)
    journal.unmerge(JOB, [1], undefined)
    expect(journal.chunks(JOB).map(({ merged }) => merged)).toEqual([local, undefined])
    expect(journal.get(JOB)?.checkpoint).toBeUndefined()
    expect(journal.receipts(JOB)).toEqual([])
  })

  test('merges all of a batch or none', () => {
    journal.create(testJob('a'))
    journal.grant(JOB, [{ ...testChunk(1), epoch: 1, attempts: 0 }])
    const merge = () => journal.merge(JOB, [MERGED, { ...MERGED, chunkIndex: 2 }], CHECKPOINT)
    expect(merge).toThrow(expect.objectContaining({ code: 'JOURNAL_CHUNK_UNKNOWN' }))
    expect(journal.chunks(JOB)[0]?.merged).toBeUndefined()
    expect(journal.get(JOB)?.checkpoint).toBeUndefined()
  })

  test('counts up, and opens again with a higher incarnation', () => {
    journal.create(testJob('a'))
    journal.count(JOB, { releases: 2 })
    journal.count(JOB, { releases: 1, duplicates: 1, ranMs: 1.5 })
    journal.close(JOB, 'failed', { failure: { code: 'KERNEL_FAILED', message: 'no' } })
    expect(journal.get(JOB)).toMatchObject({
      releases: 3,
      duplicates: 1,
      ranMs: 1.5,
      failure: { code: 'KERNEL_FAILED' }
    })
    expect(journal.reopen(JOB)).toBe(2)
    expect(journal.reopen(JOB)).toBe(3)
    expect(journal.get(JOB)).toMatchObject({ state: 'open', incarnation: 3 })
    expect(journal.get(JOB)).not.toHaveProperty('failure')
    expect(journal.get(JOB)).not.toHaveProperty('closedAtMs')
  })

  test('drops its key from the disk once it is final, not before', () => {
    const { sealing } = testJob('a')
    journal.create(testJob('a'))
    journal.close(JOB, 'stopped', {})
    expect(journal.get(JOB)?.sealing).toEqual(sealing)
    journal.close(JOB, 'done', { summary: 'all shipped' })
    expect(journal.get(JOB)).toMatchObject({ state: 'done', summary: 'all shipped' })
    expect(journal.get(JOB)).not.toHaveProperty('sealing')
    for (const name of ['swarm.db', 'swarm.db-wal']) {
      expect(readFileSync(join(folder, name)).includes(Buffer.alloc(32, 0xa5))).toBe(false)
    }
  })

  test('adds up what each peer moved', () => {
    journal.create(testJob('a'))
    const peer = peerName('worker')
    journal.addTraffic(JOB, peer, 'bob', 10, 20)
    journal.addTraffic(JOB, peer, 'bobby', 1, 2)
    expect(journal.traffic(JOB)).toEqual([{ peerId: peer, name: 'bobby', bytesIn: 11, bytesOut: 22 }])
  })

  test('that is unknown is refused', () => {
    const refused = expect.objectContaining({ code: 'JOB_UNKNOWN' })
    expect(() => journal.reopen(JOB)).toThrow(refused)
    expect(() => journal.count(JOB, {})).toThrow(refused)
    expect(() => journal.close(JOB, 'done', {})).toThrow(refused)
  })

  test('with 10,000 chunks takes batches quickly', () => {
    journal.create(testJob('a'))
    const started = performance.now()
    for (let first = 0; first < 10_000; first += 8) {
      const chunks = Array.from({ length: 8 }, (_, index) => testChunk(first + index))
      journal.grant(
        JOB,
        chunks.map((chunk) => ({ ...chunk, epoch: 1, attempts: 0 }))
      )
      if (first % 64 === 56) {
        const merged = Array.from({ length: 64 }, (_, index) => ({ ...MERGED, chunkIndex: first - 56 + index }))
        journal.merge(JOB, merged, CHECKPOINT)
      }
    }
    expect(journal.chunks(JOB)).toHaveLength(10_000)
    // It takes about a quarter of a second; a statement prepared or synced per chunk would take far longer.
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('a database', () => {
  test('is for its owner alone, its log too', () => {
    for (const name of ['swarm.db', 'swarm.db-wal', 'swarm.db-shm']) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    }
  })

  test('is read while it is written, and cannot be written by readers', () => {
    const reader = openDatabaseForReading(database.path)
    if (reader === undefined) throw new Error('there is a database')
    const other = new JournalStore(reader)
    expect(other.list()).toEqual([])
    journal.create(testJob('a'))
    expect(other.list()).toHaveLength(1)
    expect(() => other.create(testJob('b'))).toThrow('readonly')
    reader.close()
    reader.close()
  })

  test('that is not there yet has nothing to read', () => {
    expect(openDatabaseForReading(join(folder, 'none.db'))).toBeUndefined()
  })

  test('takes a nested transaction as part of the outer one', () => {
    const both = () =>
      database.transaction(
        () => {
          journal.create(testJob('a'))
          throw new Error('no')
        },
        { durable: true }
      )
    expect(both).toThrow('no')
    expect(journal.list()).toEqual([])
    journal.create(testJob('a'))
    expect(journal.list()).toHaveLength(1)
  })

  test('of a newer program is refused by both', () => {
    database.prepare('PRAGMA user_version = 999').run()
    const refused = expect.objectContaining({ code: 'DATABASE_NEWER', exitCode: 2 })
    expect(() => openDatabase(database.path)).toThrow(refused)
    expect(() => openDatabaseForReading(database.path)).toThrow(refused)
  })

  test('of an older program is brought up to date by a reader too', () => {
    const path = join(folder, 'old.db')
    openDatabase(path, []).close()
    const reader = openDatabaseForReading(path)
    expect(reader === undefined ? undefined : new JournalStore(reader).list()).toEqual([])
    reader?.close()
  })

  test('that is damaged is named', async () => {
    const path = join(folder, 'broken.db')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path, 'this is no database, whatever its name may say '.repeat(200))
    const refused = expect.objectContaining({ code: 'DATABASE_BROKEN' })
    expect(() => openDatabase(path)).toThrow(refused)
    expect(() => openDatabaseForReading(path)).toThrow(refused)
  })
})

test('what was journalled outlives a killed process, for readers and the next owner', async () => {
  const home = join(folder, 'home')
  const { mkdirSync } = await import('node:fs')
  mkdirSync(home)
  const paths = resolveHome({ home, env: {} })
  const writer = await startProcess('write-journal', [home])
  let printed = ''
  writer.stdout?.on('data', (text) => {
    printed += text
  })
  await expect.poll(() => printed.split('\n').length, { timeout: 10_000 }).toBeGreaterThan(50)
  await killProcess(writer)
  const seen = Number(printed.split('\n').at(-2))
  const reader = openDatabaseForReading(paths.database)
  if (reader === undefined) throw new Error('there is a database')
  for (const opened of [reader, openDatabase(paths.database)]) {
    const chunks = new JournalStore(opened).chunks(JOB)
    expect(chunks.length).toBeGreaterThan(seen)
    expect(chunks.slice(0, seen + 1).every(({ merged }) => merged !== undefined)).toBe(true)
    opened.close()
  }
})
