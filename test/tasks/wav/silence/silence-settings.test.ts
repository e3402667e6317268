import { describe, expect, test } from 'vitest'
import { parseSilenceSettings, SILENCE_DEFAULTS } from '../../../../src/tasks/wav/silence/silence-settings.ts'

describe('parseSilenceSettings', () => {
  test('takes defaults for what is not given', () => {
    expect(parseSilenceSettings({})).toEqual(SILENCE_DEFAULTS)
    expect(parseSilenceSettings({ threshold: undefined })).toEqual(SILENCE_DEFAULTS)
  })

  test('reads numbers and text with units', () => {
    expect(
      parseSilenceSettings({ threshold: '-45.5 dBFS', hysteresis: 6, leastSilence: '500ms', leastSound: '0.25s' })
    ).toEqual({ threshold: -45.5, hysteresis: 6, leastSilence: 0.5, leastSound: 0.25 })
  })

  test('reads its own result again, as a job file gives it', () => {
    const settings = parseSilenceSettings({ leastSilence: '1.5', threshold: '-50dB' })
    expect(parseSilenceSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
  })

  test.each([
    [{ threshold: '-40%' }, 'threshold: expected -150 to 0 dB'],
    [{ threshold: 3 }, 'got 3'],
    [{ threshold: Number.NaN }, 'got NaN'],
    [{ hysteresis: '-1' }, 'hysteresis: expected 0 to 40 dB'],
    [{ leastSilence: '0' }, 'leastSilence: expected 0.01 to 86400 s'],
    [{ leastSilence: 'two' }, 'got "two"'],
    [{ leastSound: null }, 'got null'],
    [{ leastSound: 'x'.repeat(500) }, 'xxx…'],
    [{ treshold: -40 }, 'no silence setting "treshold"; there are threshold, hysteresis']
  ])('refuses %o and says why', (given, message) => {
    expect(() => parseSilenceSettings(given)).toThrow(
      expect.objectContaining({ code: 'SILENCE_SETTINGS', exitCode: 2 })
    )
    expect(() => parseSilenceSettings(given)).toThrow(message)
  })
})
