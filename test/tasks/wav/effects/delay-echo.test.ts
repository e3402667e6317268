import { describe, expect, test } from 'vitest'
import { delay } from '../../../../src/tasks/wav/effects/delay.ts'
import { echo } from '../../../../src/tasks/wav/effects/echo.ts'
import { noise, type Signal } from './chain-runs.ts'
import { planWords, runWords } from './memory-runs.ts'

const stereo: Signal = { sampleRate: 8000, samples: noise(1, 2, 10) }
const refused = expect.objectContaining({ code: 'EFFECT_UNSUITABLE' })

describe('delay', () => {
  test('moves each channel by its own time and lengthens all by the longest', () => {
    const [left = new Float64Array(0), right = new Float64Array(0)] = runWords(delay, '3s 1s', stereo)
    expect([...left]).toEqual([0, 0, 0, ...(stereo.samples[0] ?? [])])
    expect([...right]).toEqual([0, ...(stereo.samples[1] ?? []), 0, 0])
  })

  test('refuses more times than channels, and times that are too long', () => {
    expect(() => planWords(delay, '0 1 2', stereo)).toThrow(refused)
    expect(() => planWords(delay, '480001s', stereo)).toThrow(refused)
    const wide: Signal = { sampleRate: 384_000, samples: noise(1, 8, 10) }
    expect(() => planWords(delay, '60 60 60 60 60 60 60 60', wide)).toThrow(refused)
  })
})

describe('echo', () => {
  test('adds fainter copies and is longer by the longest delay', () => {
    const one: Signal = { sampleRate: 8000, samples: [Float64Array.of(1, 0, 0)] }
    expect([...(runWords(echo, '0.5 2 2s 0.25 3s 0.125', one)[0] ?? [])]).toEqual([1, 0, 0.5, 0.25, 0, 0])
  })

  test('refuses a delay without decay, none at all, and one that is too long or holds too much', () => {
    expect(() => planWords(echo, '0.8 0.9 60ms 0.4 0.1', stereo)).toThrow(refused)
    expect(() => planWords(echo, '0.8 0.9 60ms 0.4 decay3=0.1', stereo)).toThrow(refused)
    expect(() => planWords(echo, '0.8 0.9 0 0.4', stereo)).toThrow(refused)
    expect(() => planWords(echo, '0.8 0.9 80001s 0.4', stereo)).toThrow(refused)
    const wide: Signal = { sampleRate: 384_000, samples: noise(1, 8, 10) }
    expect(() => planWords(echo, '0.8 0.9 10 0.4', wide)).toThrow(refused)
  })
})
