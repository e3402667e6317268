import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SubmitRequest } from '../../src/app/api-types.ts'
import { shapeAudio } from '../../src/app/audio-shape.ts'
import { segmentFile } from '../../src/app/segment-file.ts'
import type { JobShape } from '../../src/app/shaped-job.ts'
import type { AudioRequest } from '../../src/domain/job.ts'
import type { JournalJob } from '../../src/domain/journal.ts'
import type { SegmentFile } from '../../src/domain/result-sink.ts'
import { silence, wav } from '../../src/tasks/wav/audio-kinds.ts'
import { parseSilencePlan, parseWavPlan } from '../../src/tasks/wav/wav-plan.ts'
import { riffChunk, type WavParts, wavBytes } from '../support/audio-files.ts'
import { AudioJob } from '../support/audio-job.ts'
import { encodeAudio } from '../support/audio-plans.ts'
import { noise } from '../tasks/wav/effects/chain-runs.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-audio-'))
afterAll(() => rmSync(folder, { recursive: true }))

const samples = noise(1, 2, 20_001)
const STEREO = { channels: 2, sampleRate: 8000 }

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function partsOf(encoding: WavParts['encoding'], more: Partial<WavParts> = {}): WavParts {
  return { ...STEREO, encoding, audio: encodeAudio(samples, encoding), ...more }
}

function requestOf(
  inputPath: string,
  audio: Partial<AudioRequest> = {},
  more: Partial<SubmitRequest> = {}
): SubmitRequest {
  const request = { inputPath, task: 'wav', outRoot: folder, local: 'auto' as const, minPeers: 0, waitMs: 0 }
  return { ...request, detach: false, peers: [], audio: { folder, ...audio }, ...more }
}

/** What a job of this shape has in its journal, as far as its file needs it. */
function fileOf({ audio, params }: JobShape, kind = 'wav'): Promise<SegmentFile> {
  return segmentFile({ options: { audio }, spec: { kind, params, jobId: 'job' } } as unknown as JournalJob)
}

const show = write('show.wav', wavBytes(partsOf('s16')))

