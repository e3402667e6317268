import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SwarmError } from '../../../src/errors.ts'
import type { SignalSummary } from '../../../src/tasks/wav/effects/effect.ts'
import { encodeHead, parseHead } from '../../../src/tasks/wav/segments/chunk-head.ts'
import { silenceKernel } from '../../../src/tasks/wav/silence.ts'
import { wavKernel } from '../../../src/tasks/wav/wav.ts'
import { encodePlan, type WavPlan } from '../../../src/tasks/wav/wav-plan.ts'
import { AudioJob } from '../../support/audio-job.ts'
import { encodeAudio, SHORT, wavParamsOf, wavPlanOf } from '../../support/audio-plans.ts'
import { noise } from './effects/chain-runs.ts'

const KNOWN_CODES = ['INPUT_MALFORMED', 'PARAMS_INVALID', 'CHAIN_INVALID', 'EFFECT_UNSUITABLE']

/** Code of the SwarmError that an operation throws; whatever else it throws rises. */
function refusalOf(operation: () => unknown): string | undefined {
  try {
    operation()
    return undefined
  } catch (error) {
    if (error instanceof SwarmError) return error.code
    throw error
  }
}

function jobOf(chain: string): AudioJob {
  const impulses = [{ path: 'room.wav', sampleRate: 8000, channels: 1, frames: 300, encoding: 's16' as const }]
  const room = encodeAudio(noise(3, 1, 300), 's16')
  const source = encodeAudio(noise(1, SHORT.channels, SHORT.frames), 'f32')
  return new AudioJob(wavParamsOf({ chain, impulses }), source, new Map([['room.wav', room]]))
}

const job = jobOf('convolve room.wav, dc-offset')
job.run([2])
const run = { pass: 0, first: 1, count: 1 }
const honest = job.inputOf(run)
const second = job.inputOf({ pass: 1, first: 0, count: 2 })

function withHead(input: Uint8Array, head: Parameters<typeof encodeHead>[0]): Uint8Array {
  return Buffer.concat([encodeHead(head), input.subarray(parseHead(input).byteLength)])
}

