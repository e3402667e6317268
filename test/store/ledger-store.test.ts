import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GENESIS_HASH } from '../../src/domain/feed.ts'
import { openDatabaseForReading } from '../../src/store/database.ts'
import { resolveHome } from '../../src/store/home.ts'
import { verifyStoredLedger } from '../../src/store/ledger-file.ts'
import { LedgerReader, type LedgerSummary } from '../../src/store/ledger-reader.ts'
import { RECEIPTS_PER_OWN_ENTRY } from '../../src/store/ledger-store.ts'
import { sha256 } from '../../src/store/sha256.ts'
import { testIdentity } from './support-identity.ts'
import { testJobId } from './support-journal.ts'
import {
  allEntries,
  jobClose,
  makeEntry,
  makeReceipt,
  makeReceipts,
  openLedger,
  UNTIL_DONE,
  verify
} from './support-ledger.ts'
import { killProcess, startProcess } from './support-process.ts'

const WORKER = testIdentity('worker').peerId

describe('the own feed', () => {
  test('takes receipts in batches, tells its head, and credits them at once', async () => {
    const { ledger, database } = openLedger('submitter')
    const heads: number[] = []
    let waiting = 0
    ledger.setListener({
      onHeads: (changed) => heads.push(...changed.map(({ sequence }) => sequence)),
      onForkProof: () => undefined,
      onWaiting: () => waiting++
    })
    await ledger.keepReceipts(await makeReceipts(RECEIPTS_PER_OWN_ENTRY + 1), UNTIL_DONE)
    expect(waiting).toBe(1)
    expect(heads).toEqual([])
    expect(await ledger.appendWaiting(UNTIL_DONE)).toBe(2)
    expect(await ledger.appendWaiting(UNTIL_DONE)).toBe(0)
    expect(heads).toEqual([1, 2])
    const [peer] = new LedgerReader(database).summary().peers
    expect(peer).toEqual({
      peerId: WORKER,
      name: 'the worker',
      chunks: 33,
      jobs: 1,
      units: [{ unit: 'samples', units: 3_300, chunks: 33, medal: 'gold' }],
      computeMs: 82.5,
      bytesIn: 13_200,
      bytesOut: 13_200,
      lastSeenMs: 1_700_000_000_032,
      verifications: [{ verification: 'full', chunks: 33 }]
    })
  })

  test('takes each receipt once, however often it is kept', async () => {
    const { ledger } = openLedger('worker')
    const receipts = await makeReceipts(3)
    await Promise.all([ledger.keepReceipts(receipts, UNTIL_DONE), ledger.keepReceipts(receipts, UNTIL_DONE)])
    await Promise.all([ledger.appendWaiting(UNTIL_DONE), ledger.appendWaiting(UNTIL_DONE)])
    await ledger.keepReceipts(receipts, UNTIL_DONE)
    expect(await ledger.appendWaiting(UNTIL_DONE)).toBe(0)
    expect(ledger.heads()).toMatchObject([{ author: WORKER, sequence: 1 }])
  })

  test('takes receipts signed here without checking them again, and only those', async () => {
    const { ledger } = openLedger('submitter')
    const signedHere = { ...UNTIL_DONE, signedHere: 'receipts' as const }
    await ledger.keepReceipts([await makeReceipt()], signedHere)
    const refused = ledger.keepReceipts([await makeReceipt({ submitter: 'other', worker: 'submitter' })], signedHere)
    await expect(refused).rejects.toMatchObject({ code: 'RECEIPT_INVALID' })
    expect(await ledger.appendWaiting(UNTIL_DONE)).toBe(1)
    expect((await openLedger('third').ledger.ingest(allEntries(ledger), UNTIL_DONE)).accepted).toBe(1)
  })

  test('closes a job once, after its receipts', async () => {
    const { ledger, database } = openLedger('submitter')
    const receipts = await makeReceipts(7)
    const entry = await ledger.closeJob(jobClose(), receipts, UNTIL_DONE)
    expect(await ledger.closeJob(jobClose(), receipts, UNTIL_DONE)).toEqual(entry)
    const reader = new LedgerReader(database)
    const submitter = ledger.self
    expect(reader.isComplete(submitter, testJobId('a'))).toBe(true)
    expect(reader.isComplete(submitter, testJobId('b'))).toBe(false)
    expect(reader.summary().local).toEqual([{ submitter, kind: 'invert', jobs: 1, chunks: 3, units: 300 }])
    expect(reader.summary().jobs).toMatchObject([{ submitter, outcome: 'done', receipts: 7, knownReceipts: 7 }])
    expect(ledger.heads()).toMatchObject([{ sequence: 2 }])
    await ledger.closeJob({ ...jobClose(), outcome: 'failed' }, receipts, UNTIL_DONE)
    expect(ledger.heads()).toMatchObject([{ sequence: 3 }])
  })

  test.each([
    ['of other peers', {}, 'other', 'and this peer is'],
    ['made to another submitter', { claim: { submitter: WORKER } }, 'submitter', 'its claim was made to'],
    ['of too many units', { receipt: { units: 1e300 } }, 'submitter', 'too many'],
    ['of endless work', { claim: { computeMs: 1e300 } }, 'submitter', 'too long'],
    ['beyond any file', { receipt: { inputOffset: Number.MAX_SAFE_INTEGER } }, 'submitter', 'beyond any file']
  ])('refuses receipts %s', async (_, options, self, reason) => {
    const { ledger, database } = openLedger(self)
    const receipts = [await makeReceipt({ chunkIndex: 1 }), await makeReceipt(options)]
    const kept = ledger.keepReceipts(receipts, UNTIL_DONE)
    await expect(kept).rejects.toMatchObject({ code: 'RECEIPT_INVALID', message: expect.stringContaining(reason) })
    expect(new LedgerReader(database).counts().receipts).toBe(0)
  })

  test('refuses a receipt with any byte changed', async () => {
    const { ledger } = openLedger('submitter')
    const receipt = await makeReceipt()
    for (let at = 0; at < receipt.byteLength; at += 7) {
      const changed = Uint8Array.from(receipt, (byte, index) => (index === at ? byte ^ 0x10 : byte))
      await expect(ledger.keepReceipts([changed], UNTIL_DONE)).rejects.toMatchObject({ code: 'RECEIPT_INVALID' })
    }
  })
})

