import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { decodeAudio } from '../../src/compute/decode-audio.ts'
import { FFMPEG } from '../support/audio-tools.ts'
import { greatestDifference, SoundFolder } from './decode-audio-files.ts'

/** Not a multiple of any codec's frame. */
const FRAMES = 100_003
const LONGER_FRAMES = 400_003
/** FFmpeg has a decoder of its own, libopus another. */
const OPUS_DIFFERENCE = 2e-4
const NO_PROGRAM = '/nowhere/ffmpeg'

const folder = new SoundFolder()
const output = folder.file('.sound.f32')
afterAll(() => folder[Symbol.dispose]())

const needsFfmpeg = test.skipIf(FFMPEG === undefined)

/** Without FFmpeg, so that it is the built-in decoder that answers. */
function decode(path: string, options: Parameters<typeof decodeAudio>[2] = {}) {
  return decodeAudio(path, output, { program: NO_PROGRAM, ...options })
}

describe('decodeAudio', () => {
  needsFfmpeg.each([
    ['mp3', 'a.mp3', ['-c:a', 'libmp3lame'], 2e-5],
    ['mp3', 'tagged.mp3', ['-c:a', 'libmp3lame', '-metadata', 'title=x', '-id3v2_version', '3'], 2e-5],
    ['flac', 'a.flac', ['-c:a', 'flac', '-sample_fmt', 's16'], 0],
    ['flac', 'b.flac', ['-c:a', 'flac', '-sample_fmt', 's32', '-bits_per_raw_sample', '24'], 0],
    ['oggflac', 'flac.ogg', ['-c:a', 'flac', '-sample_fmt', 's16'], 0],
    ['ogg', 'a.ogg', ['-c:a', 'libvorbis'], 2e-6],
    ['m4a', 'a.m4a', ['-c:a', 'aac', '-aac_pns', '0'], 2e-5],
    ['m4a', 'first.m4a', ['-c:a', 'aac', '-aac_pns', '0', '-movflags', '+faststart'], 2e-5],
    ['m4a', 'alac.m4a', ['-c:a', 'alac', '-sample_fmt', 's16p'], 0],
    ['aiff', 'a.aiff', ['-c:a', 'pcm_s24be'], 0]
  ])('decodes %s (%s) to exactly the frames that were encoded (needs ffmpeg)', async (format, name, args, most) => {
    const path = folder.encode(name, FRAMES, args)
    const decoded = await decode(path)
    expect(decoded).toEqual({
      shape: { sampleRate: 44_100, channels: 2, frames: FRAMES },
      encoding: 'f32',
      format,
      notices: []
    })
    const samples = folder.samples(output)
    expect(samples).toHaveLength(FRAMES * 2)
    expect(greatestDifference(samples, folder.reference(path))).toBeLessThanOrEqual(most)
    expect(statSync(output).mode & 0o777).toBe(0o600)
  })

  needsFfmpeg('decodes Opus at 48 kHz to exactly the frames that were encoded (needs ffmpeg)', async () => {
    const path = folder.encode('a.opus', FRAMES, ['-c:a', 'libopus'], 2, 48_000)
    expect((await decode(path)).shape).toEqual({ sampleRate: 48_000, channels: 2, frames: FRAMES })
    expect(greatestDifference(folder.samples(output), folder.reference(path))).toBeLessThan(OPUS_DIFFERENCE)
  })

  needsFfmpeg('decodes the sound of an MP4 film whose tables are at its end (needs ffmpeg)', async () => {
    const film = ['-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=2', '-c:v', 'mpeg4', '-c:a', 'aac', '-aac_pns', '0']
    const path = folder.encode('a.mp4', FRAMES, film)
    expect((await decode(path)).shape.frames).toBe(FRAMES)
    expect(greatestDifference(folder.samples(output), folder.reference(path))).toBeLessThan(2e-5)
  })

  needsFfmpeg('decodes WebM as FFmpeg does (needs ffmpeg)', async () => {
    const path = folder.encode('a.webm', FRAMES, ['-c:a', 'libopus'], 2, 48_000)
    const { shape, format } = await decode(path)
    expect([format, shape.frames * 2]).toEqual(['webm', folder.reference(path).length])
    expect(greatestDifference(folder.samples(output), folder.reference(path))).toBeLessThan(OPUS_DIFFERENCE)
  })

  needsFfmpeg.each(['mp3', 'm4a', 'flac', 'ogg'])('keeps mono in %s mono (needs ffmpeg)', async (extension) => {
    const path = folder.encode(`mono.${extension}`, FRAMES, [], 1)
    expect((await decode(path)).shape).toEqual({ sampleRate: 44_100, channels: 1, frames: FRAMES })
  })

  needsFfmpeg.each(['mp3', 'm4a'])('keeps stereo of equal channels in %s stereo (needs ffmpeg)', async (extension) => {
    const path = folder.encode(`equal.${extension}`, FRAMES, ['-ac', '2'], 1)
    expect((await decode(path)).shape.channels).toBe(2)
    expect(folder.samples(output)).toHaveLength(FRAMES * 2)
  })

  needsFfmpeg('keeps every frame of FLAC whose frames are a few bytes long (needs ffmpeg)', async () => {
    const path = folder.encode('silence.flac', 8_000_001, ['-af', 'volume=0', '-sample_fmt', 's16'], 1)
    expect((await decode(path)).shape.frames).toBe(8_000_001)
  })

  needsFfmpeg('tells how far it is, up to the end of the file (needs ffmpeg)', async () => {
    const path = folder.encode('progress.flac', FRAMES, [])
    const calls: number[][] = []
    await decode(path, { onProgress: (...call) => calls.push(call) })
    const { size } = statSync(path)
    expect(calls.at(-1)).toEqual([size, size])
  })

  needsFfmpeg(
    'takes what the package cannot decode from the FFmpeg of the machine, and says so (needs ffmpeg)',
    async () => {
      const path = folder.encode('a.caf', FRAMES, ['-c:a', 'alac', '-sample_fmt', 's16p'])
      const { shape, format, notices } = await decodeAudio(path, output)
      expect([format, shape.frames, notices.length]).toEqual(['caf', FRAMES, 1])
      expect(greatestDifference(folder.samples(output), folder.reference(path))).toBe(0)
      await expect(decode(path)).rejects.toMatchObject({ code: 'FFMPEG_MISSING', exitCode: 2 })
    }
  )

  needsFfmpeg('leaves uncompressed sound of films with a table of millions to FFmpeg (needs ffmpeg)', async () => {
    const path = folder.encode('long.mov', 4_000_001, ['-c:a', 'pcm_u8'], 1)
    expect((await decodeAudio(path, output)).shape.frames).toBe(4_000_001)
    await expect(decode(path)).rejects.toMatchObject({ code: 'AUDIO_MALFORMED' })
  })
})

