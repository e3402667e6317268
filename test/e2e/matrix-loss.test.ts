import { afterAll, beforeAll, expect, test } from 'vitest'
import { multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { writeMatrix } from '../support/matrix-product.ts'
import { joinOddPeer, killWhileServing, type Operands, submitProduct, writeOperands } from '../support/matrix-swarm.ts'
import { hashFile } from '../support/reference-invert.ts'
import { type Done, eventsOf, finalNames, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

/** Some tenths of a second for the exact kernel on two threads, in about 64 tiles. */
const SHAPE = { m: 2050, k: 1030, n: 2070 }
const ATTEMPTS_MAX = 5
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

test('goes on after SIGKILL of the submitter and gives the same bytes', { timeout: 60_000 }, async () => {
  const jobId = await killInMidJob()
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

/** Kills a submitter once something is durable. One that was done before is no use, so it is tried again. */
async function killInMidJob(): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const out = `resumed-${attempt}`
    const job = submitProduct(world, 'desk', operands, out, [...EXACT, '--min-peers', '1'])
    const isDurable = (event: unknown, counters: unknown) => event === 'progress' && chunksOf(counters) > 0
    await job.until(({ event, counters }) => event === 'done' || isDurable(event, counters), 'durable chunk')
    job.kill('SIGKILL')
    await job.ended
    if (finalNames(world.path(out)).length > 0) continue
    return String(job.said.find(({ event }) => event === 'accepted')?.jobId)
  }
  throw new Error(`${ATTEMPTS_MAX} jobs were done before their submitter could be killed`)
}

/** Chunks that are journalled as merged, which is what a resume finds. */
function chunksOf(counters: unknown): number {
  return Number((counters as { chunks?: number } | undefined)?.chunks ?? 0)
}
