import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reduceLevels, type TimeSpan } from '../../../../src/tasks/wav/silence/silence-report.ts'
import { parseSilenceSettings, SILENCE_DEFAULTS } from '../../../../src/tasks/wav/silence/silence-settings.ts'
import { formatLabels, formatSilenceJson } from '../../../../src/tasks/wav/silence/silence-text.ts'
import { FFMPEG, runTool } from '../../../support/audio-tools.ts'
import { buildSpeech, measureLevels } from './built-signal.ts'

const FRAME_SECONDS = 0.01
const SPEECHES = [
  { start: 0.503, end: 2.2071 },
  { start: 4.3333, end: 6.1 },
  { start: 6.9, end: 8.0002 },
  { start: 10.5019, end: 12 }
]
const GAPS = [
  { start: 2.2071, end: 4.3333 },
  { start: 8.0002, end: 10.5019 }
]

function levelsOf(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

/** Reduces levels given as [times 10 ms, level] at 8 kHz. */
function reduce(runs: readonly (readonly [number, number])[], given: Record<string, unknown> = {}) {
  const levels = runs.flatMap(([count, level]) => Array.from({ length: count }, () => level))
  const shape = { sampleRate: 8_000, channels: 1, frames: levels.length * 80 }
  return reduceLevels(shape, [levelsOf(levels)], parseSilenceSettings(given))
}

function distance(found: readonly TimeSpan[], expected: readonly TimeSpan[]): number {
  expect(found).toHaveLength(expected.length)
  return Math.max(
    ...found.flatMap((span, index) => {
      const { start, end } = expected[index] as TimeSpan
      return [Math.abs(span.start - start), Math.abs(span.end - end)]
    })
  )
}

describe('reduceLevels', () => {
  test('finds silences of two seconds and more, and sound between them', () => {
    const report = reduce([
      [100, 0.5],
      [200, 0.001],
      [50, 0.5],
      [199, 0.001],
      [10, 0.5]
    ])
    expect(report.silences).toEqual([{ start: 1, end: 3 }])
    expect(report.sounds).toEqual([
      { start: 0, end: 1 },
      { start: 3, end: 5.59 }
    ])
    expect([report.duration, report.silentSeconds, report.bridgedBursts]).toEqual([5.59, 2, 0])
  })

  test('ends a silence only above threshold and hysteresis', () => {
    const between = 0.012
    expect(
      reduce([
        [20, 0.5],
        [150, 0.001],
        [150, between],
        [20, 0.5]
      ]).silences
    ).toEqual([{ start: 0.2, end: 3.2 }])
    const split = reduce(
      [
        [20, 0.5],
        [150, 0.001],
        [150, between],
        [20, 0.5]
      ],
      { hysteresis: 0 }
    )
    expect(split.silences).toEqual([])
    expect(
      reduce([
        [20, 0.5],
        [250, between]
      ]).silences
    ).toEqual([])
  })

  test('bridges bursts shorter than the least sound, and counts them', () => {
    const runs = [
      [150, 0],
      [9, 0.5],
      [60, 0],
      [10, 0.5],
      [200, 0]
    ] as const
    const report = reduce(runs)
    expect(report.silences).toEqual([
      { start: 0, end: 2.19 },
      { start: 2.29, end: 4.29 }
    ])
    expect(report.bridgedBursts).toBe(1)
    expect(reduce(runs, { leastSound: 0 }).silences).toEqual([{ start: 2.29, end: 4.29 }])
  })

  test('keeps a short sound at the beginning or the end of the file', () => {
    const report = reduce([
      [2, 0.5],
      [300, 0],
      [2, 0.5]
    ])
    expect(report.sounds).toEqual([
      { start: 0, end: 0.02 },
      { start: 3.02, end: 3.04 }
    ])
  })

  test('reports audio that is silent or loud throughout, or empty', () => {
    expect(reduce([[300, 0]])).toMatchObject({ silences: [{ start: 0, end: 3 }], sounds: [], soundSeconds: 0 })
    expect(reduce([[300, 1]])).toMatchObject({ silences: [], sounds: [{ start: 0, end: 3 }], silentSeconds: 0 })
    expect(reduce([])).toMatchObject({ duration: 0, silences: [], sounds: [] })
  })

  test('refuses levels that are not those of the shape', () => {
    const shape = { sampleRate: 8_000, channels: 1, frames: 240 }
    for (const count of [2, 4]) {
      expect(() => reduceLevels(shape, [levelsOf(new Array(count).fill(0))], SILENCE_DEFAULTS)).toThrow(RangeError)
    }
    expect(() => reduceLevels(shape, [new Uint8Array(11)], SILENCE_DEFAULTS)).toThrow(RangeError)
  })

  test.each([8_000, 11_025, 44_100])('finds gaps in speech at %i Hz within one frame of 10 ms', (sampleRate) => {
    const shape = { sampleRate, channels: 2, frames: sampleRate * 12 + 7 }
    const report = reduceLevels(shape, measureLevels(shape, buildSpeech(shape, SPEECHES)), SILENCE_DEFAULTS)
    expect(distance(report.silences, GAPS)).toBeLessThanOrEqual(FRAME_SECONDS)
  })

  test('gives the same report however the audio was cut', () => {
    const shape = { sampleRate: 11_025, channels: 1, frames: 11_025 * 12 }
    const signal = buildSpeech(shape, SPEECHES)
    const whole = formatSilenceJson(reduceLevels(shape, measureLevels(shape, signal), SILENCE_DEFAULTS))
    const cuts = fc.array(fc.nat(1_200), { maxLength: 8 })
    fc.assert(
      fc.property(cuts, (indexes) => {
        const parts = measureLevels(shape, signal, indexes)
        expect(formatSilenceJson(reduceLevels(shape, parts, SILENCE_DEFAULTS))).toBe(whole)
      }),
      { numRuns: 15 }
    )
  })

  test('fills the duration with spans that do not overlap, whatever the levels', () => {
    const level = fc.constantFrom(0, 0.005, 0.012, 0.5)
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), level), { maxLength: 20 })
    fc.assert(
      fc.property(runs, (given) => {
        const report = reduce(given)
        const spans = [...report.silences, ...report.sounds].sort((one, other) => one.start - other.start)
        expect(spans[0]?.start ?? 0).toBe(0)
        expect(spans.at(-1)?.end ?? 0).toBe(report.duration)
        for (const [index, span] of spans.entries()) {
          expect(span.end).toBeGreaterThan(span.start)
          if (index > 0) expect(span.start).toBe(spans[index - 1]?.end)
        }
      })
    )
  })
})

