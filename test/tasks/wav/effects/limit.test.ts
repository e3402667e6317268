import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { limit } from '../../../../src/tasks/wav/effects/limit.ts'
import { FFMPEG } from '../../../support/audio-tools.ts'
import { greatestDifference, noise, type Signal, sweep } from './chain-runs.ts'
import { planWords, runWords } from './memory-runs.ts'
import { truePeakOf } from './true-peak-ffmpeg.ts'

/** −120 dBFS. */
const DIFFERENCE_MAX = 1e-6
/** In dB; FFmpeg says one decimal. */
const TRUE_PEAK_OVER_MAX = 0.2 + 1e-9
/** Silence around a signal for FFmpeg, whose resampler mirrors both ends and so finds peaks that are not there. */
const PAD_FRAMES = 1000

/** The definition, each frame's hold and mean summed anew. */
function directly(
  { samples, sampleRate }: Signal,
  ceiling: number,
  lookahead: number,
  release: number
): Float64Array[] {
  const frames = samples[0]?.length ?? 0
  const factor = Math.exp(-1 / (release * sampleRate))
  const needed = (n: number): number => {
    const level = Math.max(...samples.map((values) => Math.abs(values[n] ?? 0)))
    return level > ceiling ? 1 - ceiling / level : 0
  }
  const released: number[] = []
  for (let n = -lookahead; n < frames; n++) {
    let held = 0
    for (let k = n; k < n + lookahead; k++) held = Math.max(held, k < 0 ? 0 : needed(k))
    const last = released.at(-1) ?? 0
    released.push(held >= last ? held : held + factor * (last - held))
  }
  return samples.map((values) =>
    values.map((x, n) => {
      let sum = 0
      for (let k = n - lookahead + 1; k <= n; k++) sum += released[k + lookahead] ?? 0
      return x * (1 - sum / lookahead)
    })
  )
}

function padded(samples: Float64Array): Float64Array {
  const wider = new Float64Array(samples.length + 2 * PAD_FRAMES)
  wider.set(samples, PAD_FRAMES)
  return wider
}

const SIGNALS: readonly (readonly [name: string, signal: Signal])[] = [
  ['noise', { sampleRate: 48_000, samples: noise(3, 2, 48_000, 1.5) }],
  ['a sweep', { sampleRate: 44_100, samples: [sweep(44_100, 88_200, 2)] }],
  [
    'a quarter-rate sine between the samples',
    {
      sampleRate: 48_000,
      samples: [Float64Array.from({ length: 48_000 }, (_, n) => 1.2 * Math.sin((Math.PI / 2) * n + Math.PI / 4))]
    }
  ],
  [
    'bursts',
    {
      sampleRate: 48_000,
      samples: [Float64Array.from({ length: 96_000 }, (_, n) => (n % 9600 < 480 ? 3 : 0.2) * Math.sin(n * 0.7 + n * n))]
    }
  ]
]

describe('limit', () => {
  test.each(SIGNALS)('is the direct loop within −120 dBFS: %s', (_name, signal) => {
    const shorter = { ...signal, samples: signal.samples.map((values) => values.subarray(0, 12_000)) }
    const lookahead = Math.round(0.002 * signal.sampleRate)
    const ours = runWords(limit, '-6 2ms 20ms', shorter)
    expect(greatestDifference(ours, directly(shorter, 10 ** (-6 / 20), lookahead, 0.02))).toBeLessThan(DIFFERENCE_MAX)
  })

  test('never lets a sample pass the ceiling', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -40, max: 0, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 100 }),
        fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 3000 }),
        (ceiling, lookahead, release, values) => {
          const samples = [Float64Array.from(values)]
          const [out] = runWords(limit, `${ceiling.toFixed(3)} ${lookahead}ms ${release}ms`, {
            sampleRate: 8000,
            samples
          })
          const greatest = 10 ** (Number(ceiling.toFixed(3)) / 20) * (1 + 1e-14)
          expect(out?.every((x) => Math.abs(x) <= greatest)).toBe(true)
        }
      )
    )
  })

  test('leaves what stays below the ceiling as it is, bit for bit', () => {
    const samples = noise(9, 3, 10_000, 0.5)
    expect(runWords(limit, '-6', { sampleRate: 48_000, samples })).toEqual(samples)
  })

  test('lets go of everything in silence: what comes after is untouched', () => {
    const samples = noise(6, 1, 60_000, 1).map((x) => x.map((v, n) => (n < 1000 ? v : n < 50_000 ? 0 : v * 1e-3)))
    const [out] = runWords(limit, '-20 5ms 2ms', { sampleRate: 48_000, samples })
    expect(out?.subarray(50_000)).toEqual(samples[0]?.subarray(50_000))
  })

  it.skipIf(FFMPEG === undefined).each(SIGNALS)(
    'keeps the true peak that FFmpeg measures within 0.2 dB of a ceiling in dBTP: %s (needs ffmpeg)',
    (_name, signal) => {
      const folder = mkdtempSync(join(tmpdir(), 'swarm-limit-'))
      try {
        for (const words of ['-1dBTP', '-6dBTP 1ms 10ms']) {
          const samples = runWords(limit, words, { ...signal, samples: signal.samples.map(padded) })
          const path = join(folder, 'out.f64')
          writeFileSync(path, new Uint8Array((samples[0] ?? new Float64Array(0)).slice().buffer))
          const over = truePeakOf(path, signal.sampleRate) - Number.parseFloat(words)
          expect(over).toBeLessThanOrEqual(TRUE_PEAK_OVER_MAX)
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
  )

  test('refuses a look-ahead of no sample or above a tenth of a second, and a release above five', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(1, 1, 10) }
    const refused = expect.objectContaining({ code: 'EFFECT_UNSUITABLE' })
    expect(() => planWords(limit, '-1 0s', signal)).toThrow(refused)
    expect(() => planWords(limit, '-1 801s', signal)).toThrow(refused)
    expect(() => planWords(limit, '-1 5ms 40001s', signal)).toThrow(refused)
  })
})
