import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerName } from '../../src/domain/ids.ts'
import type { JournalJob, MergedChunk } from '../../src/domain/journal.ts'
import { type Database, openDatabase, openDatabaseForReading } from '../../src/store/database.ts'
import { HISTORY_PEERS_MAX } from '../../src/store/history.ts'
import { JournalStore } from '../../src/store/journal-store.ts'
import { HOME_MIGRATIONS } from '../../src/store/schema.ts'
import { encodeMatrixPlan, planMatrix } from '../../src/tasks/matrix/matrix-plan.ts'
import { CHUNK_BYTES, testChunk, testJob, testJobId } from './support-journal.ts'

const JOB = testJobId('a')

let folder: string
let path: string
let database: Database
let journal: JournalStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-history-'))
  path = join(folder, 'swarm.db')
  database = openDatabase(path)
  journal = new JournalStore(database)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

/** A job whose chunks went to the peers named, or to this machine for an empty name; one more is cut and left. */
function journalled(workers: readonly string[], job = testJob('a')): JournalJob {
  const { jobId } = job.spec
  journal.create(job)
  const cuts = [...workers, ''].map((_, index) => ({ ...testChunk(index), epoch: 1, attempts: 1 }))
  journal.grant(jobId, cuts)
  const merged = workers.map(
    (name, chunkIndex): MergedChunk => ({
      chunkIndex,
      computeMs: 10,
      transferMs: name === '' ? 0 : 5,
      ...(name !== '' && { peerId: peerName(`id-${name}`), peerName: name })
    })
  )
  journal.merge(jobId, merged, undefined)
  return job
}

function rows(): number {
  return Number(database.prepare('SELECT count(*) AS rows FROM history').get()?.rows)
}

describe('the history', () => {
  test.for(['done', 'failed', 'cancelled'] as const)('gets one row when a job is %s', (state) => {
    const { spec } = journalled(['ann', 'bob', 'ann', ''])
    expect(rows()).toBe(0)
    const before = journal.history.totals(spec)
    journal.close(JOB, state, {})
    expect(rows()).toBe(1)
    expect(journal.history.totals(spec)).toEqual(before)
    expect(before).toEqual({
      dimensions: { samples: 2 ** 28 },
      chunks: 4,
      localChunks: 1,
      inputBytes: 4 * CHUNK_BYTES,
      outputBytes: 4 * CHUNK_BYTES,
      computeMs: 40,
      transferMs: 15,
      peerCount: 2,
      peers: [
        { peerId: 'id-ann', name: 'ann', chunks: 2, computeMs: 20, inputBytes: 2048, outputBytes: 2048 },
        { peerId: 'id-bob', name: 'bob', chunks: 1, computeMs: 10, inputBytes: 1024, outputBytes: 1024 }
      ]
    })
  })

  test('has no row for a job that can go on, and adds up what it has so far', () => {
    const { spec } = journalled(['ann'])
    journal.close(JOB, 'stopped', {})
    expect(rows()).toBe(0)
    expect(journal.history.totals(spec)).toMatchObject({ chunks: 1, computeMs: 10 })
  })

  test('knows a job that did nothing', () => {
    const { spec } = journalled([])
    journal.close(JOB, 'failed', { failure: { code: 'NO_PEERS', message: 'nobody came' } })
    expect(journal.history.totals(spec)).toMatchObject({ chunks: 0, computeMs: 0, peerCount: 0, peers: [] })
  })

  test('gets no row when the job is unknown', () => {
    expect(() => journal.close(testJobId('z'), 'done', {})).toThrow('has no job')
    expect(rows()).toBe(0)
  })

  test('keeps the dimensions of a matrix product where SQL can read them', () => {
    const plan = planMatrix({ rows: 1000, inner: 700, columns: 1300 })
    const job = testJob('a')
    const { spec } = journalled(['ann'], {
      ...job,
      spec: { ...job.spec, kind: 'matrix', params: encodeMatrixPlan(plan) }
    })
    journal.close(JOB, 'done', {})
    const { rows, inner, columns, tileRows, tileColumns } = plan
    expect(journal.history.totals(spec).dimensions).toEqual({ rows, inner, columns, tileRows, tileColumns })
    const read = database.prepare(`SELECT dimensions ->> 'rows' AS rows, dimensions ->> 'inner' AS inner FROM history`)
    expect(read.get()).toMatchObject({ rows: 1000, inner: 700 })
  })

  test('lets a job end whose matrix plan is broken', () => {
    const job = testJob('a')
    const { spec } = journalled([], { ...job, spec: { ...job.spec, kind: 'matrix', params: Uint8Array.of(9) } })
    journal.close(JOB, 'failed', {})
    expect(journal.get(JOB)?.state).toBe('failed')
    expect(journal.history.totals(spec)).not.toHaveProperty('dimensions')
  })

  test('names so many peers and counts the others', () => {
    const { spec } = journalled(Array.from({ length: HISTORY_PEERS_MAX + 5 }, (_, index) => `peer ${index}`))
    journal.close(JOB, 'done', {})
    const { peerCount, peers } = journal.history.totals(spec)
    expect(peerCount).toBe(HISTORY_PEERS_MAX + 5)
    expect(peers).toHaveLength(HISTORY_PEERS_MAX)
  })

  test('says the same before and after the end, whoever did the work', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('', 'ann', 'bob', 'eve'), { maxLength: 20 }), (workers) => {
        database.prepare('DELETE FROM history').run()
        database.prepare('DELETE FROM chunks').run()
        database.prepare('DELETE FROM jobs').run()
        const { spec } = journalled(workers)
        const before = journal.history.totals(spec)
        journal.close(JOB, 'done', {})
        const after = journal.history.totals(spec)
        expect(after).toEqual(before)
        expect(after.localChunks + after.peers.reduce((sum, { chunks }) => sum + chunks, 0)).toBe(workers.length)
      }),
      { numRuns: 25 }
    )
  })
})

describe('a home from before there was a history', () => {
  test('opens, and its ended jobs are read from their chunks', () => {
    const { spec } = journalled(['ann', ''])
    journal.close(JOB, 'done', {})
    const expected = journal.history.totals(spec)
    makeOld()
    const reader = openDatabaseForReading(path)
    if (reader === undefined) throw new Error('there is no database')
    expect(new JournalStore(reader).history.totals(spec)).toEqual(expected)
    reader.close()
    database = openDatabase(path)
    journal = new JournalStore(database)
    expect(rows()).toBe(0)
    expect(journal.history.totals(spec)).toEqual(expected)
  })

  /** Takes the database back to the first migration, as the older program left it. */
  function makeOld(): void {
    expect(HOME_MIGRATIONS.length).toBeGreaterThan(1)
    for (const table of ['history', 'kernel_measures', 'link_measures']) database.prepare(`DROP TABLE ${table}`).run()
    database.prepare('PRAGMA user_version = 1').run()
    database.close()
  }
})
