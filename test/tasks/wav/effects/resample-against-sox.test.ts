import { describe, expect, it } from 'vitest'
import { resample } from '../../../../src/tasks/wav/effects/resample.ts'
import { speed } from '../../../../src/tasks/wav/effects/speed.ts'
import { SOX } from '../../../support/audio-tools.ts'
import { greatestDifference, noise, type Signal, shapeOf } from './chain-runs.ts'
import { rateThroughSox, runEffect, tones } from './resample-runs.ts'

/** −90 dBFS. */
const DIFFERENCE_MAX = 10 ** (-90 / 20)

const title = SOX === undefined ? 'against SoX (sox is not installed)' : 'against SoX'
describe.skipIf(SOX === undefined)(title, () => {
  it.each([
    [44_100, 48_000],
    [48_000, 44_100],
    [44_100, 96_000],
    [48_000, 22_050],
    [8000, 44_100]
  ])('has the samples of `rate -v` where the signal is band-limited: %i to %i Hz', (from, to) => {
    const tone = tones(9000, from, Math.min(from, to))
    const signal: Signal = {
      sampleRate: from,
      samples: [Float64Array.from({ length: 9000 }, (_, n) => tone(n / from))]
    }
    const plan = resample.plan({ rate: to }, shapeOf(signal), {})
    const apart = greatestDifference(runEffect(plan, signal), [rateThroughSox(signal, `rate -v ${to}`, to)])
    expect(apart).toBeLessThan(DIFFERENCE_MAX)
  })

  it.each([0.1, 0.7, 1.25, 2, 3])('has the samples of `speed` in high quality: %d', (factor) => {
    const tone = tones(9000, 44_100, Math.min(44_100, 44_100 / factor))
    const samples = [Float64Array.from({ length: 9000 }, (_, n) => tone(n / 44_100))]
    const signal: Signal = { sampleRate: 44_100, samples }
    const plan = speed.plan({ factor }, shapeOf(signal), {})
    const apart = greatestDifference(runEffect(plan, signal), [
      rateThroughSox(signal, `speed ${factor} rate -v 44100`, 44_100)
    ])
    expect(apart).toBeLessThan(DIFFERENCE_MAX)
  })

  it('is nearer to what the signal is where SoX is not near enough: speed 1.01', () => {
    const tone = tones(9000, 44_100, 44_100 / 1.01)
    const samples = [Float64Array.from({ length: 9000 }, (_, n) => tone(n / 44_100))]
    const signal: Signal = { sampleRate: 44_100, samples }
    const plan = speed.plan({ factor: 1.01 }, shapeOf(signal), {})
    const expected = [Float64Array.from({ length: plan.output.frames }, (_, n) => tone((n * 1.01) / 44_100))]
    const ours = greatestDifference(runEffect(plan, signal), expected)
    const theirs = greatestDifference([rateThroughSox(signal, 'speed 1.01 rate -v 44100', 44_100)], expected)
    expect(ours).toBeLessThan(2e-6)
    expect(ours).toBeLessThan(theirs)
  })

  it.each([1, 6, 7, 101, 919, 1000, 12_345])('has as many frames: %i', (frames) => {
    const signal: Signal = { sampleRate: 48_000, samples: noise(2, 1, frames) }
    for (const rate of [44_100, 96_000, 22_050, 32_000]) {
      const { output } = resample.plan({ rate }, shapeOf(signal), {})
      const length = rateThroughSox(signal, `rate -v ${rate}`, rate).length
      expect(output.frames).toBe(Math.max(1, length))
    }
    for (const factor of [0.7, 1.01, 1.25, 3]) {
      const { output } = speed.plan({ factor }, shapeOf(signal), {})
      const length = rateThroughSox(signal, `speed ${factor} rate -v 48000`, 48_000).length
      expect(output.frames).toBe(Math.max(1, length))
    }
  })
})
