import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeEnvelope } from '../../protocols/wire/envelope.ts'
import { decodeFeedEntry } from '../../protocols/wire/feed-entry.ts'
import { contentHash } from '../../src/content-hash.ts'
import { GENESIS_HASH } from '../../src/domain/feed.ts'
import { peerIdOf } from '../../src/store/identity.ts'
import { verifyLedgerFile, verifyStoredLedger } from '../../src/store/ledger-file.ts'
import { formatHead, formatPair, formatRecord, formatTail, RECORD } from '../../src/store/ledger-file-format.ts'
import type { LedgerFault } from '../../src/store/ledger-file-reader.ts'
import { LedgerInvalidError } from '../../src/store/ledger-file-reader.ts'
import { exportJobLedger, exportLedger, writeJobLedger } from '../../src/store/ledger-file-writer.ts'
import { LedgerReader } from '../../src/store/ledger-reader.ts'
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

const OPTIONS = { ...UNTIL_DONE, verify }
const WORKER = testIdentity('worker').peerId
const SUBMITTER = testIdentity('submitter').peerId

let folder: string
let exported: string
let job: string
let receipts: Uint8Array[]
let closeEntry: Uint8Array
const submitter = openLedger('submitter')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-ledger-file-'))
  exported = join(folder, 'export.bin')
  job = join(folder, 'ledger.bin')
  receipts = await makeReceipts(4)
  closeEntry = await submitter.ledger.closeJob(jobClose(), receipts, UNTIL_DONE)
  const worker = openLedger('worker').ledger
  for (const receipt of receipts.slice(0, 2)) {
    await worker.keepReceipts([receipt], UNTIL_DONE)
    await worker.appendWaiting(UNTIL_DONE)
  }
  await submitter.ledger.ingest(allEntries(worker), UNTIL_DONE)
  const body = (chunkIndex: number) => makeReceipt({ worker: 'forker', chunkIndex })
  const [first, second] = await Promise.all(
    [await body(7), await body(8)].map((receipt) =>
      makeEntry('forker', { sequence: 1, previousHash: GENESIS_HASH, body: { type: 'receipts', receipts: [receipt] } })
    )
  )
  if (first !== undefined && second !== undefined) await submitter.ledger.ingestForkProof([first, second])
  await exportLedger(exported, submitter.database, UNTIL_DONE)
  await writeJobLedger(job, receipts, closeEntry, UNTIL_DONE)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('an export', () => {
  test('verifies anywhere, and counts as the home does', async () => {
    const verified = await verifyLedgerFile(exported, OPTIONS)
    expect(verified).toEqual({ content: 'feeds', summary: new LedgerReader(submitter.database).summary() })
    expect(verified.summary).toMatchObject({ receipts: 4, entries: 4, forks: [{ sequence: 1 }] })
    expect(await verifyStoredLedger(submitter.database, OPTIONS)).toEqual(verified)
  })

  test('of nothing verifies too', async () => {
    const path = join(folder, 'empty.bin')
    await exportLedger(path, openLedger('empty').database, UNTIL_DONE)
    expect((await verifyLedgerFile(path, OPTIONS)).summary).toMatchObject({ receipts: 0, peers: [] })
  })

  test('with any one byte changed is refused, naming the part it lies in', async () => {
    await everyChangeIsNamed(exported)
  })

  test('cut off anywhere, or with bytes added, is refused', async () => {
    const bytes = readFileSync(exported)
    for (let end = 0; end < bytes.byteLength; end += 41) await invalid(bytes.subarray(0, end))
    expect((await invalid(Buffer.concat([bytes, Buffer.alloc(1)]))).part).toBe('tail')
  })

  test('names author and sequence number of a damaged entry, wherever the damage is', async () => {
    const entries = recordsOf(exported).filter(({ type }) => type === RECORD.entry)
    for (const [index, { content, start, end }] of entries.entries()) {
      const { sequence } = decodeFeedEntry(decodeEnvelope(content).payload)
      for (let at = start + 1; at < end; at += 13) {
        const bytes = readFileSync(exported)
        const fault = await invalid(bytes.with(at, (bytes[at] ?? 0) ^ 0xff))
        expect(fault).toMatchObject({ part: 'entry', index, byteOffset: start, author: byOf(content), sequence })
      }
    }
  })
})

