import { describe, expect, test } from 'vitest'
import { reduceVoice, VOICE_DEFAULTS } from '../../../../src/tasks/wav/silence/voice-report.ts'

const WINDOW_SECONDS = 0.032

function reduce(text: string, cuts: readonly number[] = []) {
  const flags = Uint8Array.from(text, (digit) => Number(digit))
  const borders = [0, ...cuts, flags.length]
  const parts = borders.slice(1).map((end, index) => flags.subarray(borders[index], end))
  return reduceVoice({ sampleRate: 1000, channels: 1, frames: flags.length * 32 - 5 }, WINDOW_SECONDS, parts)
}

describe('reduceVoice', () => {
  test('bridges short pauses, leaves out short stretches, and adds a margin within the audio', () => {
    const speech = '1'.repeat(10) + '0'.repeat(5) + '1'.repeat(10)
    const report = reduce(`${'0'.repeat(20)}${speech}${'0'.repeat(30)}1111000000000000000${'1'.repeat(20)}`)
    expect(report.speech).toHaveLength(2)
    expect(report.speech[0]?.start).toBeCloseTo(20 * WINDOW_SECONDS - 0.1, 9)
    expect(report.speech[0]?.end).toBeCloseTo(45 * WINDOW_SECONDS + 0.1, 9)
    expect(report.speech[1]?.end).toBe(report.duration)
  })

  test('does not depend on how flags were cut', () => {
    const flags = '0110'.repeat(20) + '1'.repeat(40) + '0'.repeat(40)
    expect(reduce(flags, [1, 7, 80, 81, 119])).toEqual(reduce(flags))
  })

  test('refuses flags that do not cover the audio, and margins that would meet', () => {
    const shape = { sampleRate: 1000, channels: 1, frames: 100 }
    for (const count of [3, 5]) {
      expect(() => reduceVoice(shape, WINDOW_SECONDS, [new Uint8Array(count)])).toThrow(RangeError)
    }
    const wide = { ...VOICE_DEFAULTS, margin: 0.2 }
    expect(() => reduceVoice(shape, WINDOW_SECONDS, [new Uint8Array(4)], wide)).toThrow(RangeError)
    expect(reduceVoice(shape, WINDOW_SECONDS, [new Uint8Array(4)]).speech).toEqual([])
  })
})