describe('credit', () => {
  test('is for distinct chunks: of several receipts the earliest earns, in whatever order they come', async () => {
    const receipts = [
      await makeReceipt({ worker: 'late', receipt: { acceptedAtMs: 30 } }),
      await makeReceipt({ worker: 'first', receipt: { acceptedAtMs: 10 } }),
      await makeReceipt({ worker: 'late', receipt: { acceptedAtMs: 20 } }),
      await makeReceipt({ worker: 'late', chunkIndex: 1, receipt: { acceptedAtMs: 5 } }),
      await makeReceipt({ worker: 'first', chunkIndex: 1, receipt: { acceptedAtMs: 5 } })
    ]
    const summaries = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(receipts, { minLength: receipts.length }), async (order) => {
        const { ledger, database } = openLedger('submitter')
        for (const receipt of order) await ledger.keepReceipts([receipt], UNTIL_DONE)
        const summary = new LedgerReader(database).summary()
        expect(summary).toMatchObject({ receipts: 5, uncredited: 3 })
        expect(summary.peers.reduce((sum, { chunks }) => sum + chunks, 0)).toBe(2)
        summaries.add(JSON.stringify(summary.peers))
        database.close()
      }),
      { numRuns: 12 }
    )
    expect(summaries.size).toBe(1)
  })

  test('is none for work done for oneself, which does not stand in others’ way either', async () => {
    const { ledger, database } = openLedger('submitter')
    await ledger.keepReceipts([await makeReceipt({ worker: 'submitter' })], UNTIL_DONE)
    expect(new LedgerReader(database).summary()).toMatchObject({ peers: [], receipts: 1, uncredited: 1 })
    await ledger.keepReceipts([await makeReceipt()], UNTIL_DONE)
    expect(new LedgerReader(database).summary().peers).toMatchObject([{ peerId: WORKER, chunks: 1 }])
  })

  test('of one job id by two submitters is two jobs', async () => {
    const { ledger, database } = openLedger('worker')
    const receipts = [await makeReceipt(), await makeReceipt({ submitter: 'other' })]
    await ledger.keepReceipts(receipts, UNTIL_DONE)
    expect(new LedgerReader(database).summary().peers).toMatchObject([{ chunks: 2, jobs: 2 }])
    await ledger.keepReceipts(
      [await makeReceipt({ worker: 'best', submitter: 'worker', receipt: { units: 900 } })],
      UNTIL_DONE
    )
    const alone = new LedgerReader(database).summary({ peerId: WORKER }).peers
    expect(alone).toMatchObject([{ peerId: WORKER, units: [{ medal: 'silver' }] }])
    const filter = { jobId: testJobId('b') }
    expect(new LedgerReader(database).summary(filter).peers).toEqual([])
    expect(new LedgerReader(database).summary({ peerId: WORKER, jobId: testJobId('a') }).peers).toHaveLength(1)
  })
})

