import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLyingPeer } from '../support/lying-peer.ts'
import type { SwarmProcess } from '../support/swarm-process.ts'
import { type Done, eventsOf, finalNames, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { hashOf, writeSpeechLike } from '../support/wav-file.ts'

/** Two passes: the second needs what the first measured over the whole file. */
const CHAIN = 'highpass 80, eq 3k 1.2q -4, compress -18 3, reverb 20, normalize -16LUFS'
const NEVER = ['--local', 'never', '--min-peers', '2']

const world = new SwarmWorld()
const input = world.path('show.wav')
let studio: JoinedPeer
let alone: Done
let expected: string

beforeAll(async () => {
  writeSpeechLike(input, { seconds: 40 })
  studio = await world.join('studio')
  await world.joinWith(studio, 'attic')
  await world.joinWith(studio, 'laptop')
  await world.makeMember('desk', studio.ready.code)
  alone = await world.done(effects('alone', ['--local', 'only']))
  expected = await hashOf(alone.outputs.result)
}, 90_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

function effects(out: string, args: readonly string[], home = 'studio'): SwarmProcess {
  return world.submit(home, input, ['--task', 'wav', '--effects', CHAIN, '--out', world.path(out), ...args])
}

/** Submits until a peer is granted chunks, and kills it with SIGKILL at once. @returns the job that it was killed in */
async function killWhileGranted(
  peer: JoinedPeer,
  submit: (attempt: number) => SwarmProcess,
  attempts = 5
): Promise<SwarmProcess> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const granted = peer.process.untilNext(({ event }) => event === 'chunks-granted', 'grant').then(() => true)
    granted.catch(() => undefined)
    const job = submit(attempt)
    if (!(await Promise.race([granted, job.ended.then(() => false)]))) continue
    peer.process.kill('SIGKILL')
    return job
  }
  throw new Error(`${peer.name} was granted nothing in ${attempts} jobs`)
}

function durableChunks(counters: unknown): number {
  return (counters as { readonly chunks: number }).chunks
}

/** The manifest of a job, as far as these tests look. */
function manifestOf(done: Done): {
  readonly params: { readonly chain: string }
  readonly findings: {
    readonly before: { readonly durationSeconds: number }
    readonly after: { readonly loudnessLufs: number }
  }
} {
  return JSON.parse(readFileSync(done.outputs.manifest, 'utf8'))
}

describe('a chain of two passes', () => {
  test.for([
    ['over two peers', 'two', NEVER],
    ['in chunks of one segment', 'small', [...NEVER, '--chunk-size', '64KiB']]
  ] as const)('gives the same bytes %s', { timeout: 60_000 }, async ([, out, args]) => {
    const done = await world.done(effects(out, args))
    expect(await hashOf(done.outputs.result)).toBe(expected)
    expect(done.peers.reduce((sum, { chunks }) => sum + chunks, 0) + done.localChunks).toBe(done.chunks)
    expect(done.localChunks).toBe(0)
  })

  test('gives the same bytes when a worker is killed in mid-job', { timeout: 60_000 }, async () => {
    const cellar = await world.joinWith(studio, 'cellar')
    const job = await killWhileGranted(cellar, (attempt) =>
      effects(`killed-${attempt}`, ['--local', 'never', '--min-peers', '3', '--chunk-size', '64KiB'])
    )
    const done = await world.done(job)
    expect(await hashOf(done.outputs.result)).toBe(expected)
    expect(eventsOf(job.said, 'released')[0]).toMatchObject({ peerId: cellar.ready.peerId, reason: 'disconnected' })
  })

  test.for([
    ['first', 0.2],
    ['second', 0.7]
  ] as const)('goes on after SIGKILL of the submitter in the %s pass', { timeout: 60_000 }, async ([pass, share]) => {
    const job = effects(`resumed-${pass}`, ['--local', 'only', '--chunk-size', '64KiB', '--threads', '1'], 'desk')
    // What is placed need not be durable yet; what is counted as a chunk is.
    const seen = await job.until(
      ({ event, mergedBytes, inputBytes, counters }) =>
        event === 'progress' && Number(mergedBytes) > share * Number(inputBytes) && durableChunks(counters) > 0,
      'progress in mid-job'
    )
    job.kill('SIGKILL')
    await job.ended
    expect(finalNames(world.path(`resumed-${pass}`))).toEqual([])
    const resumed = world.start('desk', ['jobs', 'resume', String(seen.jobId), '--json'])
    const done = await world.done(resumed)
    expect(await hashOf(done.outputs.result)).toBe(expected)
    const first = eventsOf(resumed.said, 'progress')[0]
    expect(Number(first?.mergedBytes)).toBeGreaterThan(0)
  })

  test('says in job.json what was done and measured, and draws it', () => {
    const { findings, params } = manifestOf(alone)
    expect(params.chain).toBe('highpass 80, eq 3000 1.2q -4, compress -18 3, reverb 20, normalize -16LUFS')
    expect(findings.before.durationSeconds).toBe(40)
    expect(findings.after.loudnessLufs).toBeCloseTo(-16, 0)
    expect(finalNames(world.path('alone')).sort()).toEqual([
      'job.json',
      'ledger.bin',
      'result.wav',
      'spectrogram.png',
      'waveform.svg'
    ])
  })
})

