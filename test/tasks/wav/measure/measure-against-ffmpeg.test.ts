import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FFMPEG, runTool } from '../../../support/audio-tools.ts'
import { noise, type Signal } from '../effects/chain-runs.ts'
import { inTurn, measure, sine } from './measured.ts'

const LOUDNESS_APART_MAX = 0.1
const TRUE_PEAK_APART_MAX = 0.2
const RANGE_APART_MAX = 1

/** Noise that comes and goes as syllables and sentences do, without what is above some 0.4 of the rate. */
function speechLike(sampleRate: number, seconds: number, channels: number): Signal {
  const frames = sampleRate * seconds
  const samples = noise(sampleRate + channels, channels, frames, 0.5).map((white) => {
    let low = 0
    let lower = 0
    return white.map((x, n) => {
      const time = n / sampleRate
      low += 0.35 * (x - low)
      lower += 0.35 * (low - lower)
      const syllable = 0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * time)
      const sentence = Math.sin(2 * Math.PI * 0.11 * time) > -0.4 ? 1 : 0.02
      return Math.fround(lower * syllable * sentence * (0.5 + 0.4 * Math.sin(0.3 * time)))
    })
  })
  return { sampleRate, samples }
}

/** Low-passed noise in bursts of half a second. */
function bursts(sampleRate: number, seconds: number, channels: number): Signal {
  const { samples } = speechLike(sampleRate, seconds, channels)
  return {
    sampleRate,
    samples: samples.map((values) => values.map((x, n) => (n % sampleRate < sampleRate / 2 ? x : 0)))
  }
}

/** A different sine in each channel: all of 5.1's weights count. */
function surround(seconds: number): Signal {
  const levels = [-28, -28, -24, -20, -30, -30]
  return {
    sampleRate: 48_000,
    samples: levels.flatMap((level, channel) => sine(48_000, seconds, 400 + 170 * channel, level, 1).samples)
  }
}

const SIGNALS: readonly (readonly [name: string, signal: () => Signal])[] = [
  ['1 kHz at −23 dBFS, 48 kHz stereo', () => sine(48_000, 20, 1000, -23)],
  ['997 Hz at −26 dBFS, 44.1 kHz mono', () => sine(44_100, 10, 997, -26, 1)],
  ['60 Hz at −6 dBFS, 48 kHz stereo', () => sine(48_000, 10, 60, -6)],
  ['9 kHz at −12 dBFS, 44.1 kHz stereo', () => sine(44_100, 10, 9011, -12)],
  ['2 kHz at −18 dBFS, 96 kHz stereo', () => sine(96_000, 8, 2000, -18)],
  ['5 kHz at −1 dBFS, 22.05 kHz mono', () => sine(22_050, 8, 5000, -1, 1)],
  [
    'tones of EBU Tech 3341, 2: −36, −23, −36 dBFS',
    () => inTurn(sine(48_000, 10, 1000, -36), sine(48_000, 30, 1000, -23), sine(48_000, 10, 1000, -36))
  ],
  ['bursts of noise, 48 kHz stereo', () => bursts(48_000, 20, 2)],
  ['noise like speech, 44.1 kHz mono', () => speechLike(44_100, 30, 1)],
  ['noise like speech, 48 kHz stereo', () => speechLike(48_000, 30, 2)],
  ['a sine in each channel of 5.1', () => surround(10)]
]

/** The last that FFmpeg's ebur128 says of a signal; its true peak is the greatest of the channels, as a factor. */
function ebur128({ sampleRate, samples }: Signal): { loudness: number; range: number; truePeak: number } {
  if (FFMPEG === undefined) throw new Error('ffmpeg is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'swarm-ebur128-'))
  try {
    const path = join(folder, 'in.f32')
    const mixed = new Float32Array(samples.length * (samples[0]?.length ?? 0))
    for (const [channel, values] of samples.entries()) {
      for (const [n, value] of values.entries()) mixed[n * samples.length + channel] = value
    }
    writeFileSync(path, new Uint8Array(mixed.buffer))
    const input = ['-f', 'f32le', '-ar', `${sampleRate}`, '-ac', `${samples.length}`, '-i', path]
    const filter = 'ebur128=peak=true:metadata=1:framelog=verbose,ametadata=print:file=-'
    const lines = runTool(FFMPEG, ['-v', 'error', ...input, '-af', filter, '-f', 'null', '-'])
      .toString()
      .split('\n')
    const last = (key: string) => Number(lines.findLast((line) => line.startsWith(`lavfi.r128.${key}=`))?.split('=')[1])
    return { loudness: last('I'), range: last('LRA'), truePeak: last('true_peak') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const title = FFMPEG === undefined ? 'measures against FFmpeg (ffmpeg is not installed)' : 'measures against FFmpeg'
describe.skipIf(FFMPEG === undefined)(title, () => {
  it.each(SIGNALS)('agree in loudness, its range and true peak: %s', (_name, make) => {
    const signal = make()
    const expected = ebur128(signal)
    const measures = measure(signal)
    const truePeak = Math.max(...measures.channels.map((channel) => channel.truePeak))
    expect(Math.abs(measures.loudness - expected.loudness)).toBeLessThanOrEqual(LOUDNESS_APART_MAX)
    expect(Math.abs(20 * Math.log10(truePeak / expected.truePeak))).toBeLessThanOrEqual(TRUE_PEAK_APART_MAX)
    expect(Math.abs(measures.loudnessRange - expected.range)).toBeLessThanOrEqual(RANGE_APART_MAX)
  })
})