describe('others’ feeds', () => {
  test('are taken as they are, and credited once though both parties list each receipt', async () => {
    const submitter = openLedger('submitter')
    const worker = openLedger('worker')
    const receipts = await makeReceipts(5)
    await submitter.ledger.closeJob(jobClose(), receipts, UNTIL_DONE)
    await worker.ledger.keepReceipts(receipts, UNTIL_DONE)
    await worker.ledger.appendWaiting(UNTIL_DONE)
    const third = openLedger('third')
    for (const { ledger } of [submitter, worker]) {
      const result = await third.ledger.ingest(allEntries(ledger), UNTIL_DONE)
      expect(result.refusal).toBeUndefined()
    }
    expect(new LedgerReader(third.database).summary()).toMatchObject({
      receipts: 5,
      uncredited: 0,
      entries: 3,
      peers: [{ peerId: WORKER, chunks: 5 }]
    })
    const again = await third.ledger.ingest(allEntries(worker.ledger), UNTIL_DONE)
    expect(again).toEqual({ accepted: 0, known: 1, heads: [] })
    expect(allEntries(third.ledger)).toEqual(
      [...allEntries(submitter.ledger), ...allEntries(worker.ledger)].toSorted((a, b) => compareAuthor(third, a, b))
    )
  })

  test('with entries missing are refused, naming what is missing', async () => {
    const { entries, author } = await feedOf('worker', 3)
    const { ledger } = openLedger('third')
    const result = await ledger.ingest(entries.slice(2), UNTIL_DONE)
    expect(result).toMatchObject({
      accepted: 0,
      refusal: { code: 'gap', need: { author, from: 1, to: 2 }, sequence: 3 }
    })
    const head = { author, sequence: 3, hash: sha256(at(entries, 2)) }
    expect(ledger.missing([head])).toEqual([{ author, from: 1, to: 3 }])
    await ledger.ingest(entries, UNTIL_DONE)
    expect(ledger.missing([head])).toEqual([])
  })

  test('are refused from the first false entry on', async () => {
    const receipt = await makeReceipt({ worker: 'b', submitter: 'c' })
    const { entries, author } = await feedOf('worker', 2)
    const previousHash = sha256(at(entries, 1))
    const third = (receipts: Uint8Array[]) =>
      makeEntry('worker', { sequence: 3, previousHash, body: { type: 'receipts', receipts } })
    const otherClaim = await makeReceipt({ claim: { submitter: author } })
    const cases: [Uint8Array, string, string][] = [
      [new Uint8Array(0), 'malformed', 'envelope'],
      [await third([receipt]), 'invalid', 'not its author'],
      [await third([otherClaim]), 'invalid', 'receipt 0 in it'],
      [
        (await third([await makeReceipt()])).map((byte, index, all) => (index === all.length - 1 ? byte ^ 1 : byte)),
        'invalid',
        'signature'
      ],
      [
        await makeEntry('worker', {
          sequence: 3,
          previousHash: GENESIS_HASH,
          body: { type: 'receipts', receipts: [receipt] }
        }),
        'gap',
        'follows another entry'
      ]
    ]
    for (const [entry, code, reason] of cases) {
      const { ledger } = openLedger('third')
      const result = await ledger.ingest([...entries, entry, at(entries, 0)], UNTIL_DONE)
      expect(result).toMatchObject({
        accepted: 2,

        refusal: { code, reason: expect.stringContaining(reason) }
      })
      expect(ledger.heads()).toMatchObject([{ author, sequence: 2 }])
    }
  })

  test('that fork are proved and frozen, by whoever sees both branches', async () => {
    const { entries, author } = await feedOf('worker', 3)
    const previousHash = sha256(at(entries, 0))
    const receipts = [await makeReceipt({ chunkIndex: 99 })]
    const other = await makeEntry('worker', { sequence: 2, previousHash, body: { type: 'receipts', receipts } })
    const next = await makeEntry('worker', {
      sequence: 3,
      previousHash: sha256(other),
      body: { type: 'receipts', receipts }
    })
    const { ledger } = openLedger('third')
    const proofs: unknown[] = []
    ledger.setListener({
      onHeads: () => undefined,
      onForkProof: (proof) => proofs.push(proof),
      onWaiting: () => undefined
    })
    await ledger.ingest(entries.slice(0, 2), UNTIL_DONE)
    // The other branch shows itself one entry later; what is needed to prove the fork is named.
    const refused = await ledger.ingest([next], UNTIL_DONE)
    expect(refused.refusal).toMatchObject({ code: 'gap', need: { author, from: 2, to: 2 } })
    expect(ledger.missing([{ author, sequence: 2, hash: sha256(other) }])).toEqual([{ author, from: 2, to: 2 }])
    const forked = await ledger.ingest([other], UNTIL_DONE)
    expect(forked).toMatchObject({ accepted: 0, refusal: { code: 'forked' }, forkProof: [at(entries, 1), other] })
    expect(proofs).toEqual([[at(entries, 1), other]])
    expect(ledger.forkProofs()).toEqual(proofs)
    const frozen = await ledger.ingest(entries.slice(2), UNTIL_DONE)
    expect(frozen.refusal).toMatchObject({ code: 'frozen', author, sequence: 3 })
    expect(ledger.missing([{ author, sequence: 9, hash: GENESIS_HASH }])).toEqual([])
    const fourth = openLedger('fourth').ledger
    expect(await fourth.ingestForkProof([at(entries, 1), other])).toBe(true)
    expect(await fourth.ingestForkProof([other, at(entries, 1)])).toBe(false)
    expect((await fourth.ingest(entries, UNTIL_DONE)).refusal).toMatchObject({ code: 'frozen' })
  })

  test('are not frozen by what proves no fork', async () => {
    const { entries } = await feedOf('worker', 2)
    const { ledger } = openLedger('third')
    const first = at(entries, 0)
    const forged = first.map((byte, index) => (index === first.byteLength - 1 ? byte ^ 1 : byte))
    for (const proof of [
      [first, first],
      [first, at(entries, 1)],
      [first, forged],
      [new Uint8Array(3), first],
      [first, new Uint8Array(3)]
    ] as const) {
      expect(await ledger.ingestForkProof(proof)).toMatchObject({ reason: expect.any(String) })
    }
    expect((await ledger.ingest([forged], UNTIL_DONE)).refusal).toMatchObject({ code: 'invalid' })
    await ledger.ingest(entries, UNTIL_DONE)
    expect((await ledger.ingest([forged], UNTIL_DONE)).refusal).toMatchObject({ code: 'invalid' })
    expect(ledger.forkProofs()).toEqual([])
  })

  test('grow alike under any order of deliveries', async () => {
    const feeds = [await feedOf('worker', 4), await feedOf('submitter', 4)]
    const all = feeds.flatMap(({ entries }) => entries)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(all.length - 1), { maxLength: 30 }), async (deliveries) => {
        const { ledger, database } = openLedger('third')
        const counts = feeds.map(() => 0)
        for (const index of deliveries) {
          const feed = Math.floor(index / 4)
          const position = index % 4
          const { accepted, known, refusal } = await ledger.ingest([at(all, index)], UNTIL_DONE)
          const count = counts[feed] ?? 0
          expect([accepted, known, refusal?.code]).toEqual(
            position < count ? [0, 1, undefined] : position === count ? [1, 0, undefined] : [0, 0, 'gap']
          )
          if (position === count) counts[feed] = count + 1
        }
        expect(
          ledger
            .heads()
            .map(({ sequence }) => sequence)
            .toSorted()
        ).toEqual(counts.filter((count) => count > 0).toSorted())
        const done = new LedgerReader(database).summary()
        expect(done.receipts).toBe(Math.max(...counts))
        database.close()
      }),
      { numRuns: 30 }
    )
  })
})