describe('formatLabels', () => {
  test('writes a line for each span in order of time', () => {
    const report = reduce([
      [100, 0.5],
      [200, 0.001],
      [50, 0.5]
    ])
    expect(formatLabels(report)).toBe(
      '0.000000\t1.000000\tsound\n1.000000\t3.000000\tsilence\n3.000000\t3.500000\tsound\n'
    )
  })
})

describe('formatSilenceJson', () => {
  test('can be read again', () => {
    const report = reduce([[300, 0]])
    expect(JSON.parse(formatSilenceJson(report))).toEqual(report)
  })
})

describe('compared with FFmpeg', () => {
  test.skipIf(FFMPEG === undefined)('agrees with silencedetect on built speech within 20 ms (needs ffmpeg)', () => {
    const shape = { sampleRate: 16_000, channels: 1, frames: 16_000 * 12 }
    const signal = buildSpeech(shape, SPEECHES)
    const report = reduceLevels(shape, measureLevels(shape, signal), SILENCE_DEFAULTS)
    const folder = mkdtempSync(join(tmpdir(), 'swarm-silence-'))
    try {
      const path = join(folder, 'speech.f32')
      writeFileSync(path, new Uint8Array(Float32Array.from(signal[0] as Float64Array).buffer))
      // It takes single samples for sound, so that noise at the same RMS is louder to it; hence a threshold of −30 dB.
      const input = ['-f', 'f32le', '-ar', '16000', '-ac', '1', '-i', path]
      const output = ['-af', 'silencedetect=noise=-30dB:d=2,ametadata=mode=print:file=-', '-f', 'null', '/dev/null']
      const text = runTool(FFMPEG as string, ['-v', 'error', ...input, ...output]).toString()
      const times = (name: string) =>
        [...text.matchAll(new RegExp(`silence_${name}=([\\d.]+)`, 'g'))].map((match) => Number(match[1]))
      const ends = times('end')
      const theirs = times('start').map((start, index) => ({ start, end: ends[index] ?? shape.frames / 16_000 }))
      expect(distance(report.silences, theirs)).toBeLessThanOrEqual(0.02)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
