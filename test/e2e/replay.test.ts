import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobView, ReplayView } from '../../src/app/api-types.ts'
import { hashDecrypted, hashExpected, writeNoise } from '../support/reference-invert.ts'
import type { Ended } from '../support/swarm-process.ts'
import { type Done, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

const MIB = 1024 * 1024
const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let original: Done

beforeAll(async () => {
  writeNoise(input, 2 * MIB + 4)
  studio = await world.join('studio')
  await world.joinWith(studio, 'attic')
  await world.makeMember('desk', studio.ready.code)
  const args = ['--local', 'never', '--chunk-size', '256KiB', '--out', world.path('first')]
  original = await world.done(world.submit('studio', input, args))
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

function replay(home: string, jobId: string, out: string): Promise<Ended> {
  return world.run(home, ['jobs', 'replay', jobId, '--out', world.path(out), '--no-mdns', '--json'])
}

function comparisonOf({ said, stderr }: Ended): ReplayView {
  const last = said.at(-1)
  if (last?.event !== 'replayed') throw new Error(`the replay ended with ${JSON.stringify(last)}\n${stderr}`)
  return last as unknown as ReplayView
}

async function listed(home: string): Promise<readonly JobView[]> {
  const { stdout } = await world.run(home, ['jobs', '--json'])
  return (JSON.parse(stdout) as { jobs: JobView[] }).jobs
}

describe('a job replayed through the joined process', () => {
  test('runs again as it ran, and its result is the same; so does a replay of the replay', async () => {
    const ended = await replay('studio', original.jobId, 'second')
    expect(ended.exitCode).toBe(0)
    const view = comparisonOf(ended)
    expect(view.result).toEqual({
      compared: true,
      equal: true,
      originalBytes: 2 * MIB + 4,
      replayBytes: 2 * MIB + 4
    })
    expect(view.mustBeEqual).toBe(true)
    expect(view.original.jobId).toBe(original.jobId)
    expect(view.replay.jobId).not.toBe(original.jobId)
    expect(view.replay.figures).toMatchObject({ local: 'never', chunks: 9, localChunks: 0, peerCount: 1 })
    expect(view.ratios.totalMs).toBeGreaterThan(0)
    expect(await hashDecrypted(`${world.path('second')}/result.raw.enc`)).toBe(await hashExpected(input))

    const again = await replay('studio', view.replay.jobId, 'third')
    expect(again.exitCode).toBe(0)
    expect(comparisonOf(again)).toMatchObject({ original: { jobId: view.replay.jobId }, result: { equal: true } })
  })

  test('is in the list with its figures, while the process runs and after', async () => {
    const figures = {
      dimensions: { samples: (2 * MIB + 4) / 4 },
      chunks: 9,
      localChunks: 0,
      peerCount: 1,
      peers: [{ name: 'attic', chunks: 9 }],
      kernelId: 'invert-f32-1'
    }
    const find = async () => (await listed('studio')).find(({ jobId }) => jobId === original.jobId)
    const running = await find()
    expect(running).toMatchObject({ state: 'done', figures })
    expect(running?.figures?.totalMs).toBeGreaterThan(0)
    expect(running?.figures?.bytesPerSecond).toBeGreaterThan(0)
    expect(running?.figures?.efficiency).toBeGreaterThan(0)
    await studio.process.stop()
    expect(await find()).toEqual(running)
    studio = await world.join('studio')
    await world.joinWith(studio, 'cellar')
  })
})

describe('a job replayed by a peer that lives as long as the job', () => {
  let job: Done

  beforeAll(async () => {
    const args = ['--local', 'only', '--no-encrypt', '--no-reverse', '--out', world.path('plain')]
    job = await world.done(world.submit('desk', input, args))
  }, 30_000)

  test('exits with 3 and says where when the result differs', async () => {
    const bytes = readFileSync(job.outputs.result)
    bytes[1_000_001] = (bytes[1_000_001] ?? 0) ^ 1
    writeFileSync(job.outputs.result, bytes)
    const ended = await replay('desk', job.jobId, 'plain-differs')
    expect(ended.exitCode).toBe(3)
    expect(comparisonOf(ended).result).toMatchObject({ equal: false, firstDifferenceByte: 1_000_001 })
  })
})