describe('a restored home', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-ledger-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('adopts its own newer entries and goes on after them', async () => {
    const { entries, receipts } = await feedOf('worker', 3)
    const { ledger, database } = openLedger('worker', join(folder, 'swarm.db'))
    await ledger.ingest(entries.slice(0, 1), UNTIL_DONE)
    const head = { author: ledger.self, sequence: 3, hash: sha256(at(entries, 2)) }
    expect(ledger.missing([head])).toEqual([{ author: ledger.self, from: 2, to: 3 }])
    await ledger.ingest(entries.slice(1), UNTIL_DONE)
    // What was written before is not written again.
    await ledger.keepReceipts([...receipts, await makeReceipt({ chunkIndex: 50 })], UNTIL_DONE)
    expect(await ledger.appendWaiting(UNTIL_DONE)).toBe(1)
    expect(ledger.heads()).toMatchObject([{ sequence: 4 }])
    database.close()
  })

  test('that appended before it caught up is frozen, and says so', async () => {
    const { entries } = await feedOf('worker', 2)
    const { ledger, database } = openLedger('worker', join(folder, 'swarm.db'))
    await ledger.keepReceipts([await makeReceipt({ chunkIndex: 50 })], UNTIL_DONE)
    await ledger.appendWaiting(UNTIL_DONE)
    expect((await ledger.ingest(entries, UNTIL_DONE)).refusal).toMatchObject({ code: 'forked' })
    await ledger.keepReceipts([await makeReceipt({ chunkIndex: 51 })], UNTIL_DONE)
    const append = ledger.appendWaiting(UNTIL_DONE)
    await expect(append).rejects.toMatchObject({ code: 'FEED_FORKED', exitCode: 3 })
    database.close()
  })
})

