import { open } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashDecrypted, hashExpected, writeNoise } from '../support/reference-invert.ts'
import type { SwarmProcess } from '../support/swarm-process.ts'
import { eventsOf, finalNames, type JoinedPeer, leftBehind, SwarmWorld } from '../support/swarm-world.ts'

const INPUT_BYTES = 6 * 1024 * 1024
const CHUNK_BYTES = 8 * 1024
const SLOW = ['--chunk-size', '8KiB', '--local', 'never', '--min-peers', '2']

const world = new SwarmWorld()
const input = world.path('noise.f32')
let attic: JoinedPeer

beforeAll(async () => {
  writeNoise(input, INPUT_BYTES)
  attic = await world.join('attic', ['--threads', '1'])
  await world.joinWith(attic, 'laptop')
  await world.makeMember('desk', attic.ready.code)
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

async function untilMid(job: SwarmProcess): Promise<string> {
  const progress = await job.until(
    ({ event, mergedBytes }) => event === 'progress' && Number(mergedBytes) > INPUT_BYTES / 10,
    'progress in mid-job'
  )
  return String(progress.jobId)
}

test('goes on after SIGKILL of the submitter and redoes only what was not merged', { timeout: 90_000 }, async () => {
  const out = world.path('killed')
  const job = world.submit('desk', input, [...SLOW, '--out', out])
  const jobId = await untilMid(job)
  await job.until(({ event, counters }) => event === 'progress' && mergedChunks(counters) > 0, 'durable chunk')
  const atKill = job.said.filter(({ event }) => event === 'progress').at(-1)
  job.kill('SIGKILL')
  await job.ended
  expect(finalNames(out)).toEqual([])

  const shown = await world.run('desk', ['jobs', 'show', jobId, '--json'])
  expect(shown.said[0]).toMatchObject({ state: 'open', running: false })
  const listed = await world.run('desk', ['jobs'])
  expect(listed.stdout).toContain('interrupted')

  const resumed = world.start('desk', ['jobs', 'resume', jobId, '--json'])
  const done = await world.done(resumed)
  expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
  expect(done.chunks).toBe(INPUT_BYTES / CHUNK_BYTES)
  const first = eventsOf(resumed.said, 'progress')[0]
  console.error(`merged when killed ${Number(atKill?.mergedBytes)}, when resumed ${Number(first?.mergedBytes)} bytes`)
  expect(Number(first?.mergedBytes)).toBeGreaterThan(0)
})

test('on Ctrl-C says how to resume, and that works', { timeout: 90_000 }, async () => {
  const out = world.path('interrupted')
  const job = world.start('desk', ['submit', input, '--no-mdns', ...SLOW, '--out', out])
  await job.untilStderr(' of 6.29 MB')
  const { exitCode, stderr, stdout, tookMs } = await job.stop('SIGINT')
  console.error(`Ctrl-C to the end of a submitter: ${tookMs.toFixed(0)} ms`)
  expect(exitCode).toBe(130)
  const jobId = /resume with: swarm jobs resume (\w{26})/.exec(stderr)?.[1] ?? ''
  expect(jobId).not.toBe('')
  expect(stderr.match(/resume with/g)).toHaveLength(1)
  expect(stdout).toBe('')
  expect(finalNames(out)).toEqual([])
  expect(leftBehind(world.home('desk'))).toEqual([])

  const resumed = await world.run('desk', ['jobs', 'resume', jobId])
  expect(resumed.exitCode).toBe(0)
  expect(await hashDecrypted(`${out}/result.raw.enc`)).toBe(await hashExpected(input))
})

test('on Ctrl-C of a submit through the joined process only the job stops', { timeout: 60_000 }, async () => {
  const out = world.path('attached')
  const job = world.submit('attic', input, ['--chunk-size', '8KiB', '--local', 'never', '--out', out])
  const jobId = await untilMid(job)
  const { exitCode, said } = await job.stop('SIGINT')
  expect(exitCode).toBe(130)
  expect(said.at(-1)).toMatchObject({ event: 'stopped', jobId })
  expect(attic.process.running).toBe(true)
  const done = await world.done(world.start('attic', ['jobs', 'resume', jobId, '--json']))
  expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
})

test('a cancelled job ends for good and leaves no file', { timeout: 60_000 }, async () => {
  const out = world.path('cancelled')
  const job = world.submit('attic', input, ['--chunk-size', '8KiB', '--local', 'never', '--out', out])
  const jobId = await untilMid(job)
  const cancelled = await world.run('attic', ['jobs', 'cancel', jobId])
  expect(cancelled.exitCode).toBe(0)
  const { exitCode, said } = await job.ended
  expect(said.at(-1)).toMatchObject({ event: 'cancelled', jobId })
  expect(exitCode).toBe(1)
  expect(finalNames(out)).toEqual([])
  const resumed = await world.run('attic', ['jobs', 'resume', jobId])
  expect(resumed.stderr).toContain('cancelled')
  expect(resumed.exitCode).not.toBe(0)
})

test('a job whose input changes on the way ends and says so', { timeout: 60_000 }, async () => {
  const changing = world.path('changing.f32')
  const out = world.path('changed')
  writeNoise(changing, INPUT_BYTES)
  const job = world.submit('attic', changing, ['--chunk-size', '8KiB', '--local', 'never', '--out', out])
  const jobId = await untilMid(job)
  {
    // In place: a file that is cut short on the way cannot be read at all.
    await using file = await open(changing, 'r+')
    await file.write(Buffer.alloc(INPUT_BYTES, 9), 0, INPUT_BYTES, 0)
  }
  const { exitCode, said } = await job.ended
  expect(said.at(-1)).toMatchObject({ event: 'failed', jobId, code: 'INPUT_CHANGED' })
  expect(said.at(-1)?.message).toContain(changing)
  expect(exitCode).toBe(1)
  expect(finalNames(out)).toEqual([])
})

/** Chunks that are journalled as merged, which is what a resume finds. */
function mergedChunks(counters: unknown): number {
  return Number((counters as { chunks?: number } | undefined)?.chunks ?? 0)
}
