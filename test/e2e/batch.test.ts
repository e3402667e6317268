import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTone } from '../support/audio-tones.ts'
import { hashFile } from '../support/reference-invert.ts'
import type { Ended, SwarmProcess } from '../support/swarm-process.ts'
import { eventsOf, finalNames, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
const BROKEN = 'f'
const EFFECTS = ['--effects', 'highpass 80, normalize -16LUFS']
const LISTEN = ['--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0']
const LONG_SECONDS = 240
const world = new SwarmWorld()
let studio: JoinedPeer

beforeAll(async () => {
  mkdirSync(world.path('in'))
  for (const [index, name] of NAMES.entries()) {
    writeTone(world.path(`in/${name}.wav`), 200 + 100 * index, 0.5)
  }
  writeFileSync(world.path(`in/${BROKEN}.wav`), 'RIFF????WAVEfmt ')
  studio = await world.join('studio')
  await world.makeMember('desk', studio.ready.code)
  await world.joinWith(studio, 'attic')
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

function start(home: string, args: readonly string[]): SwarmProcess {
  return world.start(home, ['batch', ...args, ...(home === 'desk' ? LISTEN : [])])
}

function lastOf({ said, stderr }: Ended) {
  const last = said.at(-1)
  if (last?.event !== 'batch') throw new Error(`the batch ended with ${JSON.stringify(last)}\n${stderr}`)
  return last
}

describe('a batch of twelve files with a broken one among them', () => {
  const args = ['in', ...EFFECTS, '--out', 'out', '--local', 'only']

  test('gives eleven results and one clear error, and exits 1', async () => {
    const ended = await start('desk', [...args, '--json']).ended
    expect(lastOf(ended)).toMatchObject({ done: 11, failed: 1, skipped: 0, left: 0 })
    expect(ended.exitCode).toBe(1)
    expect(eventsOf(ended.said, 'done')).toHaveLength(11)
    expect(eventsOf(ended.said, 'failed')).toMatchObject([
      { file: `in/${BROKEN}.wav`, code: 'WAV_MALFORMED', message: expect.stringContaining('at byte 12') }
    ])
    for (const name of NAMES) {
      const files = finalNames(world.path(`out/${name}`))
      if (name === BROKEN) expect(files).toEqual([])
      else expect(files).toEqual(expect.arrayContaining(['job.json', 'ledger.bin', 'result.wav']))
    }
  })

  test('each as submit would leave it', async () => {
    const submitted = ['--task', 'wav', ...EFFECTS, '--out', world.path('submitted'), '--local', 'only']
    const done = await world.done(world.submit('desk', world.path('in/c.wav'), submitted))
    expect(await hashFile(world.path('out/c/result.wav'))).toBe(await hashFile(done.outputs.result))
    expect(readdirSync(world.path('out/c')).sort()).toEqual(readdirSync(world.path('submitted')).sort())
  })

  test('does nothing the second time but try what failed', async () => {
    const hashes = () =>
      Promise.all(NAMES.filter((name) => name !== BROKEN).map((name) => hashFile(world.path(`out/${name}/job.json`))))
    const before = await hashes()
    const { exitCode, stdout, stderr } = await start('desk', args).ended
    expect(stdout).toContain('0 done, 1 failed, 11 skipped of 12 files')
    expect(stdout).toMatch(/in\/a\.wav +skipped \(done\)\n/)
    expect(stdout).toMatch(/in\/f\.wav +failed +.*at byte 12.*\(WAV_MALFORMED\)/)
    expect(stderr).toContain('skipped (done) 1/12 in/a.wav')
    expect(exitCode).toBe(1)
    expect(await hashes()).toEqual(before)
  })

  test('says so when nothing is left to do', async () => {
    const { exitCode, stdout } = await start('desk', ['in/[abc].wav', ...args.slice(1)]).ended
    expect(stdout).toContain('0 done, 0 failed, 3 skipped of 3 files')
    expect(exitCode).toBe(0)
  })
})

test('a batch through the joined process is computed by its peers', async () => {
  const args = ['in/[abc].wav', ...EFFECTS, '--out', 'shared', '--local', 'never', '--min-peers', '1', '--json']
  const ended = await start('studio', args).ended
  const { files } = lastOf(ended) as unknown as { files: object[] }
  expect(files).toMatchObject(['a', 'b', 'c'].map((name) => ({ file: `in/${name}.wav`, state: 'done', peerShare: 1 })))
  expect(ended.exitCode).toBe(0)
  expect(await hashFile(world.path('shared/b/result.wav'))).toBe(await hashFile(world.path('out/b/result.wav')))
})

test('a batch of bytes takes any file', async () => {
  mkdirSync(world.path('bytes'))
  writeFileSync(world.path('bytes/x.raw'), new Uint8Array(1024))
  writeFileSync(world.path('bytes/y'), new Uint8Array(1024))
  const args = ['bytes', '--task', 'invert', '--out', 'inverted', '--local', 'only', '--json']
  expect(lastOf(await start('desk', args).ended)).toMatchObject({ done: 2, failed: 0 })
  expect(existsSync(world.path('inverted/x/result.raw.enc'))).toBe(true)
  expect(lastOf(await start('desk', args).ended)).toMatchObject({ done: 0, skipped: 2 })
})

test('a batch that was interrupted goes on with its job the next time', async () => {
  writeTone(world.path('long.wav'), 300, LONG_SECONDS)
  const args = ['long.wav', 'in/a.wav', '--effects', 'highpass 80, reverb 30', '--out', 'long', '--jobs', '1']
  const only = [...args, '--local', 'only', '--json']
  const running = start('desk', only)
  await running.until(({ event, file }) => event === 'progress' && file === 'long.wav', 'progress of the long file')
  const stopped = await running.stop()
  expect(stopped.exitCode).toBe(130)
  const end = eventsOf(stopped.said, 'stopped')[0]
  expect(lastOf(stopped)).toMatchObject({ failed: 0, left: 1 })
  expect(readdirSync(join(world.folder, 'long', 'long'))).toEqual([`.result.wav.${end?.jobId}.partial`])
  const again = await start('desk', only).ended
  expect(eventsOf(again.said, 'done').find(({ file }) => file === 'long.wav')).toMatchObject({ jobId: end?.jobId })
  expect(lastOf(again)).toMatchObject({ failed: 0, left: 0 })
  expect(again.exitCode).toBe(0)
})