describe('a forged export', () => {
  test.each([
    ['an entry left out', (all: Uint8Array[]) => all.toSpliced(0, 1)],
    ['entries swapped', (all: Uint8Array[]) => swap(all, 0, 1)],
    ['an entry twice', (all: Uint8Array[]) => all.toSpliced(1, 0, ...all.slice(0, 1))]
  ])('with %s is refused at that entry, though all its checks are right', async (_, forge) => {
    const entries = recordsOf(exported).filter(({ type }) => type === RECORD.entry)
    const fault = await invalid(forged(forge(entries.map(({ content }) => content))))
    expect(fault).toMatchObject({ part: 'entry', author: expect.any(String) })
    expect(fault.reason).toContain('sequence number')
  })

  test('with a false receipt in a signed entry is refused at that entry', async () => {
    const bad = await makeReceipt({ claim: { submitter: WORKER } })
    const entry = await makeEntry('worker', {
      sequence: 1,
      previousHash: GENESIS_HASH,
      body: { type: 'receipts', receipts: [await makeReceipt(), bad] }
    })
    const fault = await invalid(forged([entry]))
    expect(fault).toMatchObject({ part: 'entry', index: 0, author: WORKER, sequence: 1 })
    expect(fault.reason).toContain('receipt 1 in it')
  })

  test('with an entry on another branch is refused there', async () => {
    const body = { type: 'receipts', receipts: [await makeReceipt()] } as const
    const first = await makeEntry('worker', { sequence: 1, previousHash: GENESIS_HASH, body })
    const second = await makeEntry('worker', { sequence: 2, previousHash: sha256(Uint8Array.of(1)), body })
    expect(await invalid(forged([first, second]))).toMatchObject({ index: 1, author: WORKER, sequence: 2 })
  })

  test('names the first of several wrong entries, before a wrong end', async () => {
    const entries = recordsOf(exported).filter(({ type }) => type === RECORD.entry)
    const contents = entries.map(({ content }, index) => (index === 0 ? content : content.with(-1, 0)))
    const bytes = forged(contents)
    expect(await invalid(bytes.subarray(0, -3))).toMatchObject({
      part: 'entry',
      index: 1,
      reason: expect.stringContaining('signature')
    })
  })

  test('with an entry in another’s feed is refused there', async () => {
    const records = [RECORD.feed, RECORD.entry].map(
      (type) => [type, type === RECORD.feed ? Buffer.from(WORKER) : closeEntry] as const
    )
    const fault = await invalid(withRecords('feeds', records))
    expect(fault).toMatchObject({ part: 'entry', index: 0, author: WORKER, sequence: 1 })
    expect(fault.reason).toContain(`${SUBMITTER} signed it`)
  })

  test('with what has no place in it is refused', async () => {
    const receipt = [RECORD.receipt, await makeReceipt()] as const
    const fork = [RECORD.fork, formatPair([closeEntry, closeEntry])] as const
    expect(await invalid(withRecords('feeds', [receipt]))).toMatchObject({ index: 0 })
    expect((await invalid(withRecords('feeds', [[9, new Uint8Array(0)]]))).reason).toContain('type 9')
    expect(await invalid(withRecords('feeds', [fork]))).toMatchObject({ part: 'fork' })
    expect(await invalid(withRecords('feeds', [[RECORD.fork, new Uint8Array(2)]]))).toMatchObject({ part: 'fork' })
    const proofs = recordsOf(exported).filter(({ type }) => type === RECORD.fork)
    for (const { content } of proofs)
      expect((await invalid(withRecords('job', [[RECORD.fork, content]]))).reason).toContain('fork')
  })
})

