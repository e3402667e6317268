import { describe, expect, test } from 'vitest'
import { BLOCK_FRAMES } from '../../../../src/tasks/wav/effects/effect.ts'
import { cookbook, filterDirectly } from './biquad-reference.ts'
import { greatestDifference, noise, planFor, runRange, runWhole, type Signal } from './chain-runs.ts'

const CASES = [
  ['highpass', 'highpass 80', 80, Math.SQRT1_2, 0],
  ['lowpass', 'lowpass 1k 2q', 1000, 2, 0],
  ['bandpass', 'bandpass 1000 200', 1000, 5, 0],
  ['notch', 'notch 50 1q', 50, 1, 0],
  ['eq', 'eq 3000 1.2q -4', 3000, 1.2, -4],
  ['bass', 'bass 12 150 0.7q', 150, 0.7, 12],
  ['treble', 'treble -7 5k 0.9q', 5000, 0.9, -7],
  ['lowpass', 'lowpass 2000 2o', 2000, qOfOctaves(2, (2 * Math.PI * 2000) / 48_000), 0],
  ['bass', 'bass -10 200 0.8s', 200, qOfSlope(0.8, -10), -10],
  ['treble', 'treble 5', 3000, qOfSlope(0.5, 5), 5]
] as const

function qOfOctaves(octaves: number, omega: number): number {
  return 1 / (2 * Math.sinh((Math.LN2 / 2) * octaves * (omega / Math.sin(omega))))
}

function qOfSlope(slope: number, gainDb: number): number {
  const amplitude = 10 ** (gainDb / 40)
  return 1 / Math.sqrt((amplitude + 1 / amplitude) * (1 / slope - 1) + 2)
}

function stereo(frames: number): Signal {
  return { sampleRate: 48_000, samples: noise(11, 2, frames) }
}

describe('second-order filters', () => {
  test.each(CASES)('%s is what the cookbook’s formula gives in a direct loop', (type, text, frequency, q, gainDb) => {
    const signal = stereo(5000)
    const coefficients = cookbook(type, frequency, q, gainDb, signal.sampleRate)
    const expected = signal.samples.map((samples) => filterDirectly(coefficients, samples))
    expect(greatestDifference(runWhole(text, signal), expected)).toBeLessThan(1e-11)
  })

  test.each(['highpass', 'lowpass'] as const)('%s with one pole is a one-pole recursion', (type) => {
    const signal = stereo(5000)
    const pole = Math.exp((-2 * Math.PI * 440) / signal.sampleRate)
    const numerator = type === 'lowpass' ? [1 - pole, 0, 0] : [(1 + pole) / 2, -(1 + pole) / 2, 0]
    const expected = signal.samples.map((samples) => filterDirectly([...numerator, 1, -pole, 0], samples))
    expect(greatestDifference(runWhole(`${type} 440 poles=1`, signal), expected)).toBeLessThan(1e-12)
  })

  test('give each channel the bits that it gets alone, in any number of channels', () => {
    const samples = noise(5, 5, 3000)
    const together = runWhole('eq 300 1q 6', { sampleRate: 44_100, samples })
    const alone = samples.map((channel) => runWhole('eq 300 1q 6', { sampleRate: 44_100, samples: [channel] })[0])
    expect(together).toEqual(alone)
  })

  test('fall to exact zero in silence instead of running on in denormal numbers', () => {
    const samples = [new Float64Array(40_000), new Float64Array(40_000)]
    for (const channel of samples) channel.fill(0.5, 0, 100)
    const [left] = runWhole('lowpass 2000', { sampleRate: 8000, samples })
    expect(left?.subarray(3000).every((sample) => sample === 0)).toBe(true)
    const denormal = left?.filter((sample) => sample !== 0 && Math.abs(sample) < 2 ** -1022)
    expect(denormal?.length).toBeLessThan(BLOCK_FRAMES)
  })

  test('have their first range begin with state zero and no pre-roll', () => {
    const signal = stereo(3000)
    const plan = planFor('highpass 20', signal)
    expect(plan.inputRange({ start: 0, end: 1000 })).toEqual({ start: 0, end: 1000 })
    const whole = runRange(plan, signal, { start: 0, end: 3000 })
    const first = runRange(plan, signal, { start: 0, end: 1000 })
    expect(first).toEqual(whole.map((channel) => channel.slice(0, 1000)))
  })

  test.each([
    ['highpass 24k', 'below 24000 Hz'],
    ['highpass 24k poles=1', 'below 24000 Hz'],
    ['lowpass 100k', 'below 24000 Hz'],
    ['eq 24k 1q 3', 'below 24000 Hz'],
    ['notch 1000 0.001h', 'rings for more than 60 s'],
    ['highpass 0.1 100q', 'rings for more than 60 s'],
    ['lowpass 1000 5000o', 'rings for more than 60 s'],
    ['bass 3 100 1.5s', 'slope of at most 1s']
  ])('refuse %s at 48 kHz', (text, problem) => {
    expect(() => planFor(text, stereo(100))).toThrowError(
      expect.objectContaining({ code: 'EFFECT_UNSUITABLE', message: expect.stringContaining(problem) })
    )
  })
})
