import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HEAD_BYTES_MAX } from '../../../src/tasks/wav/segments/chunk-head.ts'
import { silenceKernel } from '../../../src/tasks/wav/silence.ts'
import { wavKernel } from '../../../src/tasks/wav/wav.ts'
import { encodePlan } from '../../../src/tasks/wav/wav-plan.ts'
import { AudioJob } from '../../support/audio-job.ts'
import { encodeAudio, SHORT, wavParamsOf } from '../../support/audio-plans.ts'
import { noise } from './effects/chain-runs.ts'

const job = new AudioJob(
  wavParamsOf({ chain: 'highpass 80, dc-offset', output: 's16', dither: true }),
  encodeAudio(noise(1, SHORT.channels, SHORT.frames), 'f32')
)
job.run([2])
const run = { pass: 1, first: 0, count: 3 }
const input = job.inputOf(run)
const honest = wavKernel.run(input, job.call)
const ends = [...job.layout.grid.segmentsOf(run)].map(
  ({ audioBytes, offset, reportBytes }) => offset + audioBytes + reportBytes - job.layout.grid.passOffset(1)
)

/** Gives the numbers one by one, then 0.999, which checks nothing by chance. */
function randomOf(...numbers: readonly number[]): () => number {
  const left = [...numbers]
  return () => left.shift() ?? 0.999
}

describe('checking a wav result', () => {
  test('passes what the kernel gives, however deep it looks', () => {
    for (const whole of [true, false]) {
      expect(wavKernel.verify(() => input, honest, job.call, { whole, random: () => 0 })).toBeUndefined()
    }
  })

  test('refuses any changed byte, audio and report alike', () => {
    const reportStart = job.layout.grid.segment(1, 1).audioBytes + (ends[0] ?? 0)
    fc.assert(
      fc.property(fc.nat(2), fc.double({ min: 0, max: 0.999, noNaN: true }), (segment, share) => {
        const start = segment === 0 ? 0 : (ends[segment - 1] ?? 0)
        const at = start + Math.floor(share * ((ends[segment] ?? 0) - start))
        const result = honest.slice()
        result[at] = (result[at] ?? 0) ^ 1
        const reason = wavKernel.verify(() => input, result, job.call, { whole: true, random: randomOf() })
        expect(reason).toBe(`byte ${at - start} of segment ${segment} in pass 1 is not what its input gives`)
      }),
      { numRuns: 12, examples: [[1, (reportStart - (ends[0] ?? 0)) / ((ends[1] ?? 0) - (ends[0] ?? 0))]] }
    )
  })

  test('looks at the segments that chance names when it need not look at all', () => {
    const result = honest.slice()
    result[ends[0] ?? 0] = (result[ends[0] ?? 0] ?? 0) ^ 1
    const verify = (random: () => number) => wavKernel.verify(() => input, result, job.call, { whole: false, random })
    expect(verify(randomOf())).toBeUndefined()
    expect(verify(randomOf(0, 0.05, 0))).toBeUndefined()
    expect(verify(randomOf(0.5, 0.04))).toMatch(/^byte 0 of segment 1/)
  })

  test('reads no more than the head when nothing is looked at', () => {
    const asked: unknown[] = []
    const read = (byteLengthMax?: number) => {
      asked.push(byteLengthMax)
      return input.subarray(0, byteLengthMax)
    }
    const verify = (random: () => number) => wavKernel.verify(read, honest, job.call, { whole: false, random })
    expect(verify(randomOf())).toBeUndefined()
    expect(asked).toEqual([HEAD_BYTES_MAX])
    expect(verify(randomOf(0.9, 0))).toBeUndefined()
    expect(asked).toEqual([HEAD_BYTES_MAX, HEAD_BYTES_MAX, undefined])
  })

  test('refuses a result of another length', () => {
    for (const result of [honest.subarray(1), Buffer.concat([honest, honest]), new Uint8Array(0)]) {
      const reason = wavKernel.verify(() => input, result, job.call, { whole: true, random: () => 0 })
      expect(reason).toBe(`the result has ${result.byteLength} bytes instead of ${honest.byteLength}`)
    }
  })

  test('refuses changed levels of silence', () => {
    const settings = { threshold: -40, hysteresis: 3, leastSilence: 2, leastSound: 0.1 }
    const params = encodePlan({ source: SHORT, settings, segmentLevels: 100 })
    const call = { kind: 'silence', params, reverse: false }
    const levels = new AudioJob(wavParamsOf({ chain: '' }), encodeAudio(noise(1, 2, SHORT.frames), 'f32'))
    const whole = { pass: 0, first: 0, count: 4 }
    const chunk = levels.inputOf({ ...whole, count: levels.layout.grid.segmentCount(0) })
    const head = new TextEncoder().encode(JSON.stringify({ run: whole }))
    const own = Buffer.concat([Uint8Array.of(head.byteLength, 0, 0, 0), head, chunk.subarray(-SHORT.frames * 8)])
    const result = silenceKernel.run(own, call)
    expect(result.byteLength).toBe(Math.ceil(SHORT.frames / 80) * 4)
    expect(silenceKernel.verify(() => own, result, call, { whole: true, random: () => 0 })).toBeUndefined()
    result[410] = (result[410] ?? 0) ^ 1
    const reason = silenceKernel.verify(() => own, result, call, { whole: true, random: () => 0.3 })
    expect(reason).toBe('byte 10 of segment 1 in pass 0 is not what its input gives')
  })
})
