import { describe, expect, test } from 'vitest'
import { numberSetting, quantitySetting, textSetting } from '../../../../src/tasks/wav/chain/settings.ts'
import { channels } from '../../../../src/tasks/wav/effects/channels.ts'
import type { EffectKind, Settings } from '../../../../src/tasks/wav/effects/effect.ts'
import { eq } from '../../../../src/tasks/wav/effects/eq.ts'
import { fade } from '../../../../src/tasks/wav/effects/fade.ts'

const SHAPE = { sampleRate: 8000, channels: 2, frames: 100 }
const UNSUITABLE = expect.objectContaining({ code: 'EFFECT_UNSUITABLE' })

describe('settings', () => {
  test('are read as numbers, words, and numbers with units', () => {
    const settings = { gain: -4, curve: 'log', width: '1.2q', level: '-16LUFS' }
    expect(numberSetting(settings, 'gain')).toBe(-4)
    expect(textSetting(settings, 'curve')).toBe('log')
    expect(quantitySetting(settings, 'width')).toEqual({ value: 1.2, unit: 'q' })
    expect(quantitySetting(settings, 'level')).toEqual({ value: -16, unit: 'LUFS' })
  })

  test('are refused when they are something else', () => {
    expect(() => numberSetting({ gain: '-4' }, 'gain')).toThrowError(UNSUITABLE)
    expect(() => numberSetting({ gain: Number.NaN }, 'gain')).toThrowError(UNSUITABLE)
    expect(() => textSetting({ curve: 3 }, 'curve')).toThrowError(UNSUITABLE)
    expect(() => quantitySetting({}, 'width')).toThrowError(UNSUITABLE)
  })

  test.each<[string, EffectKind, Settings]>([
    ['a width of 0', eq, { frequency: 1000, width: '0q', gain: 3 }],
    ['a gain that is no number', eq, { frequency: 1000, width: '1q', gain: '3' }],
    ['an unknown curve', fade, { in: 0, out: 0, curve: 'wavy' }],
    ['an unknown layout', channels, { layout: 'quad' }]
  ])('are refused by effects when the parser did not see them: %s', (_what, kind, settings) => {
    expect(() => kind.plan(settings, SHAPE, {})).toThrowError(UNSUITABLE)
  })
})
