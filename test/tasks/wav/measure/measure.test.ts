import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { channelWeights } from '../../../../src/tasks/wav/measure/channel-weights.ts'
import { planKWeighting } from '../../../../src/tasks/wav/measure/k-weighting.ts'
import {
  binStart,
  measureWarmUpFrames,
  planMeasure,
  windowEnd
} from '../../../../src/tasks/wav/measure/measure-layout.ts'
import { RangeMeasure } from '../../../../src/tasks/wav/measure/range-measure.ts'
import { reduceMeasures, summaryOf } from '../../../../src/tasks/wav/measure/reduce-measures.ts'
import { noise, type Signal, shapeOf } from '../effects/chain-runs.ts'
import { inTurn, measure, measureRange, sine } from './measured.ts'

const hops = fc.array(fc.nat(40), { maxLength: 6 })
const near = (value: number | undefined, expected: number, apart: number) =>
  expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThanOrEqual(apart)

describe('measures', () => {
  it('do not depend on where the file is cut', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(4, 2, 31_234, 2) }
    const whole = measure(signal)
    fc.assert(
      fc.property(hops, (cuts) => {
        const { loudness, loudnessRange, momentaryMax, shortTermMax, ...exact } = measure(signal, cuts)
        expect(exact).toEqual({ ...exact, channels: whole.channels, spectrogram: whole.spectrogram })
        near(loudness, whole.loudness, 1e-9)
        near(loudnessRange, whole.loudnessRange, 1e-9)
        near(momentaryMax, whole.momentaryMax, 1e-9)
        near(shortTermMax, whole.shortTermMax, 1e-9)
      }),
      { numRuns: 25 }
    )
  })

  it('have the same bytes whatever is fed at once', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(4, 2, 12_345) }
    const layout = planMeasure(shapeOf(signal))
    const range = { start: 1600, end: 8000 }
    const expected = measureRange(layout, signal, range)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }), (sizes) => {
        expect(measureRange(layout, signal, range, sizes)).toEqual(expected)
      }),
      { numRuns: 15 }
    )
  })

  it('are what sums over all samples say', () => {
    const samples = noise(9, 2, 20_000, 0.7).map((values, channel) => values.map((x) => x + 0.1 * channel))
    const { channels, durationSeconds } = measure({ sampleRate: 8000, samples }, [3, 11])
    expect(durationSeconds).toBe(2.5)
    for (const [channel, values] of samples.entries()) {
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length
      const power = values.reduce((sum, x) => sum + x * x, 0) / values.length
      near(channels[channel]?.dcOffset, mean, 1e-12)
      near(channels[channel]?.rms, Math.sqrt(power), 1e-12)
      expect(channels[channel]?.peak).toBe(Math.max(...values.map(Math.abs)))
    }
  })

  it('count clipped samples and the longest run of them, across ranges', () => {
    const samples = new Float64Array(8000).fill(0.5)
    samples.fill(1, 100, 103)
    samples.fill(-1, 1500, 3300)
    samples[7999] = 1.5
    for (const cuts of [[], [2], [2, 3, 4], [1, 2, 3, 4, 5]]) {
      const [channel] = measure({ sampleRate: 8000, samples: [samples] }, cuts).channels
      expect(channel?.clippedSamples).toBe(3 + 1800 + 1)
      expect(channel?.longestClippedRun).toBe(1800)
    }
  })

  it('draw the least and greatest sample of every bin', () => {
    const [samples = new Float64Array(0)] = noise(2, 1, 9999)
    const layout = planMeasure({ sampleRate: 8000, channels: 1, frames: 9999 })
    const [channel] = measure({ sampleRate: 8000, samples: [samples] }, [5]).channels
    for (let bin = 0; bin < layout.waveformBins; bin++) {
      const part = samples.subarray(binStart(layout, bin), binStart(layout, bin + 1))
      expect(channel?.minima[bin]).toBe(Math.fround(Math.min(...part)))
      expect(channel?.maxima[bin]).toBe(Math.fround(Math.max(...part)))
    }
  })

  it('show a sine at full scale as level 255 of its row, and silence as 0', () => {
    const signal = inTurn(sine(48_000, 1, (48_000 * 100) / 2048, 0, 1), {
      sampleRate: 48_000,
      samples: [new Float64Array(48_000)]
    })
    const layout = planMeasure(shapeOf(signal))
    const rows = layout.spectrogramSize / 2 + 1
    const { spectrogram } = measure(signal, [7])
    const column = Math.floor(layout.spectrogramColumns / 4)
    expect(spectrogram[column * rows + 100]).toBe(255)
    expect(spectrogram[column * rows + 500]).toBeLessThan(20)
    expect(spectrogram.subarray(-rows * 5).every((level) => level === 0)).toBe(true)
  })

  it('keep layouts and bytes bounded', () => {
    const layout = planMeasure({ sampleRate: 48_000, channels: 2, frames: 10_000_000_000 })
    expect(layout.waveformBins).toBe(2000)
    expect(layout.spectrogramColumns).toBe(1200)
    expect(layout.windowsPerColumn).toBe(4)
    expect(windowEnd(layout, 4799)).toBeLessThanOrEqual(10_000_000_000)
    expect(measureWarmUpFrames(layout)).toBe(7200)
  })

  it.each([0, 1, 5, 511, 800])('take a file of %i frames', (frames) => {
    const signal: Signal = { sampleRate: 8000, samples: noise(1, 2, frames) }
    const measures = measure(signal)
    expect(measures.loudness).toBe(Number.NEGATIVE_INFINITY)
    expect(measures.channels[0]?.minima).toHaveLength(frames)
    expect(summaryOf(measures).peaks).toHaveLength(2)
  })

  it('refuse ranges that cut a hop, and feeding too much or too little', () => {
    const layout = planMeasure({ sampleRate: 8000, channels: 1, frames: 5000 })
    expect(() => new RangeMeasure(layout, { start: 5, end: 800 })).toThrow(RangeError)
    expect(() => new RangeMeasure(layout, { start: 0, end: 801 })).toThrow(RangeError)
    expect(() => new RangeMeasure(layout, { start: 0, end: 5001 })).toThrow(RangeError)
    const measured = new RangeMeasure(layout, { start: 0, end: 800 })
    expect(() => measured.feed([new Float64Array(900)], 900)).toThrow(/its range ends at 800/)
    expect(() => measured.finish()).toThrow(/fed up to frame 0/)
  })
})

