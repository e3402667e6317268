import { describe, expect, test } from 'vitest'
import { parseSubmitRequest } from '../../src/api/requests.ts'

const request = {
  inputPath: '/in/show.wav',
  task: 'wav',
  outRoot: '/out',
  local: 'auto',
  minPeers: 0,
  waitMs: 1000,
  detach: false,
  peers: []
}
const audio = {
  folder: '/in',
  effects: 'highpass 80, normalize -16LUFS',
  format: 'pcm24',
  salvage: true,
  silence: { threshold: '-45dB', hysteresis: '2dB', leastSilence: '1s', leastSound: '50ms' }
}

describe('the audio part of a request', () => {
  test('is taken as it is', () => {
    expect(parseSubmitRequest({ ...request, audio })).toEqual({ ...request, audio })
    expect(parseSubmitRequest({ ...request, audio: { folder: '/in' } }).audio).toEqual({ folder: '/in' })
    expect(parseSubmitRequest(request).audio).toBeUndefined()
  })

  test('may ask for an empty chain, which changes nothing', () => {
    expect(parseSubmitRequest({ ...request, audio: { ...audio, effects: '' } }).audio?.effects).toBe('')
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a list', [audio]],
    ['text', 'gain -3'],
    ['no folder', { effects: 'gain -3' }],
    ['a folder that is relative', { ...audio, folder: 'in' }],
    ['a folder with a NUL', { ...audio, folder: '/in\0' }],
    ['effects that are no text', { ...audio, effects: ['gain -3'] }],
    ['a format that is no text', { ...audio, format: 16 }],
    ['salvage in words', { ...audio, salvage: 'yes' }],
    ['an unknown field', { ...audio, chunkBytes: 1 }],
    ['settings of silence that are a list', { ...audio, silence: [] }],
    ['settings of silence that are null', { ...audio, silence: null }],
    ['an unknown setting of silence', { ...audio, silence: { level: '-40dB' } }],
    ['a setting that is no text', { ...audio, silence: { threshold: -40 } }],
    ['a setting of the object itself', { ...audio, silence: JSON.parse('{"__proto__": "-40dB"}') }]
  ])('is refused for %s', (_, value) => {
    expect(() => parseSubmitRequest({ ...request, audio: value })).toThrow(
      expect.objectContaining({ name: 'SwarmError', code: 'REQUEST_MALFORMED', exitCode: 2 })
    )
  })
})