describe('a job’s ledger', () => {
  test('verifies by itself', async () => {
    const { content, summary } = await verifyLedgerFile(job, OPTIONS)
    expect(content).toBe('job')
    expect(summary).toMatchObject({
      receipts: 4,
      peers: [{ peerId: WORKER, chunks: 4 }],
      local: [{ submitter: SUBMITTER, chunks: 3, units: 300 }],
      jobs: [{ jobId: testJobId('a'), receipts: 4, knownReceipts: 4 }]
    })
  })

  test('is the same when written from the database', async () => {
    const path = join(folder, 'again.bin')
    const written = await exportJobLedger(path, submitter.database, testJobId('a'), UNTIL_DONE)
    expect(written).toEqual({ receipts: 4 })
    expect(readFileSync(path)).toEqual(readFileSync(job))
  })

  test('is not written when the job is unknown, or receipts of it are', async () => {
    const path = join(folder, 'none.bin')
    const unknown = exportJobLedger(path, submitter.database, testJobId('b'), UNTIL_DONE)
    await expect(unknown).rejects.toMatchObject({ code: 'LEDGER_JOB_UNKNOWN', exitCode: 2 })
    const { ledger, database } = openLedger('third')
    const close = { ...jobClose(), type: 'job-close', receipts: 4, receiptsRoot: GENESIS_HASH } as const
    for (const author of ['submitter', 'other']) {
      await ledger.ingest(
        [await makeEntry(author, { sequence: 1, previousHash: GENESIS_HASH, body: close })],
        UNTIL_DONE
      )
    }
    const ambiguous = exportJobLedger(path, database, testJobId('a'), UNTIL_DONE)
    await expect(ambiguous).rejects.toMatchObject({ code: 'LEDGER_JOB_AMBIGUOUS' })
    const incomplete = exportJobLedger(path, database, testJobId('a'), { ...UNTIL_DONE, submitter: SUBMITTER })
    await expect(incomplete).rejects.toMatchObject({ code: 'LEDGER_INCOMPLETE', exitCode: 75 })
  })

  test('with any one byte changed is refused, naming the part it lies in', async () => {
    await everyChangeIsNamed(job)
  })

  test('with a receipt left out, added or moved is refused', async () => {
    const [first, second] = receipts
    const added = await makeReceipt({ chunkIndex: 9 })
    if (first === undefined || second === undefined) throw new Error('no receipts')
    const cases: [Uint8Array[], number][] = [
      [receipts.slice(1), 3],
      [[...receipts, added], 5],
      [[second, first], 1],
      [[first, first], 1]
    ]
    for (const [list, index] of cases) {
      expect(await invalid(jobOf(list, closeEntry))).toMatchObject({ index, author: SUBMITTER })
    }
  })

  test('without its close, or with more after it, is refused', async () => {
    expect(await invalid(jobOf(receipts))).toMatchObject({ part: 'tail' })
    expect(await invalid(jobOf(receipts, closeEntry, closeEntry))).toMatchObject({
      part: 'entry',
      index: 5,
      author: SUBMITTER
    })
    const [entry] = recordsOf(exported).filter(
      ({ content, type }) => type === RECORD.entry && byOf(content) === SUBMITTER
    )
    expect((await invalid(jobOf([], entry?.content ?? closeEntry))).reason).toContain('closes no job')
  })

  test('is not written around an entry that is none', async () => {
    const written = writeJobLedger(join(folder, 'no-close.bin'), receipts, new Uint8Array(9), UNTIL_DONE)
    await expect(written).rejects.toMatchObject({ code: 'LEDGER_INVALID' })
  })
})

describe('a ledger beside its input', () => {
  const input = Buffer.alloc(1_000, 3)
  const ranges = [0, 400, 800].map((offset) => ({ offset, bytes: input.subarray(offset, offset + 400) }))

  async function jobOver(): Promise<string> {
    const path = join(folder, 'input-job.bin')
    const { ledger } = openLedger('submitter')
    const made = ranges.map(({ offset, bytes }, chunkIndex) =>
      makeReceipt({
        chunkIndex,
        claim: { inputHash: contentHash(bytes), inputBytes: bytes.byteLength },
        receipt: { inputOffset: offset }
      })
    )
    const all = await Promise.all(made)
    await writeJobLedger(path, all, await ledger.closeJob(jobClose(), all, UNTIL_DONE), UNTIL_DONE)
    return path
  }

  test('is checked against it, byte for byte', async () => {
    const path = await jobOver()
    const inputPath = join(folder, 'input.f32')
    writeFileSync(inputPath, input)
    expect((await verifyLedgerFile(path, { ...OPTIONS, inputPath })).inputChunks).toBe(3)
    await fc.assert(
      fc.asyncProperty(fc.nat(input.byteLength - 1), async (at) => {
        writeFileSync(inputPath, Buffer.from(input.with(at, 4)))
        const checked = verifyLedgerFile(path, { ...OPTIONS, inputPath })
        await expect(checked).rejects.toThrow(`chunk ${Math.floor(at / 400)} of job`)
      }),
      { numRuns: 10 }
    )
    writeFileSync(inputPath, input.subarray(0, 999))
    await expect(verifyLedgerFile(path, { ...OPTIONS, inputPath })).rejects.toMatchObject({
      code: 'LEDGER_INVALID',
      exitCode: 3
    })
    const missing = verifyLedgerFile(path, { ...OPTIONS, inputPath: join(folder, 'none') })
    await expect(missing).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })

  test('of several jobs asks which one', async () => {
    const path = join(folder, 'two.bin')
    const { ledger, database } = openLedger('worker')
    const two = [await makeReceipt(), await makeReceipt({ claim: { jobId: testJobId('b') } })]
    await ledger.keepReceipts(two, UNTIL_DONE)
    await ledger.appendWaiting(UNTIL_DONE)
    await exportLedger(path, database, UNTIL_DONE)
    const checked = verifyLedgerFile(path, { ...OPTIONS, inputPath: path })
    await expect(checked).rejects.toMatchObject({ code: 'LEDGER_INPUT_AMBIGUOUS', exitCode: 2 })
    const named = verifyLedgerFile(path, { ...OPTIONS, inputPath: path, jobId: testJobId('b') })
    await expect(named).rejects.toMatchObject({ code: 'LEDGER_INVALID' })
  })
})

