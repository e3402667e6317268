import { describe, expect, it } from 'vitest'
import { planTruePeak, TAP_PAIRS } from '../../../../src/tasks/wav/measure/true-peak-filter.ts'
import { TRUE_PEAK_HISTORY, TRUE_PEAK_TAIL, TruePeakMeter } from '../../../../src/tasks/wav/measure/true-peak-meter.ts'
import { noise, sweep } from '../effects/chain-runs.ts'
import { measure, sine } from './measured.ts'

/** All intervals, none left out, in the same order of additions. */
function everyInterval(samples: Float64Array, sampleRate: number): number {
  const { middle, even, odd, positions } = planTruePeak(sampleRate)
  let peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  for (let left = -TAP_PAIRS; left < samples.length; left++) {
    let half = 0
    let common = 0
    let apart = 0
    for (let pair = 0; pair < TAP_PAIRS; pair++) {
      const a = samples[left - pair] ?? 0
      const b = samples[left + 1 + pair] ?? 0
      half += (middle[pair] ?? 0) * (a + b)
      common += (even[pair] ?? 0) * (a + b)
      apart += (odd[pair] ?? 0) * (a - b)
    }
    if (positions > 0) peak = Math.max(peak, Math.abs(half))
    if (positions > 1) peak = Math.max(peak, Math.abs(common + apart), Math.abs(common - apart))
  }
  return peak
}

function scanned(samples: Float64Array, sampleRate: number): number {
  const meter = new TruePeakMeter(planTruePeak(sampleRate))
  const padded = new Float64Array(TRUE_PEAK_HISTORY + samples.length + TRUE_PEAK_TAIL)
  padded.set(samples, TRUE_PEAK_HISTORY)
  for (let from = TRUE_PEAK_HISTORY; from < padded.length; from += 1000) {
    meter.scan(padded, from, Math.min(padded.length, from + 1000))
  }
  return meter.peak
}

describe('TruePeakMeter', () => {
  it.each([8000, 48_000, 96_000, 192_000])('finds what looking into every interval finds, at %i Hz', (sampleRate) => {
    for (let seed = 0; seed < 10; seed++) {
      const [white = new Float64Array(0)] = noise(seed, 1, 5000)
      let low = 0
      const smooth = white.map((x) => {
        low += 0.2 * (x - low)
        return low
      })
      for (const samples of [white, smooth, sweep(48_000, 5000), white.map((x, n) => (n % 700 < 20 ? x : 0.01 * x))]) {
        expect(scanned(samples, sampleRate)).toBe(everyInterval(samples, sampleRate))
      }
    }
  })

  it('finds the crest between samples of a sine at a quarter of the rate', () => {
    const samples = Float64Array.from({ length: 2000 }, (_, n) => {
      return 0.5 * Math.sin(Math.PI * (n / 2 + 0.25)) * (0.5 - 0.5 * Math.cos((Math.PI * n) / 1000))
    })
    expect(samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0)).toBeLessThan(0.36)
    expect(Math.abs(scanned(samples, 48_000) - 0.5)).toBeLessThan(0.002)
  })

  // EBU Tech 3341 allows +0.2 and −0.4 dB.
  it.each([0.05, 0.1, 0.2, 0.25, 0.3, 0.4])('is within +0.2 and −0.4 dB for a sine at %d of the rate', (part) => {
    const [channel] = measure(sine(48_000, 0.5, 48_000 * part + 1.3, -6, 1)).channels
    const level = 20 * Math.log10(channel?.truePeak ?? 0)
    expect(level).toBeLessThan(-6 + 0.2)
    expect(level).toBeGreaterThan(-6 - 0.4)
  })
})
