import { describe, expect, test } from 'vitest'
import { normalize } from '../../../../src/tasks/wav/effects/normalize.ts'
import { greatestDifference, noise, type Signal } from './chain-runs.ts'
import { planWords, runWords, summaryOf } from './memory-runs.ts'

const signal: Signal = { sampleRate: 48_000, samples: noise(7, 2, 20_000, 0.3) }
const measured = summaryOf(signal, -20)

function scaled(gain: number): Float64Array[] {
  return signal.samples.map((values) => values.map((x) => x * gain))
}

function peakOf(samples: readonly Float64Array[]): number {
  return Math.max(...samples.map((values) => values.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0)))
}

describe('normalize', () => {
  test('brings the greatest sample of all channels to a level', () => {
    expect(peakOf(runWords(normalize, '-3', signal, { measured }))).toBeCloseTo(10 ** (-3 / 20), 12)
    expect(peakOf(runWords(normalize, '', signal, { measured }))).toBeCloseTo(1, 12)
  })

  test('brings the greatest true peak to a level in dBTP', () => {
    const summary = { ...measured, truePeaks: [0.2, 0.5] }
    expect(
      greatestDifference(runWords(normalize, '-6dBTP', signal, { measured: summary }), scaled(2 * 10 ** -0.3))
    ).toBeLessThan(1e-12)
  })

  test('brings the loudness to a level by one gain while peaks stay below the ceiling', () => {
    const out = runWords(normalize, '-16LUFS', signal, { measured })
    expect(greatestDifference(out, scaled(10 ** (4 / 20)))).toBeLessThan(1e-12)
  })

  test('limits peaks, and them alone, where the gain lifts them above the ceiling', () => {
    const ceiling = 10 ** (-6 / 20)
    const out = runWords(normalize, '-10LUFS -6dB', signal, { measured })
    expect(peakOf(out)).toBeLessThanOrEqual(ceiling)
    expect(peakOf(out)).toBeGreaterThan(0.99 * ceiling)
    expect(planWords(normalize, '-10LUFS -6dB', signal, { measured }).inputRange({ start: 5, end: 6 })).not.toEqual({
      start: 5,
      end: 6
    })
  })

  test('leaves silence as it is', () => {
    const silence = { sampleRate: 48_000, samples: [new Float64Array(100)] }
    for (const words of ['-16LUFS', '0', '-1dBTP']) {
      expect(runWords(normalize, words, silence, { measured: summaryOf(silence, Number.NEGATIVE_INFINITY) })).toEqual(
        silence.samples
      )
    }
  })

  test('refuses audio that was not measured', () => {
    expect(() => planWords(normalize, '-3', signal)).toThrow(expect.objectContaining({ code: 'EFFECT_UNSUITABLE' }))
  })
})
