import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { SAMPLE_BYTES, type SampleEncoding } from '../../../../src/tasks/wav/audio-format.ts'
import { layOutWav } from '../../../../src/tasks/wav/container/wav-layout.ts'
import { SampleDecoder } from '../../../../src/tasks/wav/samples/decode-samples.ts'
import { SampleEncoder } from '../../../../src/tasks/wav/samples/encode-samples.ts'
import { FFMPEG, runTool, SOX } from '../../../support/audio-tools.ts'
import { planar } from '../samples/sample-reference.ts'
import { assemble, parse } from './wav-bytes.ts'

const FRAMES = 777
const ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32', 'f32', 'f64']
const CASES = ENCODINGS.flatMap((encoding) => [1, 2, 6].map((channels) => [encoding, channels] as const))
const folder = mkdtempSync(join(tmpdir(), 'swarm-wav-'))
const source = join(folder, 'source.wav')
writeFileSync(source, wavOf('f64', 6))

afterAll(() => rmSync(folder, { recursive: true }))

/** A wave of each channel that also goes through every sort of bits. */
function signal(channels: number): Float64Array[] {
  return planar(channels, FRAMES).map((samples, channel) =>
    samples.map((_, frame) => Math.sin(frame * 0.05 * (channel + 1)) * 0.9)
  )
}

function wavOf(encoding: SampleEncoding, channels: number): Uint8Array {
  const shape = { sampleRate: 48_000, channels, frames: FRAMES }
  const layout = layOutWav({ shape, encoding }, { before: [], after: [] })
  const audio = new Uint8Array(layout.audioBytes)
  new SampleEncoder(encoding, channels, { dither: false }).encode(signal(channels), FRAMES, 0, audio, 0)
  return assemble(layout, new Uint8Array(0), audio)
}

/** All samples, interleaved. */
function samplesOf(bytes: Uint8Array): Float64Array {
  const { shape, encoding, dataOffset } = parse(bytes)
  const out = planar(shape.channels, shape.frames)
  new SampleDecoder(encoding, shape.channels).decode(bytes, dataOffset, shape.frames, out)
  const samples = new Float64Array(shape.frames * shape.channels)
  for (const [channel, own] of out.entries())
    own.forEach((value, frame) => {
      samples[frame * shape.channels + channel] = value
    })
  return samples
}

function doublesOf(bytes: Buffer): Float64Array {
  return new Float64Array(Uint8Array.from(bytes).buffer)
}

function ffmpegSamples(path: string): Float64Array {
  return doublesOf(runTool(FFMPEG as string, ['-v', 'error', '-i', path, '-f', 'f64le', '-c:a', 'pcm_f64le', '-']))
}

function soxSamples(path: string): Float64Array {
  return doublesOf(runTool(SOX as string, ['-V1', '-D', path, '-t', 'f64', '-']))
}

