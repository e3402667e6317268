import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { hashDecrypted, hashExpected, writeNoise } from '../support/reference-invert.ts'
import { finalNames, SwarmWorld } from '../support/swarm-world.ts'

const MIB = 1024 * 1024
const world = new SwarmWorld()
const disk = world.path('disk')
let mounted = false

afterEach(() => {
  if (mounted) spawnSync('umount', [disk])
  mounted = false
})

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

test('says that the disk is full, waits, and goes on once there is room', { timeout: 60_000 }, async ({ skip }) => {
  await mkdir(disk)
  mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'ignore' }).status === 0
  if (!mounted) skip('a tmpfs cannot be mounted here')
  const ballast = join(disk, 'ballast')
  writeNoise(ballast, 5 * MIB)
  const input = world.path('noise.f32')
  writeNoise(input, 6 * MIB)
  const studio = await world.join('studio')
  const out = join(disk, 'out')

  const job = world.submit('studio', input, ['--local', 'only', '--out', out])
  const notice = await job.until(({ event }) => event === 'notice', 'notice of a full disk')
  expect(notice.message).toContain('full')
  expect(finalNames(out)).toEqual([])
  rmSync(ballast)
  const done = await world.done(job)
  expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
  expect(studio.process.running).toBe(true)
})
