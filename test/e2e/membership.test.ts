import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeNoise } from '../support/reference-invert.ts'
import { type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

/** Time for a refusal: issue 2, "Must show". */
const REFUSED_MS_MAX = 1_000

const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let other: JoinedPeer

beforeAll(async () => {
  writeNoise(input, 64 * 1024)
  studio = await world.join('studio')
  other = await world.join('other')
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

test('a stranger without a code is told how to become a member', async () => {
  const { exitCode, stderr } = await world.run('stranger', ['submit', input])
  expect(exitCode).toBe(4)
  expect(stderr).toContain('swarm join CODE')
})

test('a member of another swarm is refused and learns nothing', { timeout: 60_000 }, async () => {
  const { code } = other.ready
  const outsider = await world.makeMember('outsider', code)
  const held = world.submit('studio', input, ['--local', 'never', '--out', world.path('out')])
  await held.until(({ event }) => event === 'progress', 'an open job')

  const address = studio.ready.addresses[0] ?? ''
  const startedMs = performance.now()
  const refused = world.submit('outsider', input, ['--peer', address, '--out', world.path('stolen')])
  const { exitCode, said } = await refused.ended
  const tookMs = performance.now() - startedMs
  console.error(`refusal of a member of another swarm, with the start of the program: ${tookMs.toFixed(0)} ms`)
  expect(exitCode).toBe(4)
  expect(said.at(-1)).toMatchObject({ event: 'error', code: 'NOT_A_MEMBER' })
  expect(said.at(-1)?.message).toContain('swarm join CODE')

  const ledger = await world.run('outsider', ['ledger', '--json'])
  expect(ledger.said[0]).toMatchObject({ rows: [], receipts: 0 })
  const peers = await world.run('outsider', ['peers', '--json'])
  expect(peers.stdout).not.toContain(studio.ready.peerId)
  expect(studio.process.stdout).not.toContain('outsider')
  expect(studio.process.said.filter(({ event }) => event === 'peer-connected')).toEqual([])
  expect(outsider).toBe(world.home('outsider'))
  await held.stop()
})

test('a joined member of another swarm is refused through its running process within a second', async () => {
  const startedMs = performance.now()
  const address = studio.ready.addresses[0] ?? ''
  const { exitCode, stderr } = await world.run('other', ['submit', input, '--peer', address])
  const tookMs = performance.now() - startedMs
  console.error(`refusal through a joined process: ${tookMs.toFixed(0)} ms`)
  expect(exitCode).toBe(4)
  expect(stderr).toContain('another swarm')
  expect(tookMs).toBeLessThan(REFUSED_MS_MAX)
})

test('a join code with a typing error is named as such', async () => {
  const { code } = studio.ready
  const at = code.length - 10
  const typo = code.slice(0, at) + (code[at] === 'q' ? 'p' : 'q') + code.slice(at + 1)
  for (const wrong of [typo, code.slice(0, -3), 'hello']) {
    const { exitCode, stderr } = await world.run('mistyped', ['join', '-'], { input: wrong })
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/join code/)
    expect(stderr).not.toContain(code)
  }
})

test('a second process on one home is told who has it', async () => {
  const { exitCode, stderr } = await world.run('studio', ['join', '--no-mdns'])
  expect(exitCode).toBe(75)
  expect(stderr).toContain(`process ${studio.process.pid}`)
})

test('a job that finds no peers says so and what to do', { timeout: 30_000 }, async () => {
  const { exitCode, said } = await world.submit('studio', input, [
    '--local',
    'never',
    '--wait',
    '1',
    '--out',
    world.path('none')
  ]).ended
  expect(exitCode).toBe(69)
  expect(said.at(-1)).toMatchObject({ event: 'failed', code: 'NO_PEERS' })
  expect(said.at(-1)?.message).toContain('swarm join')
})