describe.skipIf(FFMPEG === undefined)('against FFmpeg (skipped where ffmpeg is not installed)', () => {
  test.each(CASES)('both read the same of a file that we write: %s, %i channels', (encoding, channels) => {
    const path = join(folder, `ours-${encoding}-${channels}.wav`)
    const bytes = wavOf(encoding, channels)
    writeFileSync(path, bytes)
    expect(ffmpegSamples(path)).toEqual(samplesOf(bytes))
  })

  test.each(
    CASES.flatMap(([encoding, channels]) => ['never', 'always'].map((rf64) => [encoding, channels, rf64] as const))
  )('both read the same of a file that it writes: %s, %i channels, RF64 %s', (encoding, channels, rf64) => {
    const path = join(folder, `ffmpeg-${encoding}-${channels}-${rf64}.wav`)
    const codec = encoding === 'u8' ? 'pcm_u8' : `pcm_${encoding}le`
    runTool(FFMPEG as string, [
      '-v',
      'error',
      '-y',
      '-i',
      source,
      '-ac',
      `${channels}`,
      '-rf64',
      rf64,
      '-c:a',
      codec,
      path
    ])
    const bytes = Uint8Array.from(readFileSync(path))
    const file = parse(bytes)
    expect(file).toMatchObject({
      shape: { channels, frames: FRAMES, sampleRate: 48_000 },
      encoding,
      container: rf64 === 'always' ? 'rf64' : 'riff',
      notices: []
    })
    // FFmpeg 5.1 itself takes the padding of its RF64 files for audio.
    expect(samplesOf(bytes)).toEqual(ffmpegSamples(path).subarray(0, FRAMES * channels))
  })

  test.each(['never', 'always'])('reads what it streams, RF64 %s', (rf64) => {
    const bytes = runTool(FFMPEG as string, [
      '-v',
      'error',
      '-i',
      source,
      '-rf64',
      rf64,
      '-c:a',
      'pcm_s24le',
      '-f',
      'wav',
      '-'
    ])
    const file = parse(Uint8Array.from(bytes))
    expect(file).toMatchObject({
      shape: { channels: 6, frames: FRAMES },
      notices: [expect.stringContaining('streaming')]
    })
  })

  test('names the codecs of what it compresses', () => {
    for (const [codec, name] of [
      ['adpcm_ima_wav', 'IMA ADPCM'],
      ['pcm_mulaw', 'mu-law'],
      ['pcm_alaw', 'A-law']
    ] as const) {
      const path = join(folder, `${codec}.wav`)
      runTool(FFMPEG as string, ['-v', 'error', '-y', '-i', source, '-ac', '2', '-c:a', codec, path])
      expect(() => parse(Uint8Array.from(readFileSync(path)))).toThrow(name)
    }
  })
})

describe.skipIf(SOX === undefined)('against SoX (skipped where sox is not installed)', () => {
  // SoX calculates with 32 bits.
  test.each(CASES)('both read the same of a file that we write: %s, %i channels', (encoding, channels) => {
    const path = join(folder, `ours-for-sox-${encoding}-${channels}.wav`)
    const bytes = wavOf(encoding, channels)
    writeFileSync(path, bytes)
    expectNear(soxSamples(path), samplesOf(bytes))
  })

  test.each(CASES)('both read the same of a file that it writes: %s, %i channels', (encoding, channels) => {
    const path = join(folder, `sox-${encoding}-${channels}.wav`)
    const bits = `${SAMPLE_BYTES[encoding] * 8}`
    const kind = encoding === 'u8' ? 'unsigned-integer' : encoding.startsWith('f') ? 'floating-point' : 'signed-integer'
    const map = Array.from({ length: channels }, (_, channel) => `${channel + 1}`)
    runTool(SOX as string, ['-V1', '-D', source, '-b', bits, '-e', kind, path, 'remix', ...map])
    const bytes = Uint8Array.from(readFileSync(path))
    expect(parse(bytes)).toMatchObject({ shape: { channels, frames: FRAMES }, encoding, notices: [] })
    expectNear(soxSamples(path), samplesOf(bytes))
  })

  test.each([1, 3])('reads what it streams, with the padding behind it: 24 bits, %i channels', (channels) => {
    const format = ['-r', '48000', '-c', `${channels}`, '-b', '24', '-t', 'wav']
    const bytes = runTool(SOX as string, ['-V1', '-D', '-n', ...format, '-', 'synth', `${FRAMES}s`, 'sine', '440'])
    expect(parse(Uint8Array.from(bytes))).toMatchObject({
      shape: { channels, frames: FRAMES },
      notices: [expect.stringContaining('streaming')]
    })
  })
})

/** SoX's samples have 32 bits. */
function expectNear(actual: Float64Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length)
  let greatest = 0
  for (let index = 0; index < expected.length; index++) {
    greatest = Math.max(greatest, Math.abs((actual[index] as number) - (expected[index] as number)))
  }
  expect(greatest).toBeLessThanOrEqual(2 ** -31)
}
