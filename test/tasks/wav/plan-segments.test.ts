import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planSegments } from '../../../src/tasks/wav/plan-segments.ts'
import { SEGMENTS_MAX } from '../../../src/tasks/wav/segments/segment-grid.ts'
import { WavPasses } from '../../../src/tasks/wav/wav-passes.ts'
import { type EncodedAudio, frameBytes } from '../../../src/tasks/wav/wav-plan.ts'
import { wavPlanOf } from '../../support/audio-plans.ts'

const HOUR: EncodedAudio = { sampleRate: 48_000, channels: 2, frames: 3600 * 48_000, encoding: 's16' }
const output = { encoding: 's16' as const, dither: true }

function segmentsOf(chain: string, source: EncodedAudio): readonly number[] {
  return planSegments({ source, chain, output: { ...output, encoding: source.encoding }, impulses: [] })
}

const sources = fc.record({
  sampleRate: fc.constantFrom(8000, 11_025, 44_100, 48_000, 96_000),
  channels: fc.integer({ min: 1, max: 6 }),
  frames: fc.integer({ min: 1, max: 50_000_000 }),
  encoding: fc.constantFrom('u8' as const, 's16' as const, 's24' as const, 'f64' as const)
})
const chains = fc.constantFrom(
  '',
  'highpass 80, eq 1000 1.2q -4',
  'gain -3, dc-offset',
  'speed 1.25',
  'resample 22050',
  'reverse'
)

describe('the grid of segments', () => {
  test('is one that the passes take, whatever the file', () => {
    fc.assert(
      fc.property(sources, chains, (source, chain) => {
        const { grid, passes } = new WavPasses(wavPlanOf({ chain, source, output: source.encoding }))
        expect(grid.byteLength).toBeGreaterThan(0)
        for (const { range, segmentCount, shape } of passes) {
          expect(range(0).start).toBe(0)
          expect(range(segmentCount - 1).end).toBe(shape.frames)
          expect(range(segmentCount - 1).end).toBeGreaterThan(range(segmentCount - 1).start)
        }
      }),
      { numRuns: 40 }
    )
  })

  test('keeps segments to 8 MiB of what they read and give, to one hop', () => {
    fc.assert(
      fc.property(sources, fc.constantFrom('u8' as const, 's16' as const, 'f64' as const), (source, encoding) => {
        const [frames = 0] = planSegments({
          source,
          chain: 'gain -3',
          output: { encoding, dither: false },
          impulses: []
        })
        const frame = Math.max(frameBytes(source), frameBytes({ ...source, encoding }))
        expect(frames * frame).toBeLessThanOrEqual(8 * 1024 * 1024 + frame * (source.sampleRate / 10 + 1))
      }),
      { numRuns: 40 }
    )
  })

  test('has segments of four seconds, or of eight warm-ups where these are longer', () => {
    expect(segmentsOf('', HOUR)).toEqual([4 * 48_000])
    expect(segmentsOf('highpass 80', HOUR)).toEqual([4 * 48_000])
    const [slow = 0] = segmentsOf('highpass 5', HOUR)
    expect(slow).toBeGreaterThan(4 * 48_000)
  })

  test('measures what comes behind a pass by the rate that it gives', () => {
    const [first = 0, second = 0] = segmentsOf('resample 44100, dc-offset', HOUR)
    expect([first % 4410, second % 4410]).toEqual([0, 0])
  })

  test('makes segments longer rather than too many, however long the file', () => {
    const endless = { ...HOUR, sampleRate: 8000, channels: 1, encoding: 'u8' as const, frames: 2 ** 38 }
    for (const chain of ['', 'gain -3, dc-offset, dc-offset']) {
      const counts = segmentsOf(chain, endless).map((frames) => Math.ceil(endless.frames / frames))
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(SEGMENTS_MAX)
    }
  })

  test('depends on file and chain alone', () => {
    expect(segmentsOf('reverb 35', HOUR)).toEqual(segmentsOf('reverb 35', { ...HOUR }))
  })
})
