import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silence } from '../../../src/tasks/wav/audio-kinds.ts'
import { segmentJob } from '../../../src/tasks/wav/segment-jobs.ts'
import { encodeHead } from '../../../src/tasks/wav/segments/chunk-head.ts'
import { findSilence } from '../../../src/tasks/wav/silence/silence-findings.ts'
import { SilencePass, silenceKernel, silencePassOf } from '../../../src/tasks/wav/silence.ts'
import { type EncodedAudio, encodePlan, type SilencePlan } from '../../../src/tasks/wav/wav-plan.ts'
import { cutFrames, encodeAudio, runsOf } from '../../support/audio-plans.ts'
import { noise } from './effects/chain-runs.ts'

const settings = { threshold: -40, hysteresis: 3, leastSilence: 0.5, leastSound: 0.1 }

/** Noise with two gaps, of a rate that 100 does not divide. */
const source: EncodedAudio = { sampleRate: 11_025, channels: 2, frames: 40_007, encoding: 's16' }
const samples = noise(1, 2, source.frames).map((channel) => channel.fill(0, 9000, 16_000).fill(0, 30_000, 36_100))
const audio = encodeAudio(samples, 's16')

function planOf(segmentLevels: number): SilencePlan {
  return { source, settings, segmentLevels }
}

function levelsOf(plan: SilencePlan, counts: readonly number[]): Uint8Array[] {
  const params = encodePlan(plan)
  const layout = silencePassOf(params)
  return runsOf(layout.grid, counts).map((run) => {
    const frames = layout.inputRanges(run).map((range) => cutFrames(audio, source, range))
    return silenceKernel.run(Buffer.concat([encodeHead({ run }), ...frames]), {
      kind: 'silence',
      params,
      reverse: false
    })
  })
}

describe('a silence job', () => {
  test('gives the same levels for every grid and every cut', () => {
    const expected = Buffer.concat(levelsOf(planOf(10_000), [1]))
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), cuts, (segmentLevels, counts) => {
        expect(Buffer.compare(Buffer.concat(levelsOf(planOf(segmentLevels), counts)), expected)).toBe(0)
      }),
      { numRuns: 20 }
    )
  })

  test('finds the gaps to 10 ms, wherever segments end', () => {
    for (const segmentLevels of [7, 82, 400]) {
      const plan = planOf(segmentLevels)
      const found = findSilence(plan, levelsOf(plan, [3]))
      const { silences } = JSON.parse(new TextDecoder().decode(found.content))
      expect(silences).toHaveLength(2)
      for (const [index, [start, end]] of [
        [9000, 16_000],
        [30_000, 36_100]
      ].entries()) {
        expect(Math.abs(silences[index].start - (start ?? 0) / source.sampleRate)).toBeLessThanOrEqual(0.01)
        expect(Math.abs(silences[index].end - (end ?? 0) / source.sampleRate)).toBeLessThanOrEqual(0.01)
      }
      expect(found.figures).toMatchObject({ silences: 2, sounds: 3, settings })
    }
  })

  test('reads each frame once', () => {
    const layout = new SilencePass(planOf(33))
    let next = 0
    for (const run of runsOf(layout.grid, [2])) {
      const [range] = layout.inputRanges(run)
      expect(range?.start).toBe(next)
      next = range?.end ?? 0
    }
    expect(next).toBe(source.frames)
  })

  test('counts its work in seconds of audio', () => {
    const params = encodePlan(planOf(100))
    const { grid } = silencePassOf(params)
    expect(silence.units(grid.byteLength, { params, inputBytes: grid.byteLength })).toBeCloseTo(
      source.frames / source.sampleRate,
      9
    )
    expect(silence.units(grid.byteLength / 2, { params, inputBytes: grid.byteLength })).toBeCloseTo(
      source.frames / source.sampleRate / 2,
      9
    )
  })

  test('is known by its kind', () => {
    expect(segmentJob('silence', encodePlan(planOf(100)))).toBeInstanceOf(SilencePass)
    expect(() => segmentJob('invert', encodePlan(planOf(100)))).toThrow(RangeError)
  })

  test('refuses an input of another length', () => {
    const params = encodePlan(planOf(100))
    const layout = silencePassOf(params)
    const run = { pass: 0, first: 0, count: 1 }
    const [range] = layout.inputRanges(run)
    const input = Buffer.concat([encodeHead({ run }), cutFrames(audio, source, range ?? { start: 0, end: 0 })])
    for (const wrong of [input.subarray(0, -1), Buffer.concat([input, input]), input.subarray(0, 3)]) {
      expect(() => silenceKernel.run(wrong, { kind: 'silence', params, reverse: false })).toThrow(
        expect.objectContaining({ code: 'INPUT_MALFORMED' })
      )
    }
  })
})
