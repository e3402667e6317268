import { describe, expect, test } from 'vitest'
import type { Chain } from '../../../../src/tasks/wav/chain/chain.ts'
import { parseChain } from '../../../../src/tasks/wav/chain/parse-chain.ts'
import { planChain } from '../../../../src/tasks/wav/chain/plan-chain.ts'
import { splitPasses } from '../../../../src/tasks/wav/chain/split-passes.ts'
import type { EffectKind, SignalSummary } from '../../../../src/tasks/wav/effects/effect.ts'
import { noise, planFor, runWhole } from '../effects/chain-runs.ts'

const HOUR = { sampleRate: 48_000, channels: 2, frames: 172_800_000 }
const SUMMARY: SignalSummary = { peaks: [1], truePeaks: [1], dcOffsets: [0], loudness: -20 }

const measuring: EffectKind = {
  name: 'level-out',
  summary: 'Needs its whole input measured.',
  parameters: [],
  measures: true,
  plan: (_settings, input) => ({ output: input, inputRange: (range) => range, open: (_range, source) => source })
}

const LEVEL_OUT: Chain = [{ kind: measuring, settings: {} }]

describe('planChain', () => {
  test('leaves audio as it is without effects', () => {
    const signal = { sampleRate: 8000, samples: noise(1, 2, 3000) }
    expect(planFor('', signal).preRollFrames).toBe(0)
    expect(runWhole('', signal)).toEqual(signal.samples)
  })

  test('hands each effect the shape that the one before it makes', () => {
    expect(planChain(parseChain('channels mono, trim 10 1:00, pad 5'), HOUR, {}).output).toEqual({
      sampleRate: 48_000,
      channels: 1,
      frames: 65 * 48_000
    })
  })

  test('asks for the input of all effects together, once', () => {
    const plan = planChain(parseChain('trim 10, reverse'), HOUR, {})
    expect(plan.inputRange({ start: 0, end: 5 })).toEqual({ start: HOUR.frames - 5, end: HOUR.frames })
    const asked: unknown[] = []
    plan.open({ start: 0, end: 5 }, (range) => {
      asked.push(range)
      return { channels: 2, read: () => undefined }
    })
    expect(asked).toEqual([{ start: HOUR.frames - 5, end: HOUR.frames }])
  })

  test('adds up the pre-rolls, wherever a trim moves them and also backwards', () => {
    const highpass = planChain(parseChain('highpass 80'), HOUR, {}).preRollFrames
    const eq = planChain(parseChain('eq 3000 1.2q -4'), HOUR, {}).preRollFrames
    const both = planChain(parseChain('highpass 80, trim 30:00, gain 3, reverse, eq 3000 1.2q -4'), HOUR, {})
    expect(highpass).toBeGreaterThan(1000)
    expect(both.preRollFrames).toBe(highpass + eq)
  })

  test('refuses times in samples that are out of range at this rate', () => {
    expect(() => planChain(parseChain('pad 900000000000s'), HOUR, {})).toThrowError(
      expect.objectContaining({ code: 'EFFECT_UNSUITABLE', message: expect.stringContaining('at 48000 Hz') })
    )
  })

  test('refuses an effect that measures without a measurement, or behind another effect', () => {
    expect(() => planChain(LEVEL_OUT, HOUR, { measured: SUMMARY })).not.toThrow()
    for (const [chain, resources] of [
      [LEVEL_OUT, {}],
      [[...parseChain('invert'), ...LEVEL_OUT], { measured: SUMMARY }]
    ] as const) {
      expect(() => planChain(chain, HOUR, resources)).toThrowError(
        expect.objectContaining({ code: 'CHAIN_UNMEASURED' })
      )
    }
  })
})

describe('splitPasses', () => {
  const invert = parseChain('invert')

  test('leaves a chain that measures nothing in one pass, the empty one too', () => {
    expect(splitPasses([])).toEqual([[]])
    expect(splitPasses([...invert, ...invert])).toEqual([[...invert, ...invert]])
  })

  test('cuts before each effect that measures', () => {
    expect(splitPasses(LEVEL_OUT)).toEqual([[], LEVEL_OUT])
    expect(splitPasses([...invert, ...LEVEL_OUT, ...invert, ...LEVEL_OUT])).toEqual([
      invert,
      [...LEVEL_OUT, ...invert],
      LEVEL_OUT
    ])
  })
})