describe('a chunk whose input lies', () => {
  test('is refused at every length but its own', () => {
    for (const input of [honest, second]) {
      const lengths = fc.integer({ min: 0, max: input.byteLength - 1 })
      fc.assert(
        fc.property(lengths, (length) => {
          expect(refusalOf(() => wavKernel.run(input.subarray(0, length), job.call))).toBe('INPUT_MALFORMED')
        }),
        { numRuns: 30 }
      )
      const longer = Buffer.concat([input, new Uint8Array(1)])
      expect(refusalOf(() => wavKernel.run(longer, job.call))).toBe('INPUT_MALFORMED')
    }
  })

  test.each([
    ['a pass that is not there', { pass: 2, first: 0, count: 1 }],
    ['a segment behind the last', { pass: 0, first: job.layout.grid.segmentCount(0), count: 1 }],
    ['more segments than there are', { pass: 0, first: 0, count: job.layout.grid.segmentCount(0) + 1 }],
    ['more than can be counted', { pass: 0, first: Number.MAX_SAFE_INTEGER, count: Number.MAX_SAFE_INTEGER }],
    ['other segments than it brings', { pass: 0, first: 0, count: 2 }]
  ])('is refused for %s', (_, other) => {
    expect(refusalOf(() => wavKernel.run(withHead(honest, { run: other }), job.call))).toBe('INPUT_MALFORMED')
  })

  test('is refused when the pass needs a summary, and none for its channels comes', () => {
    const { head } = parseHead(second)
    const summary = head.summary as SignalSummary
    const lists: (keyof SignalSummary)[] = ['peaks', 'truePeaks', 'dcOffsets']
    expect(refusalOf(() => wavKernel.run(withHead(second, { run: head.run }), job.call))).toBe('INPUT_MALFORMED')
    for (const list of lists) {
      const broken = { ...summary, [list]: [0.5] }
      expect(refusalOf(() => wavKernel.run(withHead(second, { ...head, summary: broken }), job.call))).toBe(
        'INPUT_MALFORMED'
      )
    }
    const nan = { ...summary, dcOffsets: [Number.NaN, 0] }
    expect(refusalOf(() => wavKernel.run(withHead(second, { ...head, summary: nan }), job.call))).toBe(
      'INPUT_MALFORMED'
    )
  })

  test('gives something, or is refused, whatever finite numbers a summary holds', () => {
    const normal = jobOf('normalize -16LUFS')
    normal.run([100])
    const input = normal.inputOf({ pass: 1, first: 0, count: 1 })
    const { head } = parseHead(input)
    const level = fc.oneof(
      fc.constantFrom(0, -0, 1e-320, 1e308, -1e308),
      fc.double({ noNaN: true, noDefaultInfinity: true })
    )
    const list = fc.tuple(level, level)
    fc.assert(
      fc.property(fc.record({ peaks: list, truePeaks: list, dcOffsets: list, loudness: level }), (summary) => {
        const code = refusalOf(() => wavKernel.run(withHead(input, { ...head, summary }), normal.call))
        expect([undefined, ...KNOWN_CODES]).toContain(code)
      }),
      { numRuns: 12 }
    )
  })

  test('is computed or refused, never a crash, when any byte of its head is another', () => {
    const headBytes = parseHead(second).byteLength
    const places = fc.tuple(fc.integer({ min: 0, max: headBytes - 1 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(places, ([at, byte]) => {
        const input = second.slice()
        input[at] = byte
        expect([undefined, ...KNOWN_CODES]).toContain(refusalOf(() => wavKernel.run(input, job.call)))
      }),
      { numRuns: 60 }
    )
  })
})

describe('parameters that lie', () => {
  const plan = wavPlanOf({ chain: 'gain -3' })
  const hop = 800

  function refused(changes: Record<string, unknown>): string | undefined {
    const params = encodePlan({ ...plan, ...changes } as WavPlan)
    return refusalOf(() => wavKernel.run(honest, { kind: 'wav', params, reverse: false }))
  }

  test.each<[string, Record<string, unknown>, string]>([
    ['too few passes', { segmentFrames: [] }, 'PARAMS_INVALID'],
    ['too many passes', { segmentFrames: [hop, hop] }, 'PARAMS_INVALID'],
    ['segments that are no whole hops', { segmentFrames: [hop + 1] }, 'PARAMS_INVALID'],
    ['segments of nothing', { segmentFrames: [0] }, 'PARAMS_INVALID'],
    ['segments without end', { segmentFrames: [2 ** 40] }, 'PARAMS_INVALID'],
    ['a chain that is none', { chain: 'gian -3' }, 'CHAIN_INVALID'],
    ['an effect that does not fit', { chain: 'lowpass 9000' }, 'EFFECT_UNSUITABLE'],
    ['effects that leave nothing', { chain: 'trim 100' }, 'EFFECT_UNSUITABLE'],
    ['an impulse response that is not listed', { chain: 'convolve other.wav' }, 'PARAMS_INVALID']
  ])('are refused: %s', (_, changes, code) => {
    expect(refused(changes)).toBe(code)
  })

  test('are refused when the result would have more segments than anybody can count', () => {
    const source = { ...SHORT, frames: 2 ** 40 }
    expect(refused({ source, chain: 'pad 10', segmentFrames: [hop] })).toBe('PARAMS_INVALID')
    const frames = hop * 900_000
    const twice = { source: { ...SHORT, frames }, chain: 'dc-offset, dc-offset', segmentFrames: [hop, hop, hop] }
    expect(refused(twice)).toBe('PARAMS_INVALID')
    expect(refused({ source: { ...SHORT, frames }, chain: 'speed 0.5', segmentFrames: [hop] })).toBe('PARAMS_INVALID')
  })

  test('are refused when a silence job would have more segments than anybody can count', () => {
    const settings = { threshold: -40, hysteresis: 3, leastSilence: 2, leastSound: 0.1 }
    const params = encodePlan({ source: { ...SHORT, frames: 2 ** 46 }, settings, segmentLevels: 1 })
    expect(refusalOf(() => silenceKernel.run(honest, { kind: 'silence', params, reverse: false }))).toBe(
      'PARAMS_INVALID'
    )
  })

  test('are planned or refused, never a crash, when any of their bytes is another', () => {
    const bytes = wavParamsOf({ chain: 'highpass 80 0.7q, dc-offset, reverse, fade 0.1' })
    const places = fc.tuple(fc.integer({ min: 0, max: bytes.byteLength - 1 }), fc.integer({ min: 32, max: 126 }))
    fc.assert(
      fc.property(places, ([at, byte]) => {
        const params = bytes.slice()
        params[at] = byte
        const code = refusalOf(() => wavKernel.run(honest, { kind: 'wav', params, reverse: false }))
        expect([undefined, ...KNOWN_CODES]).toContain(code)
      })
    )
  })
})
