import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyLedger } from '../../src/app/reader.ts'
import { writeNoise } from '../support/reference-invert.ts'
import { type Done, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

const INPUT_BYTES = 4 * 1024 * 1024
/** Time for all ledgers to agree after a job: issue 2, "Must show". */
const AGREE_MS_MAX = 5_000
const POSITIONS = 40

interface Ledger {
  readonly receipts: number
  readonly rows: readonly { readonly peerId: string; readonly chunks: number; readonly rank: number }[]
}

const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let laptop: JoinedPeer
let done: Done

beforeAll(async () => {
  writeNoise(input, INPUT_BYTES)
  studio = await world.join('studio')
  await world.joinWith(studio, 'attic')
  laptop = await world.joinWith(studio, 'laptop')
  const args = ['--local', 'never', '--min-peers', '2', '--chunk-size', '256KiB', '--out', world.path('out')]
  done = await world.done(world.submit('studio', input, args))
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

async function ledgerOf(home: string): Promise<Ledger> {
  const { said, exitCode } = await world.run(home, ['ledger', '--json'])
  expect(exitCode).toBe(0)
  return said[0] as unknown as Ledger
}

/** What two homes must agree on. */
function facts({ receipts, rows }: Ledger): unknown {
  return { receipts, rows: rows.map(({ peerId, chunks, rank }) => ({ peerId, chunks, rank })) }
}

/** Looks until a ledger shows what is expected. @returns how long that took, in ms */
async function agreesWithin(home: string, expected: Ledger, patienceMs: number): Promise<number> {
  const startedMs = performance.now()
  for (;;) {
    const found = await ledgerOf(home)
    const tookMs = performance.now() - startedMs
    if (JSON.stringify(facts(found)) === JSON.stringify(facts(expected))) return tookMs
    if (tookMs > patienceMs) expect(facts(found)).toEqual(facts(expected))
  }
}

test('agrees on the submitter and both workers soon after the job', { timeout: 30_000 }, async () => {
  const expected = await ledgerOf('studio')
  expect(expected.receipts).toBe(done.chunks)
  for (const { peerId, chunks } of done.peers) {
    expect(expected.rows.find((row) => row.peerId === peerId)?.chunks ?? 0).toBe(chunks)
  }
  for (const home of ['attic', 'laptop']) {
    console.error(`ledger of ${home} agreed after ${(await agreesWithin(home, expected, AGREE_MS_MAX)).toFixed(0)} ms`)
  }
})

test('one that was offline catches up when it joins again', { timeout: 60_000 }, async () => {
  await laptop.process.stop()
  await world.done(
    world.submit('studio', input, ['--local', 'never', '--chunk-size', '256KiB', '--out', world.path('second')])
  )
  const expected = await ledgerOf('studio')
  expect((await ledgerOf('laptop')).receipts).toBeLessThan(expected.receipts)
  laptop = await world.joinWith(studio, 'laptop')
  console.error(`caught up after ${(await agreesWithin('laptop', expected, AGREE_MS_MAX)).toFixed(0)} ms`)
})

test('an exported ledger proves itself, and any changed byte is found and named', { timeout: 60_000 }, async () => {
  const exported = world.path('ledger.bin')
  expect(await world.run('studio', ['ledger', 'export', exported])).toMatchObject({ exitCode: 0 })
  expect(await world.run('elsewhere', ['ledger', 'verify', exported])).toMatchObject({ exitCode: 0 })
  const bytes = readFileSync(exported)
  const changed = world.path('changed.bin')
  const signal = new AbortController().signal
  for (let sample = 0; sample < POSITIONS; sample++) {
    const at = Math.floor(((sample + 0.5) * bytes.byteLength) / POSITIONS)
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ (1 << (sample % 8))
    writeFileSync(changed, copy)
    const { valid, problems } = await verifyLedger({ file: changed }, { signal })
    expect({ at, valid }).toEqual({ at, valid: false })
    expect(problems[0]?.where).toMatch(/\d/)
    expect(problems[0]?.message).not.toBe('')
  }
  const { exitCode, stdout } = await world.run('elsewhere', ['ledger', 'verify', changed])
  expect(exitCode).toBe(3)
  expect(stdout).toContain('problem at ')
})

test('the ledger beside a result proves the job and its input', async () => {
  const { exitCode, said } = await world.run('elsewhere', [
    'ledger',
    'verify',
    done.outputs.ledger,
    '--input',
    input,
    '--json'
  ])
  expect(exitCode).toBe(0)
  expect(said[0]).toMatchObject({ valid: true, receipts: done.chunks, inputsChecked: done.chunks })
})
