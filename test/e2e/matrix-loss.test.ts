import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { writeMatrix } from '../support/matrix-product.ts'
import { joinOddPeer, killWhileServing, type Operands, submitProduct, writeOperands } from '../support/matrix-swarm.ts'
import { hashFile } from '../support/reference-invert.ts'
import { type Done, eventsOf, finalNames, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

/** Some tenths of a second for the exact kernel on two threads, in about 64 tiles. */
const SHAPE = { m: 2050, k: 1030, n: 2070 }
const EXACT = ['--exact', '--local', 'never']

const world = new SwarmWorld()
let operands: Operands
let expected: string
let studio: JoinedPeer
let attic: JoinedPeer

beforeAll(async () => {
  operands = await writeOperands(world, SHAPE)
  const { m, k, n } = SHAPE
  const c = new Float32Array(m * n)
  multiplyExact({ a: operands.a, b: operands.b, c, m, k, n })
  expected = await hashFile(await writeMatrix(world.path('expected.npy'), c, { rows: m, cols: n }))
  studio = await world.join('studio')
  attic = await world.joinWith(studio, 'attic')
  await world.makeMember('desk', studio.ready.code)
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

/** Tiles are cut from the largest to come out even, so that their number says little; the bytes say all. */
async function expectRight(done: Done): Promise<void> {
  expect(await hashFile(done.outputs.result)).toBe(expected)
  expect(done.peers.reduce((sum, { chunks }) => sum + chunks, 0)).toBe(done.chunks)
}

test('gives the same bytes when a worker is killed in mid-job', { timeout: 60_000 }, async () => {
  const laptop = await world.joinWith(studio, 'laptop')
  const granted = laptop.process.untilNext(({ event }) => event === 'chunks-granted', 'grant')
  const job = submitProduct(world, 'studio', operands, 'killed', [...EXACT, '--min-peers', '2'])
  await granted
  laptop.process.kill('SIGKILL')
  const done = await world.done(job)
  await expectRight(done)
  expect(done.releases).toBeGreaterThanOrEqual(1)
  expect(eventsOf(job.said, 'released')[0]).toMatchObject({ peerId: laptop.ready.peerId, reason: 'disconnected' })
})

// Hangs in about every other run, cause not found yet (ARCHITECTURE.md, "Open"): not to be relied on.
test.skip('goes on after SIGKILL of the submitter and gives the same bytes', { timeout: 60_000 }, async () => {
  const before = eventsOf(attic.process.said, 'chunk-done').length
  const job = submitProduct(world, 'desk', operands, 'resumed', [...EXACT, '--min-peers', '1'])
  const isWorking = () => eventsOf(attic.process.said, 'chunk-done').length > before + 3
  await attic.process.until(isWorking, 'some tiles')
  // The only worker stands still until the submitter is gone, so that the job cannot be over before; what it had not
  // delivered by then it delivers in short steps, until something is durable.
  const isDurable = () => job.said.some(({ event, counters }) => event === 'progress' && chunksOf(counters) > 0)
  attic.process.kill('SIGSTOP')
  while (!(await within(2_000, isDurable))) {
    attic.process.kill('SIGCONT')
    await setTimeout(30)
    attic.process.kill('SIGSTOP')
  }
  job.kill('SIGKILL')
  await job.ended
  attic.process.kill('SIGCONT')
  expect(job.said.at(-1)?.event).not.toBe('done')
  expect(finalNames(world.path('resumed'))).toEqual([])
  const jobId = String(job.said.find(({ event }) => event === 'accepted')?.jobId)

  const resumed = world.start('desk', ['jobs', 'resume', jobId, '--json'])
  const done = await world.done(resumed)
  await expectRight(done)
  const first = eventsOf(resumed.said, 'progress')[0]
  console.error(`merged when resumed: ${Number(first?.mergedBytes)} of ${done.outputBytes} bytes`)
  expect(Number(first?.mergedBytes)).toBeGreaterThan(0)
})

test('is done without a peer that is killed while it serves operands', { timeout: 60_000 }, async () => {
  const odd = await joinOddPeer(world, studio, attic, 'silent')
  const args = [...EXACT, '--min-peers', '2']
  const job = await killWhileServing(odd, (attempt) => {
    return submitProduct(world, 'studio', operands, `served-${attempt}`, args)
  })
  await expectRight(await world.done(job))
})

/** @returns whether it came true in time */
async function within(timeMs: number, isTrue: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeMs && !isTrue(); waitedMs += 50) await setTimeout(50)
  return isTrue()
}

/** Chunks that are journalled as merged, which is what a resume finds. */
function chunksOf(counters: unknown): number {
  return Number((counters as { chunks?: number } | undefined)?.chunks ?? 0)
}
