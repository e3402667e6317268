import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLyingPeer } from '../support/lying-peer.ts'
import { largestErrorShare, readMatrix } from '../support/matrix-product.ts'
import { joinOddPeer, type Operands, submitProduct, submitUntilAsked, writeOperands } from '../support/matrix-swarm.ts'
import { type Done, eventsOf, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

const SHAPE = { m: 1000, k: 500, n: 1000 }

const world = new SwarmWorld()
let operands: Operands
let studio: JoinedPeer

beforeAll(async () => {
  operands = await writeOperands(world, SHAPE)
  studio = await world.join('studio')
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

async function expectRight({ outputs }: Done): Promise<void> {
  const { elements } = await readMatrix(outputs.result)
  expect(largestErrorShare(elements, operands, SHAPE)).toBeLessThanOrEqual(1)
}

test('bars a worker that returns a false tile, keeps the evidence, and gives the right product', {
  timeout: 60_000
}, async () => {
  const liar = await startLyingPeer(world.home('liar'), studio.ready.code)
  try {
    const job = submitProduct(world, 'studio', operands, 'lied', ['--local', 'never'])
    const barred = await job.until(({ event }) => event === 'barred', 'bar of the liar')
    expect(barred.peerId).toBe(liar.peerId)
    expect(barred.reason).toMatch(/in the tile at row \d+, column \d+: /)
    expect(existsSync(String(barred.evidence))).toBe(true)
    const honest = await world.joinWith(studio, 'honest')
    const done = await world.done(job)
    await expectRight(done)
    expect(done.peers.filter(({ chunks }) => chunks > 0).map(({ name }) => name)).toEqual(['honest'])
    const ledger = await world.run('studio', ['ledger', '--json'])
    expect(ledger.stdout).not.toContain(liar.peerId)
    await honest.process.stop()
  } finally {
    await liar.stop()
  }
})

test('names a peer that serves false operands, and gives the right product', { timeout: 120_000 }, async () => {
  const attic = await world.joinWith(studio, 'attic')
  const odd = await joinOddPeer(world, studio, attic, 'false')
  const job = await submitUntilAsked(odd, (attempt) =>
    submitProduct(world, 'studio', operands, `served-${attempt}`, ['--local', 'never', '--min-peers', '2'])
  )
  const refused = await attic.process.until(({ event }) => event === 'operand-refused', 'word of false operands')
  expect(refused.peerId).toBe(odd.ready.peerId)
  await expectRight(await world.done(job))
  expect(eventsOf(job.said, 'barred')).toEqual([])
})
