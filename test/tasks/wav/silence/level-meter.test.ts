import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { levelFrameCount, levelFrameFrom, levelFrameStart } from '../../../../src/tasks/wav/silence/level-frames.ts'
import { LevelMeter, levelsByteLength } from '../../../../src/tasks/wav/silence/level-meter.ts'
import { buildSpeech, measureLevels } from './built-signal.ts'

function numbersOf(bytes: Uint8Array): number[] {
  return [...new Float32Array(bytes.slice().buffer)]
}

describe('level frames', () => {
  test('are 10 ms long, and start at the nearest sample where 100 does not divide the rate', () => {
    expect([0, 1, 2, 3].map((index) => levelFrameStart(11_025, index))).toEqual([0, 110, 221, 331])
    expect(levelFrameStart(48_000, 100)).toBe(48_000)
  })

  test('cover all audio without overlap at any rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8_000, max: 384_000 }), fc.nat(10_000_000), (sampleRate, frames) => {
        const count = levelFrameCount({ sampleRate, frames, channels: 1 })
        expect(levelFrameStart(sampleRate, count)).toBeGreaterThanOrEqual(frames)
        if (count > 0) expect(levelFrameStart(sampleRate, count - 1)).toBeLessThan(frames)
        expect(levelFrameFrom(sampleRate, levelFrameStart(sampleRate, count))).toBe(count)
      })
    )
  })
})

describe('LevelMeter', () => {
  const shape = { sampleRate: 8_000, channels: 2, frames: 200 }

  test('gives the RMS of the loudest channel in each frame, and of a short last one', () => {
    const left = new Float64Array(200).fill(0.25)
    const right = Float64Array.from({ length: 200 }, (_, frame) => (frame < 80 ? 0.5 : 0))
    expect(measureLevels(shape, [left, right]).map(numbersOf)).toEqual([[0.5, 0.25, 0.25]])
  })

  test('takes samples that are no numbers for loud', () => {
    const samples = new Float64Array(200)
    samples[5] = Number.NaN
    samples[90] = Number.NEGATIVE_INFINITY
    const levels = measureLevels(shape, [samples, new Float64Array(200)]).map(numbersOf)
    expect(levels).toEqual([[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0]])
  })

  test('gives the same bits however range and blocks are cut', () => {
    const cut = fc.array(fc.nat(60), { maxLength: 6 })
    fc.assert(
      fc.property(
        cut,
        fc.integer({ min: 1, max: 1024 }),
        fc.constantFrom(8_000, 11_025, 22_050),
        (cuts, block, rate) => {
          const audio = { sampleRate: rate, channels: 2, frames: 5_003 }
          const signal = buildSpeech(audio, [{ start: 0.1, end: 0.3 }])
          const whole = Buffer.concat(measureLevels(audio, signal))
          expect(Buffer.concat(measureLevels(audio, signal, cuts, block)).equals(whole)).toBe(true)
        }
      )
    )
  })

  test('refuses a range that cuts a level frame or leaves the audio', () => {
    for (const range of [
      { start: 1, end: 160 },
      { start: 0, end: 100 },
      { start: 80, end: 240 },
      { start: 160, end: 80 }
    ]) {
      expect(() => new LevelMeter(shape, range)).toThrow(RangeError)
    }
    expect(levelsByteLength(shape, { start: 80, end: 200 })).toBe(8)
    expect(levelsByteLength(shape, { start: 200, end: 200 })).toBe(0)
  })

  test('refuses frames beyond its range and a range that is not fed to its end', () => {
    const meter = new LevelMeter(shape, { start: 0, end: 80 })
    const block = [new Float64Array(81), new Float64Array(81)]
    expect(() => meter.feed(block, 81)).toThrow(RangeError)
    meter.feed(block, 79)
    expect(() => meter.finish()).toThrow(RangeError)
    meter.feed(block, 1)
    expect(meter.finish()).toHaveLength(4)
  })
})