describe('loudness', () => {
  it('has the coefficients that BS.1770 prints for 48 kHz', () => {
    const filter = planKWeighting(48_000)
    near(filter.b0, 1.53512485958697, 1e-9)
    near(filter.b1, -2.69169618940638, 1e-9)
    near(filter.b2, 1.19839281085285, 1e-9)
    near(filter.a1, -1.69065929318241, 1e-9)
    near(filter.a2, 0.73248077421585, 1e-9)
    near(filter.highPassA1, -1.99004745483398, 1e-9)
    near(filter.highPassA2, 0.99007225036621, 1e-9)
  })

  // EBU Tech 3341, table 1, cases 1 to 5.
  it.each([
    ['one level', -23, [[-23, 20]]],
    ['a lower level', -33, [[-33, 20]]],
    [
      'gated by level',
      -23,
      [
        [-36, 10],
        [-23, 60],
        [-36, 10]
      ]
    ],
    [
      'gated from silence',
      -23,
      [
        [-72, 10],
        [-36, 10],
        [-23, 60],
        [-36, 10],
        [-72, 10]
      ]
    ],
    [
      'levels that average',
      -23,
      [
        [-26, 20],
        [-20, 20.1],
        [-26, 20]
      ]
    ]
  ] as const)('is what EBU Tech 3341 expects of %s', (_name, expected, tones) => {
    const signal = inTurn(...tones.map(([level, seconds]) => sine(8000, seconds, 1000, level)))
    near(measure(signal, [13, 37]).loudness, expected, 0.1)
  })

  // EBU Tech 3342, table 1, cases 1 to 4.
  it.each([
    [10, [-20, -30]],
    [5, [-20, -15]],
    [20, [-40, -20]],
    [15, [-50, -35, -20, -35, -50]]
  ])('has the range of %d LU that EBU Tech 3342 expects', (expected, levels) => {
    const signal = inTurn(...levels.map((level) => sine(8000, 20, 1000, level)))
    near(measure(signal).loudnessRange, expected, 1)
  })

  it('weighs surround channels 1.41 and the low-frequency one 0', () => {
    expect(channelWeights(1)).toEqual([1])
    expect(channelWeights(6)).toEqual([1, 1, 1, 0, 1.41, 1.41])
    expect(channelWeights(6, 0x60f)).toEqual([1, 1, 1, 0, 1.41, 1.41])
    expect(channelWeights(8)).toEqual([1, 1, 1, 0, 1, 1, 1.41, 1.41])
    expect(channelWeights(12)).toEqual(new Array(12).fill(1))
    expect(channelWeights(3, 0x3)).toEqual([1, 1, 1])
  })

  it('has momentary and short-term maxima of the loudest place', () => {
    const measures = measure(inTurn(sine(8000, 4, 1000, -30), sine(8000, 4, 1000, -10), sine(8000, 4, 1000, -30)))
    near(measures.momentaryMax, -10, 0.1)
    near(measures.shortTermMax, -10, 0.1)
  })
})

