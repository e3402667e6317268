import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compress } from '../../../../src/tasks/wav/effects/compress.ts'
import { convolve } from '../../../../src/tasks/wav/effects/convolve.ts'
import { dcOffset } from '../../../../src/tasks/wav/effects/dc-offset.ts'
import { dcshift } from '../../../../src/tasks/wav/effects/dcshift.ts'
import { delay } from '../../../../src/tasks/wav/effects/delay.ts'
import { echo } from '../../../../src/tasks/wav/effects/echo.ts'
import { type EffectKind, PRE_ROLL_LEVEL } from '../../../../src/tasks/wav/effects/effect.ts'
import { limit } from '../../../../src/tasks/wav/effects/limit.ts'
import { normalize } from '../../../../src/tasks/wav/effects/normalize.ts'
import { reverb } from '../../../../src/tasks/wav/effects/reverb.ts'
import { noise, type Signal } from './chain-runs.ts'
import { loudThenSilent, planWords, runPlanned, summaryOf } from './memory-runs.ts'

const SAMPLE_RATE = 8000
const FRAMES = 16_000
/** Loud up to the middle, from where on nothing or little hides what is left of it. */
const MIDDLE = 8000
const loud = noise(5, 2, FRAMES, 1)
const SIGNALS: readonly Signal[] = [
  { sampleRate: SAMPLE_RATE, samples: loud },
  { sampleRate: SAMPLE_RATE, samples: loudThenSilent(loud, MIDDLE) },
  { sampleRate: SAMPLE_RATE, samples: loud.map((values) => values.map((_, n) => (n < MIDDLE ? 1 : 0.3))) },
  { sampleRate: SAMPLE_RATE, samples: loud.map((values) => values.map((x, n) => (n < MIDDLE ? x : x * 0.01))) }
]
const impulse = (): { sampleRate: number; channels: readonly Float64Array[] } => ({
  sampleRate: SAMPLE_RATE,
  channels: noise(8, 1, 3001, 0.05)
})

const CASES: readonly (readonly [kind: EffectKind, words: string])[] = [
  [delay, '0 0.2'],
  [echo, '0.8 0.9 60ms 0.4 333s 0.5'],
  [reverb, '0'],
  [reverb, '10 0 20 100 5ms'],
  [reverb, '20 100 10 0 0 10 wet-only'],
  [convolve, 'hall.wav -3 -6'],
  [compress, '-30 4 0.002 0.02'],
  [compress, '-18 100 0 30ms 0 12'],
  [limit, '-12 5ms 20ms'],
  [limit, '-6dBTP 2ms 10ms'],
  [normalize, '-3'],
  [normalize, '-14LUFS'],
  [dcOffset, ''],
  [dcshift, '0.1']
]
const cut = fc.integer({ min: 0, max: 1000 })
const sizes = fc.array(fc.integer({ min: 1, max: 1024 }), { minLength: 1, maxLength: 5 })

describe.each(CASES)('$0.name $1', (kind, words) => {
  test.each([0, 1, 2, 3])('is within the pre-roll level of one run, wherever it is cut (signal %i)', (index) => {
    const signal = SIGNALS[index] as Signal
    const plan = planWords(kind, words, signal, { measured: summaryOf(signal), impulse })
    const whole = runPlanned(plan, signal)
    const { frames } = plan.output
    const check = (start: number, end: number): void => {
      const part = runPlanned(plan, signal, { start, end })
      let apart = 0
      for (const [channel, samples] of part.entries()) {
        for (const [i, x] of samples.entries())
          apart = Math.max(apart, Math.abs(x - (whole[channel]?.[start + i] ?? 9)))
      }
      expect(apart).toBeLessThanOrEqual(PRE_ROLL_LEVEL)
    }
    // Where the pre-roll begins just behind the loud half, it lacks the most.
    let worst = MIDDLE
    while (worst < frames && plan.inputRange({ start: worst, end: frames }).start < MIDDLE) worst += 50
    check(worst, frames)
    check(frames - 1, frames)
    fc.assert(
      fc.property(cut, cut, (one, other) => {
        const [start = 0, end = 0] = [one, other].map((c) => Math.floor((c / 1000) * frames)).sort((a, b) => a - b)
        check(start, end)
      }),
      { numRuns: 8 }
    )
  })

  test('gives the same bits whatever sizes it is read in', () => {
    const signal = SIGNALS[1] as Signal
    const plan = planWords(kind, words, signal, { measured: summaryOf(signal), impulse })
    const range = { start: 7000, end: 11_000 }
    const expected = runPlanned(plan, signal, range)
    fc.assert(
      fc.property(sizes, (blocks) => {
        expect(runPlanned(plan, signal, range, blocks)).toEqual(expected)
      }),
      { numRuns: 8 }
    )
  })

  test('reads a range of input that never shrinks when the output’s grows', () => {
    const signal = SIGNALS[0] as Signal
    const plan = planWords(kind, words, signal, { measured: summaryOf(signal), impulse })
    fc.assert(
      fc.property(fc.array(cut, { minLength: 4, maxLength: 4 }), (cuts) => {
        const [a = 0, b = 0, c = 0, d = 0] = cuts
          .map((c) => Math.floor((c / 1000) * plan.output.frames))
          .sort((one, other) => one - other)
        const inner = plan.inputRange({ start: b, end: c })
        const outer = plan.inputRange({ start: a, end: d })
        if (inner.end > inner.start) {
          expect(outer.start).toBeLessThanOrEqual(inner.start)
          expect(outer.end).toBeGreaterThanOrEqual(inner.end)
        }
        expect(outer.start).toBeGreaterThanOrEqual(0)
        expect(outer.end).toBeLessThanOrEqual(FRAMES)
      })
    )
  })
})
