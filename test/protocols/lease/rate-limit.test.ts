import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimit } from '../../../protocols/lease/rate-limit.ts'

test('lets a burst through, then no more until time has passed', () => {
  const limit = new RateLimit(3, 10, 0)
  expect([0, 0, 0, 0, 99, 100, 101].map((nowMs) => limit.take(nowMs))).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    false
  ])
})

test('never lets more through than the burst and the rate together', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (steps) => {
      const limit = new RateLimit(5, 20, 0)
      let nowMs = 0
      let taken = 0
      for (const step of steps) {
        nowMs += step
        if (limit.take(nowMs)) taken += 1
      }
      expect(taken).toBeLessThanOrEqual(5 + nowMs * 0.02 + 1e-6)
    })
  )
})
