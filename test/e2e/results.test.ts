import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  hashDecrypted,
  hashDecryptedByOpenssl,
  hashExpected,
  hashFile,
  writeNoise
} from '../support/reference-invert.ts'
import { type JoinedPeer, leftBehind, SwarmWorld } from '../support/swarm-world.ts'

const MIB = 1024 * 1024
const world = new SwarmWorld()
const input = world.path('noise.f32')
let studio: JoinedPeer
let attic: JoinedPeer

beforeAll(async () => {
  writeNoise(input, 8 * MIB + 4)
  studio = await world.join('studio')
  attic = await world.joinWith(studio, 'attic')
  await world.joinWith(studio, 'laptop')
  await world.makeMember('desk', studio.ready.code)
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

describe('a job through the joined process of its home', () => {
  test.for(['never', 'auto', 'only'])('with --local %s gives the bytes of one machine', async (local, { skip }) => {
    const out = world.path(`out-${local}`)
    const done = await world.done(world.submit('studio', input, ['--local', local, '--out', out]))
    expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
    expect(done.chunks).toBeGreaterThan(0)
    if (local === 'never') expect(done.localChunks).toBe(0)
    if (local === 'only') expect(done.localChunks).toBe(done.chunks)
    const byOpenssl = await hashDecryptedByOpenssl(done.outputs.result)
    if (byOpenssl === undefined) skip('there is no openssl here')
    expect(byOpenssl).toBe(await hashExpected(input))
  })

  test('counts what each peer did', async () => {
    const done = await world.done(world.submit('studio', input, ['--local', 'never', '--out', world.path('counted')]))
    const byPeers = done.peers.reduce((sum, { chunks }) => sum + chunks, 0)
    expect(byPeers + done.localChunks).toBe(done.chunks)
    expect(done.peers.map(({ name }) => name).sort()).toEqual(['attic', 'laptop'])
    expect(done.efficiency).toBeGreaterThan(0)
    expect(done.efficiency).toBeLessThanOrEqual(100)
  })

  test('leaves the result plain and in order when asked', async () => {
    const out = world.path('plain')
    const args = ['--local', 'never', '--no-encrypt', '--no-reverse', '--out', out]
    const done = await world.done(world.submit('studio', input, args))
    expect(done.outputs.result).toBe(`${out}/result.raw`)
    expect(await hashFile(done.outputs.result)).toBe(await hashExpected(input, { reverse: false }))
  })

  test('encrypts with the key of --key-file', async () => {
    const keyFile = world.path('key.bin')
    writeFileSync(keyFile, Buffer.alloc(32, 7))
    const args = ['--key-file', keyFile, '--out', world.path('keyed')]
    const done = await world.done(world.submit('studio', input, args))
    expect(await hashDecrypted(done.outputs.result, keyFile)).toBe(await hashExpected(input))
  })

  test('goes on by itself with --detach and can be watched', async () => {
    const out = world.path('detached')
    const detached = await world.submit('studio', input, [
      '--detach',
      '--local',
      'never',
      '--chunk-size',
      '8KiB',
      '--out',
      out
    ]).ended
    expect(detached).toMatchObject({ exitCode: 0, said: [{ event: 'accepted' }] })
    const jobId = String(detached.said[0]?.jobId)
    const watched = await world.run('studio', ['jobs', 'watch', jobId, '--json'])
    expect(watched).toMatchObject({ exitCode: 0 })
    expect(watched.said.at(-1)).toMatchObject({ event: 'done', jobId })
    expect(await hashDecrypted(`${out}/result.raw.enc`)).toBe(await hashExpected(input))
  })

  test('keeps every bit of NaNs, infinities and negative zeros', async () => {
    const special = world.path('special.f32')
    const words = [0x7fc00000, 0xffc00001, 0x7f800001, 0xffbfffff, 0x7f800000, 0xff800000, 0x80000000, 0, 1, 0x80000001]
    writeFileSync(special, Buffer.from(Uint32Array.from(words).buffer))
    for (const local of ['never', 'only']) {
      const args = ['--local', local, '--no-encrypt', '--out', world.path(`special-${local}`)]
      const done = await world.done(world.submit('studio', special, args))
      const found = readFileSync(done.outputs.result)
      const expected = words.reverse().map((word) => (word ^ 0x80000000) >>> 0)
      expect([...new Uint32Array(found.buffer, found.byteOffset, words.length)]).toEqual(expected)
      words.reverse()
    }
  })
})

describe('a job through a peer that lives as long as the job', () => {
  test('gives the bytes of one machine', async () => {
    const args = ['--local', 'never', '--min-peers', '2', '--out', world.path('one-off')]
    const done = await world.done(world.submit('desk', input, args))
    expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(input))
    expect(done.localChunks).toBe(0)
    expect(leftBehind(world.home('desk'))).toEqual([])
  })

  test('takes a file of one sample', async () => {
    const tiny = world.path('tiny.f32')
    writeNoise(tiny, 4)
    for (const local of ['never', 'auto']) {
      const done = await world.done(
        world.submit('desk', tiny, ['--local', local, '--out', world.path(`tiny-${local}`)])
      )
      expect(await hashDecrypted(done.outputs.result)).toBe(await hashExpected(tiny))
      expect(done.chunks).toBe(1)
    }
  })
})

describe('a file that no job can take', () => {
  test('an empty one is told so', async () => {
    const empty = world.path('empty.f32')
    writeFileSync(empty, '')
    const { exitCode, stderr } = await world.run('desk', ['submit', empty, '--no-mdns'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/0 bytes/)
  })

  test('one of an odd length is told its length and what to do', async () => {
    const odd = world.path('odd.f32')
    writeNoise(odd, 1_003)
    const { exitCode, stderr } = await world.run('studio', ['submit', odd])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/1003|1,003/)
    expect(stderr).toMatch(/pad|cut|truncate|convert/)
  })

  test('one that is not there is named', async () => {
    const { exitCode, stderr } = await world.run('studio', ['submit', world.path('nowhere.f32')])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('nowhere.f32')
  })
})

test('the key is for its owner alone', () => {
  expect(statSync(world.path('out-never/encryption_key.bin')).mode & 0o777).toBe(0o600)
  expect(attic.ready.peerId).not.toBe(studio.ready.peerId)
})