describe('the shape of a wav job', () => {
  test('is planned from the file: as it is, with all effects in normal form', async () => {
    const shape = await shapeAudio(requestOf(show, { effects: ' highpass  80 , normalize -16LUFS' }), wav)
    const plan = parseWavPlan(shape.params)
    expect(plan).toMatchObject({
      source: { ...STEREO, frames: 20_001, encoding: 's16' },
      chain: 'highpass 80, normalize -16LUFS',
      output: { encoding: 's16', dither: true },
      impulses: []
    })
    expect(plan.segmentFrames).toHaveLength(2)
    expect(shape.inputBytes).toBe(new AudioJob(shape.params, new Uint8Array(0)).layout.grid.byteLength)
    expect(shape.chunkBytesMax).toBeGreaterThanOrEqual(shape.blockBytes)
    expect(shape.audio).toMatchObject({ input: { path: show }, samples: { path: show, offset: 44 }, impulses: [] })
  })

  test.each<[WavParts['encoding'], Partial<AudioRequest>, object]>([
    ['s16', {}, { encoding: 's16', dither: false }],
    ['s16', { effects: 'gain -3' }, { encoding: 's16', dither: true }],
    ['s24', { format: 'pcm16' }, { encoding: 's16', dither: true }],
    ['s16', { format: 'pcm24' }, { encoding: 's24', dither: false }],
    ['f32', { format: 'pcm24' }, { encoding: 's24', dither: true }],
    ['s32', { effects: 'gain -3' }, { encoding: 's32', dither: false }],
    ['f64', {}, { encoding: 'f64', dither: false }],
    ['f64', { effects: 'gain -3', format: 'float32' }, { encoding: 'f32', dither: false }],
    ['u8', { effects: 'invert' }, { encoding: 'u8', dither: true }]
  ])(
    'gives samples as asked for, dithered where that hides what is dropped: %s %j',
    async (encoding, audio, output) => {
      const path = write(`${encoding}.wav`, wavBytes(partsOf(encoding)))
      const { params } = await shapeAudio(requestOf(path, audio), wav)
      expect(parseWavPlan(params).output).toEqual(output)
    }
  )

  test('finds impulse responses in the folder that the request was made in, each once', async () => {
    const room = wavBytes({ channels: 1, sampleRate: 8000, encoding: 's16', audio: new Uint8Array(602) })
    const path = write('room.wav', room)
    const shape = await shapeAudio(requestOf(show, { effects: 'convolve room.wav, gain -3, convolve room.wav' }), wav)
    const impulse = { sampleRate: 8000, channels: 1, frames: 301, encoding: 's16', path: 'room.wav' }
    expect(parseWavPlan(shape.params).impulses).toEqual([impulse])
    expect(shape.audio?.impulses).toMatchObject([{ name: 'room.wav', offset: 44, stamp: { path, byteLength: 646 } }])
  })

  test('is cut no finer than a file of one chunk needs', async () => {
    const shape = await shapeAudio(requestOf(show, {}, { chunkBytes: 1 }), wav)
    expect(shape.chunkBytesMax).toBe(shape.blockBytes)
  })

  test.each<[string, Partial<AudioRequest>, Partial<SubmitRequest>, string, string]>([
    ['settings of silence', { silence: { threshold: '-40dB' } }, {}, 'OPTION_UNSUITABLE', 'for --task silence'],
    ['an unknown format', { format: 'pcm12' }, {}, 'OPTION_UNSUITABLE', 'pcm16, pcm24, float32'],
    ['a format of another kind', { format: 'constructor' }, {}, 'OPTION_UNSUITABLE', 'pcm16, pcm24, float32'],
    ['an unknown effect', { effects: 'gian -3' }, {}, 'CHAIN_INVALID', 'gain'],
    ['an effect that does not fit', { effects: 'lowpass 5000' }, {}, 'EFFECT_UNSUITABLE', 'lowpass'],
    ['effects that leave nothing', { effects: 'trim 60' }, {}, 'EFFECT_UNSUITABLE', 'trim'],
    ['an impulse response that is not there', { effects: 'convolve no.wav' }, {}, 'INPUT_MISSING', 'no.wav'],
    ['a second file', {}, { rightPath: '/b.npy' }, 'OPTION_UNSUITABLE', '--b'],
    ['an exact kernel', {}, { exact: true }, 'OPTION_UNSUITABLE', '--exact'],
    ['samples turned around', {}, { reverse: true }, 'OPTION_UNSUITABLE', 'the effect "reverse"']
  ])('is refused for %s', async (_, audio, more, code, message) => {
    const shaping = shapeAudio(requestOf(show, audio, more), wav)
    await expect(shaping).rejects.toMatchObject({ name: 'SwarmError', code, exitCode: 2 })
    await expect(shaping).rejects.toThrow(message)
  })

  test('is refused for more impulse responses than a chunk may bring along', async () => {
    const room = wavBytes({ channels: 1, sampleRate: 8000, encoding: 's16', audio: new Uint8Array(20) })
    const names = Array.from({ length: 9 }, (_, index) => `room-${index}.wav`)
    for (const name of names) write(name, room)
    const shaping = shapeAudio(requestOf(show, { effects: names.map((name) => `convolve ${name}`).join(', ') }), wav)
    await expect(shaping).rejects.toMatchObject({ code: 'OPTION_UNSUITABLE', exitCode: 2 })
  })

  test('is refused for a file that is not there, and for one that is cut', async () => {
    await expect(shapeAudio(requestOf(join(folder, 'no.wav')), wav)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
    const cut = write('cut.wav', wavBytes(partsOf('s16')).subarray(0, 5000))
    await expect(shapeAudio(requestOf(cut), wav)).rejects.toMatchObject({ code: 'WAV_MALFORMED' })
    const saved = await shapeAudio(requestOf(cut, { salvage: true }), wav)
    expect(parseWavPlan(saved.params).source.frames).toBe((5000 - 44) / 4)
    expect(saved.notices).toHaveLength(1)
    expect(saved.notices[0]).toContain(cut)
  })
})

describe('the shape of a silence job', () => {
  test('is planned from file and settings', async () => {
    const shape = await shapeAudio(requestOf(show, { silence: { threshold: '-45dB', leastSilence: '300ms' } }), silence)
    const settings = { threshold: -45, hysteresis: 3, leastSilence: 0.3, leastSound: 0.1 }
    const source = { ...STEREO, frames: 20_001, encoding: 's16' }
    expect(parseSilencePlan(shape.params)).toEqual({ source, settings, segmentLevels: 400 })
    expect(shape.inputBytes).toBe(251 * 4)
    expect(await fileOf(shape, 'silence')).toMatchObject({ head: new Uint8Array(0), tail: new Uint8Array(0) })
  })

  test.each<[string, Partial<AudioRequest>, string]>([
    ['effects', { effects: 'gain -3' }, 'OPTION_UNSUITABLE'],
    ['a format', { format: 'pcm16' }, 'OPTION_UNSUITABLE'],
    ['a threshold that is none', { silence: { threshold: 'loud' } }, 'SILENCE_SETTINGS'],
    ['an unknown setting', { silence: { level: '-40dB' } }, 'SILENCE_SETTINGS']
  ])('is refused for %s', async (_, audio, code) => {
    await expect(shapeAudio(requestOf(show, audio), silence)).rejects.toMatchObject({ code, exitCode: 2 })
  })
})

describe("the file of a job's result", () => {
  const info = riffChunk('LIST', Buffer.from('INFOINAM\x05\x00\x00\x00show\x00\x00', 'latin1'))
  const bext = riffChunk('bext', new Uint8Array(603).fill(0x20))
  const cues = riffChunk('cue ', new Uint8Array(4))

  test('has all chunks of the source where they were, and the same bytes when nothing is to be done', async () => {
    const original = wavBytes(partsOf('s16', { before: [bext, info], after: [cues, info] }))
    const shape = await shapeAudio(requestOf(write('chunks.wav', original)), wav)
    const { head, tail } = await fileOf(shape)
    const job = new AudioJob(shape.params, encodeAudio(samples, 's16'))
    job.run([3])
    expect(Buffer.compare(Buffer.concat([head, job.audio, tail]), original)).toBe(0)
  })

  test('ends with padding where its audio has an odd length', async () => {
    const mono = { ...partsOf('u8', { after: [info] }), channels: 1, audio: new Uint8Array(8001).fill(128) }
    const original = wavBytes(mono)
    const { head, tail } = await fileOf(await shapeAudio(requestOf(write('odd.wav', original)), wav))
    expect(Buffer.compare(Buffer.concat([head, mono.audio, tail]), original)).toBe(0)
  })

  test('has a header of its own samples', async () => {
    const path = write('both.wav', wavBytes(partsOf('f64', { before: [info] })))
    const shape = await shapeAudio(requestOf(path, { effects: 'channels mono, resample 16000', format: 'pcm24' }), wav)
    const { head, tail } = await fileOf(shape)
    const job = new AudioJob(shape.params, encodeAudio(samples, 'f64'))
    job.run([3])
    const result = write('mono.wav', Buffer.concat([head, job.audio, tail]))
    const again = parseWavPlan((await shapeAudio(requestOf(result), wav)).params)
    expect(again.source).toEqual({ sampleRate: 16_000, channels: 1, frames: 40_002, encoding: 's24' })
    expect(Buffer.from(head).includes(Buffer.from(info))).toBe(true)
  })

  test('cannot be made when the journal does not say where samples lie', async () => {
    const { params } = await shapeAudio(requestOf(show), wav)
    const job = { options: {}, spec: { kind: 'wav', params, jobId: 'job' } } as unknown as JournalJob
    await expect(segmentFile(job)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  })
})
