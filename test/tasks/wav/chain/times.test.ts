import { describe, expect, test } from 'vitest'
import { framesOf, parseTime, secondsOf } from '../../../../src/tasks/wav/chain/times.ts'

describe('times', () => {
  test.each([
    ['1.5', 1.5],
    ['250ms', 0.25],
    ['0.1MS', 0.0001],
    ['1:30', 90],
    ['90:00', 5400],
    ['1:02:03.5', 3723.5],
    ['48000s', '48000s'],
    ['007s', '7s']
  ])('reads %s', (word, setting) => {
    expect(parseTime(word)).toBe(setting)
  })

  test.each(['', 'x', '1:60', '1:60:00', '1::2', '1.5s', '-3s', '1min', ':30', `${'9'.repeat(16)}s`])(
    'does not read %j',
    (word) => {
      expect(parseTime(word)).toBeUndefined()
    }
  )

  test('are rounded to frames, and samples taken as they are', () => {
    expect(framesOf(0.00013, 8000)).toBe(1)
    expect(framesOf('7s', 44_100)).toBe(7)
    expect(secondsOf('22050s', 44_100)).toBe(0.5)
    expect(secondsOf(2, 44_100)).toBe(2)
  })

  test.each([undefined, 'soon', Number.NaN])('refuse %s', (setting) => {
    expect(() => framesOf(setting, 8000)).toThrowError(expect.objectContaining({ code: 'EFFECT_UNSUITABLE' }))
    expect(() => secondsOf(setting, 8000)).toThrowError(expect.objectContaining({ code: 'EFFECT_UNSUITABLE' }))
  })
})
