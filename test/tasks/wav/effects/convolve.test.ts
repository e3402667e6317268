import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convolve } from '../../../../src/tasks/wav/effects/convolve.ts'
import type { PlanResources } from '../../../../src/tasks/wav/effects/effect.ts'
import { greatestDifference, noise, type Signal } from './chain-runs.ts'
import { planWords, runWords } from './memory-runs.ts'

/** −120 dBFS. */
const DIFFERENCE_MAX = 1e-6

function resources(channels: readonly Float64Array[], sampleRate = 8000): PlanResources {
  return { impulse: () => ({ sampleRate, channels }) }
}

function directly(signal: Float64Array, response: Float64Array, wet: number, dry: number): Float64Array {
  const out = new Float64Array(signal.length + response.length - 1)
  for (const [n, x] of signal.entries()) {
    for (const [k, h] of response.entries()) out[n + k] = (out[n + k] ?? 0) + wet * h * x
    out[n] = (out[n] ?? 0) + dry * x
  }
  return out
}

describe('convolve', () => {
  test.each([
    [1, 1, 3000],
    [2, 1, 700],
    [2, 2, 1537],
    [1, 2, 1]
  ])(
    'is the direct sum within −120 dBFS: response and signal of %i and %i channels, %i frames',
    (wide, channels, frames) => {
      const signal: Signal = { sampleRate: 8000, samples: noise(3, channels, 2500, 1) }
      const response = noise(4, wide === 2 && channels === 2 ? 2 : 1, frames, 0.1)
      const out = runWords(convolve, 'a.wav 6 -6', signal, resources(response))
      const expected = signal.samples.map((values, channel) =>
        directly(values, response[response.length === 1 ? 0 : channel] ?? new Float64Array(0), 10 ** 0.3, 10 ** -0.3)
      )
      expect(greatestDifference(out, expected)).toBeLessThan(DIFFERENCE_MAX)
    }
  )

  test('leaves a signal as it is behind a response of a single one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (frames) => {
        const signal: Signal = { sampleRate: 8000, samples: noise(frames, 1, frames) }
        const out = runWords(convolve, 'a.wav', signal, resources([Float64Array.of(1)]))
        expect(greatestDifference(out, signal.samples)).toBeLessThan(1e-14)
      }),
      { numRuns: 20 }
    )
  })

  test('refuses responses that do not fit, and says what does', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(3, 2, 10) }
    const plan =
      (given: PlanResources): (() => unknown) =>
      () =>
        planWords(convolve, 'a.wav', signal, given)
    const refused = (message: RegExp): unknown =>
      expect.objectContaining({ code: 'EFFECT_UNSUITABLE', message: expect.stringMatching(message) })
    expect(plan({})).toThrow(refused(/no files/))
    expect(plan(resources(noise(1, 1, 10), 44_100))).toThrow(refused(/44100 Hz.*resample/))
    expect(plan(resources(noise(1, 3, 10)))).toThrow(refused(/1 or 2 channels/))
    expect(plan(resources([]))).toThrow(refused(/channels/))
    expect(plan(resources([new Float64Array(0)]))).toThrow(refused(/0 frames/))
    expect(plan(resources([new Float64Array(60 * 8000 + 1)]))).toThrow(refused(/60 s/))
    const wide: Signal = { sampleRate: 192_000, samples: noise(3, 32, 10) }
    expect(() => planWords(convolve, 'a.wav', wide, resources([new Float64Array(5_000_000)], 192_000))).toThrow(
      refused(/spectra/)
    )
  })
})