describe('the reduction of measures', () => {
  const signal: Signal = { sampleRate: 8000, samples: noise(4, 1, 4000) }
  const layout = planMeasure(shapeOf(signal))
  const first = { range: { start: 0, end: 1600 }, bytes: measureRange(layout, signal, { start: 0, end: 1600 }) }
  const second = { range: { start: 1600, end: 4000 }, bytes: measureRange(layout, signal, { start: 1600, end: 4000 }) }

  it('takes parts in any order', () => {
    expect(reduceMeasures(layout, [second, first])).toEqual(reduceMeasures(layout, [first, second]))
  })

  it('refuses parts that leave frames out, or have them twice', () => {
    const invalid = expect.objectContaining({ code: 'MEASURE_INVALID' })
    expect(() => reduceMeasures(layout, [first])).toThrow(invalid)
    expect(() => reduceMeasures(layout, [second])).toThrow(invalid)
    expect(() => reduceMeasures(layout, [first, first, second])).toThrow(invalid)
    expect(() => reduceMeasures(layout, [{ ...first, range: { start: 0, end: 1601 } }, second])).toThrow(invalid)
    expect(() => reduceMeasures(layout, [first, { ...second, bytes: second.bytes.slice(1) }])).toThrow(invalid)
  })

  it('refuses numbers that no measure has', () => {
    const invalid = expect.objectContaining({ code: 'MEASURE_INVALID' })
    const poisons: readonly (readonly [at: number, value: number])[] = [
      [0, Number.NaN],
      [0, -1],
      [8, 0],
      [8, Number.POSITIVE_INFINITY],
      [16, 0.5],
      [16, 1e9],
      [24, 7],
      [56, Number.POSITIVE_INFINITY],
      [72, -1],
      [80, Number.NaN]
    ]
    for (const [at, value] of poisons) {
      const bytes = first.bytes.slice()
      new DataView(bytes.buffer).setFloat64(at, value, true)
      expect(() => reduceMeasures(layout, [{ ...first, bytes }, second]), `${value} at ${at}`).toThrow(invalid)
    }
    const bytes = first.bytes.slice()
    new DataView(bytes.buffer).setFloat32(8 * 12, Number.NaN, true)
    expect(() => reduceMeasures(layout, [{ ...first, bytes }, second])).toThrow(invalid)
  })

  it('gives finite measures or an error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: first.bytes.length, maxLength: first.bytes.length }), (bytes) => {
        try {
          expect(reduceMeasures(layout, [{ ...first, bytes }, second]).loudness).not.toBeNaN()
        } catch (error) {
          expect(error).toMatchObject({ code: 'MEASURE_INVALID' })
        }
      })
    )
  })
})