test('bars a worker that returns false audio', { timeout: 60_000 }, async () => {
  const liar = await startLyingPeer(world.home('liar'), studio.ready.code)
  try {
    const lies = new Set<unknown>()
    // A job is short enough for two honest peers to take all of it.
    for (let attempt = 0; lies.size === 0 && attempt < 5; attempt++) {
      const job = effects(`lied-${attempt}`, ['--local', 'never', '--min-peers', '3', '--chunk-size', '64KiB'])
      const done = await world.done(job)
      expect(await hashOf(done.outputs.result)).toBe(expected)
      expect(done.peers.filter(({ chunks }) => chunks > 0).map(({ peerId }) => peerId)).not.toContain(liar.peerId)
      for (const { peerId } of eventsOf(job.said, 'barred')) lies.add(peerId)
    }
    expect([...lies]).toEqual([liar.peerId])
  } finally {
    await liar.stop()
  }
})

test('finds silence over two peers, and writes a label track', { timeout: 60_000 }, async () => {
  const silence = (out: string, args: readonly string[]) =>
    world.done(
      world.submit('studio', input, ['--task', 'silence', '--min-silence', '300ms', '--out', world.path(out), ...args])
    )
  const swarm = await silence('silence', NEVER)
  const alone = await silence('silence-alone', ['--local', 'only'])
  expect(await hashOf(swarm.outputs.result)).toBe(await hashOf(alone.outputs.result))
  const report = JSON.parse(readFileSync(swarm.outputs.result, 'utf8')) as {
    readonly silences: readonly { readonly start: number; readonly end: number }[]
  }
  // 0.4 s in each 2 s, from 1.6 s on.
  expect(report.silences).toHaveLength(20)
  for (const [index, { start, end }] of report.silences.entries()) {
    expect(Math.abs(start - (2 * index + 1.6))).toBeLessThanOrEqual(0.15)
    expect(Math.abs(end - (2 * index + 2))).toBeLessThanOrEqual(0.15)
  }
  expect(readFileSync(world.path('silence/labels.txt'), 'utf8').split('\n')[0]).toMatch(/^0\.000000\t\d\.\d{6}\tsound$/)
})

test('refuses a chain that makes no sense, and a file that is no sound', { timeout: 60_000 }, async () => {
  const wrong = await world.run('studio', ['submit', input, '--task', 'wav', '--effects', 'highpas 80'])
  expect(wrong).toMatchObject({ exitCode: 2 })
  expect(wrong.stderr).toContain('highpass')
  const noSound = await world.run('studio', ['submit', import.meta.filename, '--task', 'wav'])
  expect(noSound.exitCode).toBe(2)
  expect(noSound.stderr).toContain('wav.test.ts')
})
