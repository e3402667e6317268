import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SAMPLE_BYTES, type SampleEncoding } from '../../../src/tasks/wav/audio-format.ts'
import {
  type EncodedAudio,
  encodePlan,
  parseSilencePlan,
  parseWavPlan,
  type SilencePlan,
  type WavPlan
} from '../../../src/tasks/wav/wav-plan.ts'

const encodings = fc.constantFrom(...(Object.keys(SAMPLE_BYTES) as SampleEncoding[]))
const audio = fc.record({
  sampleRate: fc.integer({ min: 8000, max: 384_000 }),
  channels: fc.integer({ min: 1, max: 32 }),
  frames: fc.integer({ min: 1, max: 2 ** 46 }),
  encoding: encodings
})
const plans = fc.record(
  {
    source: audio,
    channelMask: fc.nat(2 ** 32 - 1),
    chain: fc.string(),
    impulses: fc.array(
      fc.tuple(fc.string(), audio).map(([path, shape]) => ({ path, ...shape })),
      { maxLength: 8 }
    ),
    output: fc.record({ encoding: encodings, dither: fc.boolean() }),
    segmentFrames: fc.array(fc.integer({ min: 1, max: 2 ** 28 }), { maxLength: 65 })
  },
  { requiredKeys: ['source', 'chain', 'impulses', 'output', 'segmentFrames'] }
)

const source: EncodedAudio = { sampleRate: 48_000, channels: 2, frames: 1000, encoding: 's16' }
const good: WavPlan = {
  source,
  chain: '',
  impulses: [],
  output: { encoding: 's16', dither: false },
  segmentFrames: [4800]
}
const settings = { threshold: -40, hysteresis: 3, leastSilence: 2, leastSound: 0.1 }
const silent: SilencePlan = { source, settings, segmentLevels: 400 }

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value) ?? '')
}

const badAudio: [string, unknown][] = [
  ['no audio', undefined],
  ['audio of null', null],
  ['audio as a list', []],
  ['a rate too low', { ...source, sampleRate: 7999 }],
  ['a rate too high', { ...source, sampleRate: 384_001 }],
  ['half a hertz', { ...source, sampleRate: 44_100.5 }],
  ['no channels', { ...source, channels: 0 }],
  ['too many channels', { ...source, channels: 33 }],
  ['no frames', { ...source, frames: 0 }],
  ['too many frames', { ...source, frames: 2 ** 46 + 1 }],
  ['frames in words', { ...source, frames: '1000' }],
  ['an unknown encoding', { ...source, encoding: 's12' }],
  ['an encoding of objects', { ...source, encoding: 'toString' }],
  ['no encoding', { ...source, encoding: undefined }]
]

describe('the plan of a wav job', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        expect(parseWavPlan(encodePlan(plan as WavPlan))).toEqual(plan)
      })
    )
  })

  test.each<[string, unknown]>([
    ...badAudio.map(([name, value]): [string, unknown] => [`a source with ${name}`, { ...good, source: value }]),
    ...badAudio.map(([name, value]): [string, unknown] => [
      `an impulse response with ${name}`,
      { ...good, impulses: [typeof value === 'object' && value !== null ? { path: 'a.wav', ...value } : value] }
    ]),
    ['nothing', undefined],
    ['null', null],
    ['a list', [good]],
    ['a number', 3],
    ['no chain', { ...good, chain: undefined }],
    ['a chain that is no text', { ...good, chain: ['gain -3'] }],
    ['a mask that is no mask', { ...good, channelMask: -1 }],
    ['a mask beyond 32 bits', { ...good, channelMask: 2 ** 32 }],
    ['no impulse responses', { ...good, impulses: undefined }],
    ['too many impulse responses', { ...good, impulses: new Array(9).fill({ path: 'a.wav', ...source }) }],
    ['an impulse response without a path', { ...good, impulses: [source] }],
    ['no output', { ...good, output: undefined }],
    ['an output without dither', { ...good, output: { encoding: 's16' } }],
    ['an output in an unknown encoding', { ...good, output: { encoding: 'mp3', dither: false } }],
    ['segments that are no list', { ...good, segmentFrames: 4800 }],
    ['more passes than there can be', { ...good, segmentFrames: new Array(66).fill(4800) }],
    ['segments of nothing', { ...good, segmentFrames: [0] }],
    ['half a segment', { ...good, segmentFrames: [0.5] }],
    ['segments without end', { ...good, segmentFrames: [2 ** 28 + 1] }]
  ])('is refused for %s', (_, value) => {
    expect(() => parseWavPlan(bytesOf(value))).toThrow(
      expect.objectContaining({ name: 'SwarmError', code: 'PARAMS_INVALID' })
    )
  })

  test('is refused or read, never a crash, whatever the bytes', () => {
    const any = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => new TextEncoder().encode(json))
    )
    fc.assert(
      fc.property(any, (bytes) => {
        for (const parse of [parseWavPlan, parseSilencePlan]) {
          expect(() => parse(bytes)).toThrow(expect.objectContaining({ name: 'SwarmError', code: 'PARAMS_INVALID' }))
        }
      })
    )
  })
})

describe('the plan of a silence job', () => {
  test('is read as it was written', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value))
    const silences = fc.record({
      source: audio,
      settings: fc.record({ threshold: finite, hysteresis: finite, leastSilence: finite, leastSound: finite }),
      segmentLevels: fc.integer({ min: 1, max: 2 ** 28 })
    })
    fc.assert(
      fc.property(silences, (plan) => {
        expect(parseSilencePlan(encodePlan(plan))).toEqual(plan)
      })
    )
  })

  test.each<[string, unknown]>([
    ...badAudio.map(([name, value]): [string, unknown] => [`a source with ${name}`, { ...silent, source: value }]),
    ['no settings', { ...silent, settings: undefined }],
    ['a threshold that is no number', { ...silent, settings: { ...settings, threshold: '-40dB' } }],
    ['a threshold of infinity', { ...silent, settings: { ...settings, threshold: Number.NEGATIVE_INFINITY } }],
    ['no least sound', { ...silent, settings: { ...settings, leastSound: undefined } }],
    ['segments of nothing', { ...silent, segmentLevels: 0 }],
    ['no segments', { ...silent, segmentLevels: undefined }]
  ])('is refused for %s', (_, value) => {
    expect(() => parseSilencePlan(bytesOf(value))).toThrow(
      expect.objectContaining({ name: 'SwarmError', code: 'PARAMS_INVALID' })
    )
  })
})