describe('decodeAudio refuses', () => {
  test('what is no sound, naming the file, its first bytes and what is supported', async () => {
    const path = folder.write('letter.mp3', Buffer.from('Dear all, '.repeat(1000)))
    const error = await decode(path).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'AUDIO_UNKNOWN', exitCode: 2 })
    expect(String(error)).toMatch(/letter\.mp3 begins with the bytes 44 65 61 72 .*FLAC, MP3/)
    expect(existsSync(output)).toBe(false)
  })

  test('an empty file, a folder, and a file that is not there', async () => {
    await expect(decode(folder.write('empty.mp3', new Uint8Array(0)))).rejects.toThrow('is empty')
    await expect(decode(folder.path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
    await expect(decode(folder.file('nothing.mp3'))).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })

  test('an output that cannot be written', async () => {
    const path = folder.write('some.flac', Buffer.from('fLaC'))
    const nowhere = folder.file('no/such/folder')
    await expect(decodeAudio(path, nowhere)).rejects.toMatchObject({ code: 'OUTPUT_WRITE_FAILED' })
  })

  needsFfmpeg.each([
    ['cut.mp3', ['-c:a', 'libmp3lame']],
    ['cut.flac', ['-sample_fmt', 's16']],
    ['cut.ogg', ['-c:a', 'libvorbis']],
    ['cut.m4a', ['-c:a', 'aac', '-movflags', '+faststart']]
  ])('%s that is cut off, and reads it as far as it goes when asked to (needs ffmpeg)', async (name, args) => {
    const whole = readFileSync(folder.encode(`whole-${name}`, LONGER_FRAMES, args))
    const path = folder.write(name, whole.subarray(0, Math.floor(whole.byteLength * 0.6)))
    await expect(decode(path)).rejects.toMatchObject({ code: 'AUDIO_MALFORMED', exitCode: 2 })
    expect(existsSync(output)).toBe(false)
    const { shape, notices } = await decode(path, { salvage: true })
    expect(shape.frames).toBeGreaterThan(LONGER_FRAMES * 0.3)
    expect(shape.frames).toBeLessThan(LONGER_FRAMES)
    expect(folder.samples(output)).toHaveLength(shape.frames * 2)
    expect(notices).toHaveLength(1)
  })

  needsFfmpeg('a film without tables, and tables that lie (needs ffmpeg)', async () => {
    const whole = readFileSync(folder.encode('whole.m4a', FRAMES, ['-c:a', 'aac']))
    const tables = whole.lastIndexOf('moov')
    await expect(decode(folder.write('no-moov.m4a', whole.subarray(0, tables - 4)))).rejects.toThrow('no tables (moov)')
    for (const type of ['stco', 'stsz', 'stsc', 'stts', 'elst']) {
      const lie = Buffer.from(whole)
      lie.writeUInt32BE(0xfffffff0, whole.lastIndexOf(type) + (type === 'stsz' ? 12 : 8))
      await expect(decode(folder.write('lie.m4a', lie))).rejects.toThrow(`its table ${type}`)
    }
  })

  needsFfmpeg('damaged files with an error of its own, whatever byte is wrong (needs ffmpeg)', async () => {
    const whole = readFileSync(folder.encode('small.m4a', 3000, ['-c:a', 'aac']))
    const tables = whole.lastIndexOf('moov')
    for (let offset = tables; offset < whole.byteLength; offset += 7) {
      const damaged = Buffer.from(whole)
      damaged[offset] = (damaged[offset] as number) ^ 0xff
      const result = await decode(folder.write('damaged.m4a', damaged)).catch((reason: unknown) => reason)
      if (result instanceof Error) expect(result).toMatchObject({ code: 'AUDIO_MALFORMED' })
    }
  })

  needsFfmpeg('to go on when it is aborted, and removes what it wrote (needs ffmpeg)', async () => {
    const path = folder.encode('abort.flac', 3_000_000, ['-af', 'volume=8', '-sample_fmt', 's16'])
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = () => controller.abort(reason)
    await expect(decode(path, { signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(existsSync(output)).toBe(false)
    await expect(decode(path, { signal: controller.signal })).rejects.toBe(reason)
  })
})