test('a file that is not there is no matter of trust', async () => {
  const path = join(folder, 'no-such-file')
  await expect(verifyLedgerFile(path, OPTIONS)).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE', exitCode: 2 })
})

/** Changes each byte in turn (one random bit of it) and checks that the fault's place holds that byte. */
async function everyChangeIsNamed(path: string): Promise<void> {
  const bytes = readFileSync(path)
  const spans = recordsOf(path)
  const tail = spans.at(-1)?.end ?? 26
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.byteLength - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const fault = await invalid(bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit)))
      if (at < 26) expect(fault).toMatchObject({ part: 'head', byteOffset: 0 })
      else if (at >= tail) expect(fault).toMatchObject({ part: 'tail', byteOffset: tail })
      else {
        const record = spans.findIndex(({ start, end }) => at >= start && at < end)
        const index = spans.slice(0, record).filter(({ type }) => type !== RECORD.feed).length
        expect(fault).toMatchObject({ index, byteOffset: spans[record]?.start })
        expect(fault.part).not.toBe('tail')
        const { type, content } = spans[record] ?? {}
        // Only the one byte that says what a record is can make it look like another.
        if (type !== RECORD.entry || content === undefined || at === spans[record]?.start) return
        expect(fault).toMatchObject({ author: byOf(content) })
      }
    }),
    { numRuns: 400 }
  )
}

async function invalid(bytes: Uint8Array): Promise<LedgerFault> {
  const path = join(folder, 'changed.bin')
  writeFileSync(path, bytes)
  try {
    await verifyLedgerFile(path, OPTIONS)
  } catch (error) {
    if (!(error instanceof LedgerInvalidError)) throw error
    expect(error).toMatchObject({ code: 'LEDGER_INVALID', exitCode: 3 })
    return error.fault
  }
  throw new Error('it was taken for sound')
}

function byOf(entry: Uint8Array): string {
  return peerIdOf(decodeEnvelope(entry).publicKey)
}

function recordsOf(path: string): { type: number; start: number; end: number; content: Uint8Array }[] {
  const bytes = readFileSync(path)
  const spans = []
  for (let start = 26; bytes[start] !== RECORD.tail; ) {
    const contentEnd = start + 5 + bytes.readUInt32BE(start + 1)
    const end = contentEnd + 16
    spans.push({ type: bytes[start] ?? 0, start, end, content: new Uint8Array(bytes.subarray(start + 5, contentEnd)) })
    start = end
  }
  return spans
}

/** A file of feeds with these entries, each author's in a row, whose checks are all right. */
function forged(entries: readonly Uint8Array[]): Buffer {
  const records: [number, Uint8Array][] = []
  let before = ''
  for (const entry of entries) {
    const author = byOf(entry)
    if (author !== before) records.push([RECORD.feed, Buffer.from(author)])
    before = author
    records.push([RECORD.entry, entry])
  }
  return withRecords('feeds', records)
}

function withRecords(content: 'feeds' | 'job', records: readonly (readonly [number, Uint8Array])[]): Buffer {
  const parts = records.map(([type, bytes], index) => formatRecord(index, type, bytes))
  return withTail([formatHead(content), ...parts], parts.length)
}

function jobOf(all: readonly Uint8Array[], ...closes: readonly Uint8Array[]): Buffer {
  const submitterId = Buffer.from(SUBMITTER)
  return withRecords('job', [
    [RECORD.feed, submitterId],
    ...all.map((receipt) => [RECORD.receipt, receipt] as const),
    ...closes.map((entry) => [RECORD.entry, entry] as const)
  ])
}

function withTail(parts: readonly Uint8Array[], recordCount: number): Buffer {
  const digest = createHash('sha256').update(Buffer.concat(parts)).digest()
  return Buffer.concat([...parts, formatTail(recordCount, digest)])
}

function swap(list: readonly Uint8Array[], left: number, right: number): Uint8Array[] {
  const swapped = [...list]
  const [a, b] = [list[left], list[right]]
  if (a === undefined || b === undefined) throw new Error('nothing to swap')
  swapped[left] = b
  swapped[right] = a
  return swapped
}
