import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { hashDecrypted, hashExpected, writeNoise } from '../support/reference-invert.ts'
import type { SwarmProcess, TimedSaid } from '../support/swarm-process.ts'
import { type Done, eventsOf, type JoinedPeer, leftBehind, SwarmWorld } from '../support/swarm-world.ts'

/** Hundreds of small chunks, so that a job takes seconds and a worker is always in the midst of some. */
const CHUNK_BYTES = 8 * 1024
const SLOW = ['--chunk-size', '8KiB']
const INPUT_BYTES = 6 * 1024 * 1024
/** From the kill of a worker to the new grant of its chunk: issue 2, "Must show". */
const REGRANT_MS_MAX = 500

const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let workers: JoinedPeer[] = []

beforeAll(async () => {
  writeNoise(input, INPUT_BYTES)
  studio = await world.join('studio', ['--threads', '1'])
}, 60_000)

afterEach(async () => {
  for (const { process } of workers) process.kill('SIGCONT')
  await Promise.all(workers.map(({ process }) => process.stop()))
  workers = []
})

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

async function withWorkers(...names: readonly string[]): Promise<JoinedPeer[]> {
  for (const name of names) workers.push(await world.joinWith(studio, name))
  return workers
}

function submit(name: string, local: string): SwarmProcess {
  return world.submit('studio', input, ['--local', local, '--out', world.path(name), ...SLOW])
}

/** Waits until a job is in its midst: something merged, something out. */
function midJob(job: SwarmProcess): Promise<TimedSaid> {
  return job.until(
    ({ event, mergedBytes, leasedChunks }) =>
      event === 'progress' && Number(mergedBytes) > INPUT_BYTES / 20 && Number(leasedChunks) > 0,
    'progress in mid-job'
  )
}

async function expectRight(job: SwarmProcess): Promise<Done> {
  const done = await world.done(job)
  expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
  expect(done.chunks).toBe(INPUT_BYTES / CHUNK_BYTES)
  expect(done.peers.reduce((sum, { chunks }) => sum + chunks, 0) + done.localChunks).toBe(done.chunks)
  expect(eventsOf(job.said, 'barred')).toEqual([])
  return done
}

test('leases the chunks of a worker killed with SIGKILL again within half a second', { timeout: 60_000 }, async () => {
  const [victim] = (await withWorkers('attic', 'laptop')) as [JoinedPeer]
  const job = submit('killed', 'never')
  await midJob(job)
  const killedMs = victim.process.kill('SIGKILL')
  const regranted = await job.until(({ event }) => event === 'regranted', 'grant of a lost chunk')
  const done = await expectRight(job)
  expect(done.releases).toBeGreaterThanOrEqual(1)
  const first = eventsOf(job.said, 'released')[0]
  expect(first).toMatchObject({ peerId: victim.ready.peerId, reason: 'disconnected' })
  console.error(`kill -9 to re-grant: ${(regranted.atMs - killedMs).toFixed(0)} ms`)
  expect(regranted.atMs - killedMs).toBeLessThan(REGRANT_MS_MAX)
})

test('takes a stopped worker for lost at its time to live, and no harm comes of its late result', {
  timeout: 90_000
}, async () => {
  const [sleeper] = (await withWorkers('attic')) as [JoinedPeer]
  const job = submit('stopped', 'never')
  await midJob(job)
  const stoppedMs = sleeper.process.kill('SIGSTOP')
  const released = await job.until(({ event }) => event === 'released', 'release of the stopped worker')
  console.error(`SIGSTOP to release: ${((released.atMs - stoppedMs) / 1000).toFixed(1)} s (${String(released.reason)})`)
  expect(released.peerId).toBe(sleeper.ready.peerId)
  const regranted = job.until(({ event }) => event === 'regranted', 'grant to the new worker')
  await withWorkers('laptop')
  expect((await regranted).peerId).not.toBe(sleeper.ready.peerId)
  sleeper.process.kill('SIGCONT')
  const done = await expectRight(job)
  expect(done.releases).toBeGreaterThanOrEqual(1)
})

test('with --local auto finishes here when every worker is killed', { timeout: 60_000 }, async () => {
  const lost = await withWorkers('attic', 'laptop')
  const job = submit('alone', 'auto')
  // At once: this machine alone is through in a moment.
  await job.until(({ event }) => event === 'accepted', 'start of the job')
  for (const { process } of lost) process.kill('SIGKILL')
  const done = await expectRight(job)
  expect(done.localChunks).toBeGreaterThan(0)
})

test('with --local never waits, says so, and goes on when a worker joins', { timeout: 60_000 }, async () => {
  const lost = await withWorkers('attic', 'laptop')
  const job = submit('waiting', 'never')
  await midJob(job)
  for (const { process } of lost) process.kill('SIGKILL')
  const waiting = await job.until(({ event }) => event === 'waiting', 'word that it waits')
  expect(waiting.reason).toContain('swarm join')
  await withWorkers('cellar')
  const done = await expectRight(job)
  expect(done.localChunks).toBe(0)
  expect(done.peers.find(({ name }) => name === 'cellar')?.chunks).toBeGreaterThan(0)
})

test('gives leases back at once on Ctrl-C of a worker', { timeout: 60_000 }, async () => {
  const [leaver] = (await withWorkers('attic', 'laptop')) as [JoinedPeer]
  const job = submit('left', 'never')
  await midJob(job)
  const { exitCode, tookMs } = await leaver.process.stop('SIGINT')
  console.error(`Ctrl-C to the end of a worker: ${tookMs.toFixed(0)} ms`)
  expect(exitCode).toBe(130)
  expect(tookMs).toBeLessThan(1_000)
  expect(leftBehind(leaver.home)).toEqual([])
  await expectRight(job)
  const given = eventsOf(job.said, 'released').filter(({ peerId }) => peerId === leaver.ready.peerId)
  // What it held goes back with its last words; a grant that crossed these comes back with the connection.
  const reasons = new Set(given.map(({ reason }) => reason))
  expect([...reasons].filter((reason) => reason !== 'shutdown' && reason !== 'disconnected')).toEqual([])
})
