import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PRE_ROLL_LEVEL } from '../../../../src/tasks/wav/effects/effect.ts'
import { greatestDifference, noise, planFor, runRange, runWhole, type Signal } from './chain-runs.ts'

/** Without memory, or with a memory that is carried exactly: ranges give the whole run's bits. */
const EXACT = [
  '',
  'gain -3',
  'invert',
  'reverse',
  'fade 0.02 700s quarter-sine',
  'fade 0.05 0 log',
  'trim 0.01 0.05',
  'pad 0.03 500s',
  'channels mono',
  'channels stereo',
  'channels swap',
  'gain 2, reverse, trim 300s, pad 100s 200s, fade 400s 500s, channels mono'
]

const FILTERS = [
  'highpass 300',
  'highpass 900 poles=1',
  'lowpass 200',
  'lowpass 60 poles=1',
  'bandpass 440 50h',
  'notch 1000 3q',
  'eq 500 2q 9',
  'bass 12 200',
  'treble -9 2000',
  'speed 1.1, highpass 200, echo 0.8 0.9 20ms 0.4, reverse, resample 11025, delay 0 10ms',
  'pad 700s 900s, highpass 200, fade 100s 800s',
  'highpass 200, eq 1000 1q -4, reverse, bass 3, trim 100s, notch 600 100'
]

const SIGNAL: Signal = { sampleRate: 8000, samples: noise(3, 3, 4000) }
const cuts = fc.array(fc.nat(1000), { maxLength: 8 })
const blocks = fc.array(fc.integer({ min: 1, max: 1024 }), { minLength: 1, maxLength: 5 })

function inRanges(text: string, shares: readonly number[]): readonly Float64Array[] {
  const plan = planFor(text, SIGNAL)
  const { frames, channels } = plan.output
  const inner = shares.map((share) => Math.floor((share / 1000) * frames)).sort((one, other) => one - other)
  const result = Array.from({ length: channels }, () => new Float64Array(frames))
  let start = 0
  for (const end of [...inner, frames]) {
    const part = runRange(plan, SIGNAL, { start, end })
    for (const [channel, samples] of part.entries()) result[channel]?.set(samples, start)
    start = end
  }
  return result
}

describe('ranges of an effect’s output', () => {
  test.each(EXACT)('are bit for bit the whole run’s, wherever they are cut: %s', (text) => {
    const whole = runWhole(text, SIGNAL)
    fc.assert(
      fc.property(cuts, (shares) => {
        expect(inRanges(text, shares)).toEqual(whole)
      }),
      { numRuns: 25 }
    )
  })

  test.each(FILTERS)('are the whole run’s within −140 dBFS, wherever they are cut: %s', (text) => {
    const whole = runWhole(text, SIGNAL)
    fc.assert(
      fc.property(cuts, (shares) => {
        expect(greatestDifference(inRanges(text, shares), whole)).toBeLessThanOrEqual(PRE_ROLL_LEVEL)
      }),
      { numRuns: 25 }
    )
  })

  test.each([...EXACT, ...FILTERS])('have the same bits whatever is read at once: %s', (text) => {
    const plan = planFor(text, SIGNAL)
    fc.assert(
      fc.property(blocks, fc.nat(1000), fc.nat(1000), (sizes, one, other) => {
        const bound = (share: number): number => Math.floor((share / 1000) * plan.output.frames)
        const range = { start: bound(Math.min(one, other)), end: bound(Math.max(one, other)) }
        expect(runRange(plan, SIGNAL, range, sizes)).toEqual(runRange(plan, SIGNAL, range))
      }),
      { numRuns: 25 }
    )
  })

  test.each([...EXACT, ...FILTERS])('ask for input within the input, and for no less when they grow: %s', (text) => {
    const plan = planFor(text, SIGNAL)
    const bound = fc.nat(plan.output.frames)
    fc.assert(
      fc.property(bound, bound, bound, bound, (...bounds) => {
        const [a, b, c, d] = bounds.sort((one, other) => one - other) as [number, number, number, number]
        const inner = plan.inputRange({ start: b, end: c })
        const outer = plan.inputRange({ start: a, end: d })
        expect(outer.start).toBeGreaterThanOrEqual(0)
        expect(outer.start).toBeLessThanOrEqual(outer.end)
        expect(outer.end).toBeLessThanOrEqual(4000)
        if (inner.end === inner.start) return
        expect(outer.start).toBeLessThanOrEqual(inner.start)
        expect(outer.end).toBeGreaterThanOrEqual(inner.end)
      })
    )
  })
})
