import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CATALOGUE, SOX_NAMES } from '../../../../src/tasks/wav/effects/catalogue.ts'
import { type PlanResources, PRE_ROLL_LEVEL } from '../../../../src/tasks/wav/effects/effect.ts'
import { greatestDifference, noise, planFor, runRange, type Signal } from './chain-runs.ts'

/** Short memories, so that ranges do not reach back to the beginning where that can be helped. */
const EXAMPLES = [
  'gain -3',
  'invert',
  'dc-offset',
  'dcshift 0.01',
  'normalize -16LUFS',
  'compress -18 3 1ms 5ms',
  'limit -20 2ms 5ms',
  'highpass 300',
  'lowpass 300',
  'bandpass 440 80',
  'notch 440 80',
  'eq 440 1q 6',
  'bass 6 300',
  'treble 6',
  'delay 10ms 0',
  'echo 0.8 0.9 20ms 0.4',
  'reverb 0 100 10',
  'convolve room.wav -6',
  'fade 0.1 0.2',
  'trim 0.1 1',
  'pad 0.1 0.2',
  'reverse',
  'speed 1.1',
  'resample 11025',
  'channels mono'
]

const SIGNAL: Signal = { sampleRate: 8000, samples: noise(9, 2, 16_000) }

const RESOURCES: PlanResources = {
  measured: { peaks: [0.25, 0.25], truePeaks: [0.3, 0.3], dcOffsets: [0.01, -0.02], loudness: -20 },
  impulse: () => ({ sampleRate: 8000, channels: noise(4, 1, 500) })
}

const sizes = fc.array(fc.integer({ min: 1, max: 1024 }), { minLength: 1, maxLength: 4 })

describe('every effect of the catalogue', () => {
  test('has an example here', () => {
    expect(EXAMPLES.map((text) => text.split(' ')[0])).toEqual(CATALOGUE.map(({ name }) => name))
  })

  test.each(EXAMPLES)('gives any range as the whole run does, within −140 dBFS, in any blocks: %s', (text) => {
    const plan = planFor(text, SIGNAL, RESOURCES)
    const { frames } = plan.output
    const whole = runRange(plan, SIGNAL, { start: 0, end: frames })
    fc.assert(
      fc.property(fc.nat(frames - 1), fc.integer({ min: 1, max: 2500 }), sizes, (start, length, blocks) => {
        const range = { start, end: Math.min(frames, start + length) }
        const part = runRange(plan, SIGNAL, range)
        expect(runRange(plan, SIGNAL, range, blocks)).toEqual(part)
        const expected = whole.map((samples) => samples.slice(range.start, range.end))
        expect(greatestDifference(part, expected)).toBeLessThanOrEqual(PRE_ROLL_LEVEL)
      }),
      { numRuns: 12 }
    )
  })
})

test('hints at effects that are there', () => {
  const names = CATALOGUE.map(({ name }) => name)
  for (const hint of Object.values(SOX_NAMES)) expect(names).toContain(hint.split(' ')[0])
})
