import { createDecipheriv } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SubmitRequest, SwarmApp } from '../../src/app/api-types.ts'
import { openApp } from '../../src/app/compose.ts'
import type { AudioRequest } from '../../src/domain/job.ts'
import { riffChunk, wavBytes } from '../support/audio-files.ts'
import { encodeAudio } from '../support/audio-plans.ts'
import { noise } from '../tasks/wav/effects/chain-runs.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-audio-app-'))
const inputPath = join(folder, 'show.wav')
const info = riffChunk('LIST', Buffer.from('INFOINAM\x05\x00\x00\x00show\x00\x00', 'latin1'))
const CHAIN = 'highpass 80, dc-offset, eq 1000 1.2q -4, normalize -16LUFS, reverse'
const { signal } = new AbortController()
let studio: SwarmApp
let attic: SwarmApp
let runs = 0

async function run(app: SwarmApp, task: string, audio: Partial<AudioRequest>, changes: Partial<SubmitRequest> = {}) {
  const outDir = join(folder, `out-${runs++}`)
  const how = { local: 'only', minPeers: 0, waitMs: 20_000, detach: false, peers: [] } as const
  const request = { inputPath, task, outRoot: folder, outDir, audio: { folder, ...audio }, ...how, ...changes }
  for await (const event of app.submit(request, { signal })) {
    if (event.event === 'done') return { outDir, done: event }
    if (event.event === 'failed' || event.event === 'stopped') throw new Error(JSON.stringify(event))
  }
  throw new Error('the job ended without a word')
}

beforeAll(async () => {
  const samples = noise(1, 2, 8000 * 12, 0.3).map((channel) => channel.fill(0, 20_000, 44_000))
  const audio = encodeAudio(samples, 's16')
  writeFileSync(
    inputPath,
    wavBytes({ encoding: 's16', channels: 2, sampleRate: 8000, audio, before: [info], after: [info] })
  )
  const open = (name: string, code?: string) => {
    const listen = ['/ip4/127.0.0.1/tcp/0']
    const options = {
      home: join(folder, name),
      role: 'joined' as const,
      name,
      listen,
      peers: [],
      threads: 1,
      mdns: false
    }
    return openApp({ ...options, ...(code !== undefined && { code }) }, { signal })
  }
  studio = await open('studio')
  const { code } = await studio.invite({ signal })
  attic = await open('attic', code)
})

afterAll(async () => {
  await Promise.all([studio?.stop(), attic?.stop()])
  rmSync(folder, { recursive: true, force: true })
})

describe('audio jobs of one swarm', () => {
  test('give the same bytes alone and over a peer, whatever the size of chunks', async () => {
    const alone = await run(studio, 'wav', { effects: CHAIN })
    const expected = readFileSync(join(alone.outDir, 'result.wav'))
    expect(expected.includes(Buffer.from(info))).toBe(true)
    expect(readdirSync(alone.outDir)).toContain('job.json')
    for (const changes of [{ chunkBytes: 100_000 }, { local: 'never', minPeers: 1, chunkBytes: 50_000 }] as const) {
      const { done, outDir } = await run(studio, 'wav', { effects: CHAIN }, changes)
      expect(Buffer.compare(readFileSync(join(outDir, 'result.wav')), expected)).toBe(0)
      expect(done.chunks).toBeGreaterThan(2)
    }
  })

  test('encrypt the result alone', async () => {
    const plain = await run(studio, 'wav', { effects: 'gain -3' })
    const { outDir } = await run(studio, 'wav', { effects: 'gain -3' }, { encrypt: true })
    const read = (name: string) => readFileSync(join(outDir, name))
    const cipher = createDecipheriv('aes-256-cbc', read('encryption_key.bin'), read('encryption_iv.bin'))
    const opened = Buffer.concat([cipher.update(read('result.wav.enc')), cipher.final()])
    expect(Buffer.compare(opened, readFileSync(join(plain.outDir, 'result.wav')))).toBe(0)
  })

  test('find silence, and say so in a report and a label track', async () => {
    const { done, outDir } = await run(studio, 'silence', { silence: { leastSilence: '1s' } })
    const { silences } = JSON.parse(readFileSync(join(outDir, 'result.json'), 'utf8'))
    expect(silences).toEqual([{ start: 2.5, end: 5.5 }])
    expect(done.findings).toMatchObject({ silences: 1 })
    expect(readFileSync(join(outDir, 'labels.txt'), 'utf8')).toContain('2.500000\t5.500000')
  })
})
