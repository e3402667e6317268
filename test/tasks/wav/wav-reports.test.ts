import { describe, expect, test } from 'vitest'
import { TALLY_BYTES } from '../../../src/tasks/wav/wav-passes.ts'
import { encodePlan } from '../../../src/tasks/wav/wav-plan.ts'
import { reduceReports, summarizeMeasures } from '../../../src/tasks/wav/wav-reports.ts'
import { AudioJob } from '../../support/audio-job.ts'
import { decodeAudio, encodeAudio, SHORT, wavParamsOf, wavPlanOf } from '../../support/audio-plans.ts'
import { noise } from './effects/chain-runs.ts'

const samples = noise(5, SHORT.channels, SHORT.frames, 0.3)
const source = encodeAudio(samples, 'f32')

function ran(chain: string, input = source): AudioJob {
  const job = new AudioJob(wavParamsOf({ chain, output: 's16' }), input)
  job.run([2])
  return job
}

function peakOf(channel: Float64Array | undefined): number {
  return (channel ?? new Float64Array(0)).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

describe('what a wav job measures', () => {
  test.each(['', 'gain -3', 'gain -3, dc-offset', 'dc-offset, gain -3', 'reverse', 'reverse, dc-offset'])(
    'is told of its input as it was, sample by sample: "%s"',
    (chain) => {
      const { before } = ran(chain).measures()
      expect(before.durationSeconds).toBe(SHORT.frames / SHORT.sampleRate)
      for (const [channel, { dcOffset, peak, rms }] of before.channels.entries()) {
        const own = samples[channel] ?? new Float64Array(0)
        expect(peak).toBe(peakOf(own))
        expect(dcOffset).toBeCloseTo(own.reduce((sum, sample) => sum + sample, 0) / own.length, 12)
        expect(rms).toBeCloseTo(Math.sqrt(own.reduce((sum, sample) => sum + sample * sample, 0) / own.length), 12)
      }
    }
  )

  test('is told of what the effects use alone, wherever that begins', () => {
    const { before } = ran('trim 0.4 2').measures()
    expect(before.durationSeconds).toBeCloseTo(2, 9)
    expect(before.channels[0]?.peak).toBe(peakOf(samples[0]?.subarray(3200, 19_200)))
  })

  test('is the same object before and after where nothing was done', () => {
    const { after, before } = ran('').measures()
    expect(after).toBe(before)
  })

  test('is told of the result as it comes out of the effects', () => {
    const job = ran('gain -3, dc-offset')
    const { after } = job.measures()
    const given = decodeAudio(job.audio, { channels: 2, encoding: 's16' })
    for (const [channel, { dcOffset, peak }] of after.channels.entries()) {
      expect(Math.abs(dcOffset)).toBeLessThan(1e-9)
      expect(Math.abs(peak - peakOf(given[channel]))).toBeLessThan(2 / 32_768)
    }
  })

  test('is what one unbroken segment measures, to 1e-7', () => {
    const plan = wavPlanOf({ chain: 'highpass 80', output: 's16' })
    const whole = new AudioJob(encodePlan({ ...plan, segmentFrames: [800 * 100] }), source)
    whole.run([1])
    const [cut, unbroken] = [ran('highpass 80').measures(), whole.measures()]
    for (const side of ['before', 'after'] as const) {
      expect(Math.abs(cut[side].loudness - unbroken[side].loudness)).toBeLessThan(1e-6)
      for (const [channel, measured] of unbroken[side].channels.entries()) {
        expect(Math.abs((cut[side].channels[channel]?.truePeak ?? 0) - measured.truePeak)).toBeLessThan(1e-7)
      }
    }
  })

  test('counts samples that are no numbers and samples that are clipped, each once', () => {
    const damaged = samples.map((channel) => channel.slice())
    const input = encodeAudio(damaged, 'f32')
    const floats = new Float32Array(input.buffer)
    for (const at of [0, 1, 8001, 8002, 16_003, 16_004, 40_000]) floats[at] = Number.NaN
    for (const at of [10, 20, 31, 32_000]) floats[at] = 1.5
    const { clipped, nonFinite } = ran('', input).measures()
    expect(nonFinite).toBe(7)
    expect(clipped).toEqual([3, 1])
  })
})

describe('reports', () => {
  const job = ran('gain -3, dc-offset')

  test.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 60])(
    'with %d clipped samples are refused',
    (count) => {
      const reports = job.reports(1).map((report) => report.slice())
      const last = reports.at(-1) ?? new Uint8Array(0)
      new DataView(last.buffer).setFloat64(last.byteLength - TALLY_BYTES, count, true)
      expect(() => reduceReports(job.layout, (pass) => (pass === 1 ? reports : job.reports(0)))).toThrow(
        expect.objectContaining({ code: 'MEASURE_INVALID' })
      )
    }
  )

  test('of another length are refused, and ones that are missing', () => {
    for (const reports of [job.reports(0).map((report) => report.subarray(1)), job.reports(0).slice(1), []]) {
      expect(() => summarizeMeasures(job.layout, 0, reports)).toThrow(
        expect.objectContaining({ code: 'MEASURE_INVALID' })
      )
    }
    const twice = [...job.reports(0), ...job.reports(0)]
    expect(() => summarizeMeasures(job.layout, 0, twice)).toThrow(expect.objectContaining({ code: 'MEASURE_INVALID' }))
  })
})
