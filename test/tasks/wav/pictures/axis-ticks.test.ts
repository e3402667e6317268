import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frequencyTicks, timeTicks } from '../../../../src/tasks/wav/pictures/axis-ticks.ts'

describe('timeTicks', () => {
  test('counts in steps that people count in', () => {
    expect(timeTicks(12, 5).map(({ label }) => label)).toEqual(['0:00', '0:05', '0:10'])
    expect(timeTicks(3700, 6).map(({ label }) => label)).toEqual(['0:00', '15:00', '30:00', '45:00', '1:00:00'])
    expect(timeTicks(0.2, 6).map(({ label }) => label)).toEqual(['0.00', '0.05', '0.10', '0.15', '0.20'])
    expect(timeTicks(90.5, 4).map(({ label }) => label)).toEqual(['0:00', '0:30', '1:00', '1:30'])
  })

  test('never has more marks than fit, and all of them within the duration', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), fc.integer({ min: 2, max: 40 }), (duration, most) => {
        const ticks = timeTicks(duration, most)
        expect(ticks.length).toBeGreaterThanOrEqual(1)
        expect(ticks.length).toBeLessThanOrEqual(most)
        expect(ticks.at(-1)?.value).toBeLessThanOrEqual(duration + 1e-6)
      })
    )
  })
})

describe('frequencyTicks', () => {
  test('names kHz from 1000 Hz on', () => {
    expect(frequencyTicks(22_050, 6).map(({ label }) => label)).toEqual(['0', '5k', '10k', '15k', '20k'])
    expect(frequencyTicks(1000, 3).map(({ label }) => label)).toEqual(['0', '500', '1000'])
  })
})