describe('a ledger that is being written', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-ledger-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is read meanwhile, and is whole after its process was killed', async () => {
    const paths = resolveHome({ home: folder, env: {} })
    const writer = await startProcess('write-ledger', [folder])
    let printed = ''
    writer.stdout?.on('data', (text) => {
      printed += text
    })
    const reader = openDatabaseForReading(paths.database)
    if (reader === undefined) throw new Error('there is a database')
    const entries = (): number => new LedgerReader(reader).summary().entries
    await expect.poll(entries, { timeout: 10_000 }).toBeGreaterThan(20)
    await killProcess(writer)
    const told = Number(printed.split('\n').at(-2) ?? 0)
    expect(entries()).toBeGreaterThanOrEqual(told)
    const { summary } = await verifyStoredLedger(reader, { ...UNTIL_DONE, verify })
    expect(summary).toEqual({ ...new LedgerReader(reader).summary(), ...waitingAside(summary) })
    reader.close()
    const { ledger, database } = openLedger('worker', paths.database)
    await ledger.keepReceipts([await makeReceipt({ chunkIndex: 1_000_000 })], UNTIL_DONE)
    await ledger.appendWaiting(UNTIL_DONE)
    expect((await openLedger('third').ledger.ingest(allEntries(ledger), UNTIL_DONE)).refusal).toBeUndefined()
    database.close()
  })
})

/** A receipt that was kept but not yet appended counts in the home, and cannot in its feed. */
function waitingAside({ receipts, peers }: LedgerSummary): Pick<LedgerSummary, 'receipts' | 'peers'> {
  return { receipts, peers }
}

/** @returns a feed of entries with one receipt each; receipt n is the same in the feeds of both its parties. */
async function feedOf(
  name: string,
  count: number
): Promise<{ author: string; entries: Uint8Array[]; receipts: Uint8Array[] }> {
  const { ledger, database } = openLedger(name)
  const receipts = await makeReceipts(count)
  for (const receipt of receipts) {
    await ledger.keepReceipts([receipt], UNTIL_DONE)
    await ledger.appendWaiting(UNTIL_DONE)
  }
  const entries = allEntries(ledger)
  database.close()
  return { author: ledger.self, entries, receipts }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

function compareAuthor({ ledger }: ReturnType<typeof openLedger>, left: Uint8Array, right: Uint8Array): number {
  const order = allEntries(ledger).map((entry) => Buffer.from(entry).toString('hex'))
  return order.indexOf(Buffer.from(left).toString('hex')) - order.indexOf(Buffer.from(right).toString('hex'))
}
