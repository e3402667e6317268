import { describe, expect, test } from 'vitest'
import { compress } from '../../../../src/tasks/wav/effects/compress.ts'
import { greatestDifference, noise, type Signal, sweep } from './chain-runs.ts'
import { planWords, runWords } from './memory-runs.ts'

/** −120 dBFS. */
const DIFFERENCE_MAX = 1e-6

interface Law {
  readonly threshold: number
  readonly ratio: number
  readonly attack: number
  readonly release: number
  readonly knee: number
  readonly makeup: number
}

/** The law frame by frame, with true logarithms and powers. */
function directly({ samples, sampleRate }: Signal, law: Law): Float64Array[] {
  const out = samples.map((values) => new Float64Array(values.length))
  const attack = law.attack > 0 ? Math.exp(-1 / (law.attack * sampleRate)) : 0
  const release = law.release > 0 ? Math.exp(-1 / (law.release * sampleRate)) : 0
  let reduction = 0
  for (let n = 0; n < (samples[0]?.length ?? 0); n++) {
    const over = 20 * Math.log10(Math.max(...samples.map((values) => Math.abs(values[n] ?? 0)))) - law.threshold
    const slope = 1 - 1 / law.ratio
    let target = 0
    if (over >= law.knee / 2) target = slope * over
    else if (over > -law.knee / 2) target = (slope * (over + law.knee / 2) ** 2) / (2 * law.knee)
    const factor = target > reduction ? attack : release
    reduction = target + factor * (reduction - target)
    for (const [channel, values] of samples.entries()) {
      const target = out[channel]
      if (target !== undefined) target[n] = (values[n] ?? 0) * 10 ** ((law.makeup - reduction) / 20)
    }
  }
  return out
}

/** Noise whose level swells and falls, and pauses. */
function swelling(sampleRate: number, frames: number): Signal {
  const samples = noise(2, 2, frames, 1).map((values) =>
    values.map((x, n) => (n % 9000 < 1000 ? 0 : x * Math.abs(Math.sin(n / 3000)) ** 3))
  )
  return { sampleRate, samples }
}

describe('compress', () => {
  test.each([
    ['-18 3', { threshold: -18, ratio: 3, attack: 0.005, release: 0.1, knee: 6, makeup: 0 }],
    ['-40 20 1ms 30ms 0 12', { threshold: -40, ratio: 20, attack: 0.001, release: 0.03, knee: 0, makeup: 12 }],
    ['-30 1.5 0 0 40 -3', { threshold: -30, ratio: 1.5, attack: 0, release: 0, knee: 40, makeup: -3 }],
    ['0 8 50ms 5ms 12', { threshold: 0, ratio: 8, attack: 0.05, release: 0.005, knee: 12, makeup: 0 }]
  ] as const)('is the direct loop with true logarithms within −120 dBFS: %s', (words, law) => {
    const signal = swelling(48_000, 60_000)
    expect(greatestDifference(runWords(compress, words, signal), directly(signal, law))).toBeLessThan(DIFFERENCE_MAX)
  })

  test('turns a steady level 12 dB above the threshold down to 3 dB above it at a ratio of 4', () => {
    const steady = { sampleRate: 48_000, samples: [new Float64Array(48_000).fill(10 ** (-8 / 20))] }
    const [out] = runWords(compress, '-20 4 5ms 50ms 0', steady)
    expect(20 * Math.log10(out?.at(-1) ?? 0)).toBeCloseTo(-17, 6)
  })

  test('leaves what stays below the knee as it is, bit for bit', () => {
    const quiet = { sampleRate: 48_000, samples: [sweep(48_000, 20_000, 0.01)] }
    expect(runWords(compress, '-30 4', quiet)).toEqual(quiet.samples)
  })

  test('turns all channels down alike', () => {
    const [loud = new Float64Array(0)] = noise(4, 1, 5000, 0.9)
    const [left, right] = runWords(compress, '-30 10', {
      sampleRate: 48_000,
      samples: [loud, loud.map((x) => x / 100)]
    })
    expect(right?.every((x, n) => Math.abs(x * 100 - (left?.[n] ?? 9)) < 1e-12)).toBe(true)
  })

  test('lets go of everything in silence: what comes after is untouched', () => {
    const samples = noise(6, 1, 60_000, 1).map((x) => x.map((v, n) => (n < 1000 ? v : n < 50_000 ? 0 : v * 1e-3)))
    const [out] = runWords(compress, '-30 4 0 1ms', { sampleRate: 48_000, samples })
    expect(out?.subarray(50_000)).toEqual(samples[0]?.subarray(50_000))
  })

  test('refuses an attack or release in samples that is longer than five seconds', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(1, 1, 10) }
    const refused = expect.objectContaining({ code: 'EFFECT_UNSUITABLE', message: expect.stringMatching(/0 to 5 s/) })
    expect(() => planWords(compress, '-18 3 40001s', signal)).toThrow(refused)
    expect(() => planWords(compress, '-18 3 0 999999999999999s', signal)).toThrow(refused)
  })
})
