import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LyingPeer, startLyingPeer } from '../support/lying-peer.ts'
import { hashDecrypted, hashExpected, writeNoise } from '../support/reference-invert.ts'
import { eventsOf, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let liar: LyingPeer

beforeAll(async () => {
  writeNoise(input, 1024 * 1024)
  studio = await world.join('studio')
  liar = await startLyingPeer(world.home('liar'), studio.ready.code)
}, 60_000)

afterAll(async () => {
  await liar.stop()
  expect(await world.close()).toEqual([])
}, 30_000)

test('bars a worker that returns false bytes, keeps the evidence, and gives the right result', {
  timeout: 60_000
}, async () => {
  const args = ['--local', 'never', '--chunk-size', '64KiB', '--out', world.path('out')]
  const job = world.submit('studio', input, args)
  const barred = await job.until(({ event }) => event === 'barred', 'bar of the liar')
  expect(barred.peerId).toBe(liar.peerId)
  expect(barred.reason).toContain('sample')
  expect(existsSync(String(barred.evidence))).toBe(true)

  await world.joinWith(studio, 'honest')
  const done = await world.done(job)
  expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
  expect(done.chunks).toBe(16)
  expect(done.peers.filter(({ chunks }) => chunks > 0).map(({ name }) => name)).toEqual(['honest'])
  expect(eventsOf(job.said, 'barred').every(({ peerId }) => peerId === liar.peerId)).toBe(true)

  const ledger = await world.run('studio', ['ledger', '--json'])
  expect(ledger.stdout).not.toContain(liar.peerId)
})
