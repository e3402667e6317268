import { expect, test } from 'vitest'
import { dcOffset } from '../../../../src/tasks/wav/effects/dc-offset.ts'
import { noise, type Signal } from './chain-runs.ts'
import { planWords, runWords, summaryOf } from './memory-runs.ts'

test('dc-offset brings each channel’s mean to 0', () => {
  const [left = new Float64Array(0), right = new Float64Array(0)] = noise(7, 2, 20_000, 0.3)
  const signal: Signal = { sampleRate: 8000, samples: [left.map((x) => x + 0.1), right.map((x) => x - 0.05)] }
  const out = runWords(dcOffset, '', signal, { measured: summaryOf(signal) })
  for (const mean of summaryOf({ sampleRate: 8000, samples: out }).dcOffsets) expect(Math.abs(mean)).toBeLessThan(1e-12)
})

test('dc-offset refuses audio that was not measured, or in other channels', () => {
  const signal: Signal = { sampleRate: 8000, samples: noise(1, 2, 10) }
  const refused = expect.objectContaining({ code: 'EFFECT_UNSUITABLE' })
  expect(() => planWords(dcOffset, '', signal)).toThrow(refused)
  const mono = summaryOf({ sampleRate: 8000, samples: noise(1, 1, 10) })
  expect(() => planWords(dcOffset, '', signal, { measured: mono })).toThrow(refused)
})
