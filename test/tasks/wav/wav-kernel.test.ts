import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SampleEncoding } from '../../../src/tasks/wav/audio-format.ts'
import { planChain } from '../../../src/tasks/wav/chain/plan-chain.ts'
import type { SignalSummary } from '../../../src/tasks/wav/effects/effect.ts'
import { wavKernel } from '../../../src/tasks/wav/wav.ts'
import { AudioJob } from '../../support/audio-job.ts'
import { decodeAudio, encodeAudio, SHORT, wavParamsOf } from '../../support/audio-plans.ts'
import { greatestDifference, noise, runRange } from './effects/chain-runs.ts'

const CHAINS = [
  '',
  'highpass 80, eq 1000 1.2q -4',
  'reverse',
  'trim 0.5 2, pad 0.3 0.2',
  'speed 1.25',
  'resample 11025',
  'gain -3, dc-offset, highpass 40',
  'dc-offset, dc-offset',
  'channels mono',
  'delay 0.1 0.25',
  'highpass 60, reverse, normalize -6dB, lowpass 2000',
  'reverb 35'
]
const ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32', 'f32', 'f64']

/** Noise about a mean that is not zero. */
function source(channels: number, frames: number): readonly Float64Array[] {
  return noise(7, channels, frames, 0.2).map((samples, channel) =>
    samples.map((sample) => sample + 0.01 * (channel + 1))
  )
}

function jobOf(chain: string, encoding: SampleEncoding = 'f32', output: SampleEncoding = encoding): AudioJob {
  const params = wavParamsOf({ chain, source: { encoding }, output, dither: output === 's16' || output === 'u8' })
  return new AudioJob(params, encodeAudio(source(SHORT.channels, SHORT.frames), encoding))
}

/** What the next pass has to know, by the plainest loops. */
function summaryOf(samples: readonly Float64Array[]): SignalSummary {
  const peaks = samples.map((channel) => channel.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0))
  const dcOffsets = samples.map((channel) => channel.reduce((sum, sample) => sum + sample, 0) / channel.length)
  return { peaks, truePeaks: peaks, dcOffsets, loudness: -20 }
}

/** One unbroken run of all passes in double precision. */
function unbroken({ layout }: AudioJob, samples: readonly Float64Array[]): readonly Float64Array[] {
  let signal = { sampleRate: SHORT.sampleRate, samples }
  for (const { effects, input, needsSummary } of layout.passes) {
    const plan = planChain(effects, input, needsSummary ? { measured: summaryOf(signal.samples) } : {})
    const given = runRange(plan, signal, { start: 0, end: plan.output.frames })
    signal = { sampleRate: plan.output.sampleRate, samples: given }
  }
  return signal.samples
}

describe('the wav kernel', () => {
  test.each(CHAINS)('gives the same bytes however "%s" is cut into chunks, and those of one unbroken run', (chain) => {
    const whole = jobOf(chain)
    const expected = whole.run([1_000])
    const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(lengths, (counts) => {
        expect(Buffer.compare(jobOf(chain).run(counts), expected)).toBe(0)
      }),
      { numRuns: 3, examples: [[[1]]] }
    )
    const last = whole.layout.passes.at(-1)
    const samples = decodeAudio(whole.audio, { channels: last?.shape.channels ?? 0, encoding: 'f32' })
    const reference = unbroken(whole, source(SHORT.channels, SHORT.frames))
    expect(samples[0]?.length).toBe(last?.shape.frames)
    expect(greatestDifference(samples, reference)).toBeLessThan(1e-7)
  })

  test.each(ENCODINGS)('takes and gives %s samples, the same bytes for every cut', (encoding) => {
    for (const chain of ['', 'highpass 80, eq 1000 1.2q -4']) {
      const job = jobOf(chain, encoding)
      const expected = job.run([1_000])
      expect(Buffer.compare(jobOf(chain, encoding).run([1]), expected)).toBe(0)
      expect(Buffer.compare(jobOf(chain, encoding).run([2, 1]), expected)).toBe(0)
    }
  })

  test.each(ENCODINGS)('leaves %s samples as they are when no effect and no other format is asked for', (encoding) => {
    const input = encodeAudio(source(SHORT.channels, SHORT.frames), encoding)
    const job = new AudioJob(wavParamsOf({ chain: '', source: { encoding }, output: encoding }), input)
    job.run([1])
    expect(Buffer.compare(job.audio, input)).toBe(0)
  })

  test('brings an impulse response along, once for each chunk', () => {
    const impulses = [{ path: 'room.wav', sampleRate: 8000, channels: 1, frames: 900, encoding: 's16' as const }]
    const room = noise(3, 1, 900, 0.3)
    const params = wavParamsOf({ chain: 'convolve room.wav', impulses })
    const job = () =>
      new AudioJob(
        params,
        encodeAudio(source(SHORT.channels, SHORT.frames), 'f32'),
        new Map([['room.wav', encodeAudio(room, 's16')]])
      )
    const expected = job().run([1_000])
    expect(Buffer.compare(job().run([1]), expected)).toBe(0)
    const [pass] = job().layout.passes
    expect(pass?.impulses).toEqual(impulses)
    const { audioBytes } = job().layout.grid.segment(0, 0)
    expect(expected.subarray(0, audioBytes).some((byte) => byte !== 0)).toBe(true)
  })

  test('says how far it got, in bytes of its result', () => {
    const job = jobOf('')
    const { grid } = job.layout
    const done: number[] = []
    wavKernel.run(job.inputOf({ pass: 0, first: 1, count: 2 }), job.call, (bytes) => done.push(bytes))
    const lengths = [1, 2].map((index) => grid.segment(0, index).audioBytes + grid.segment(0, index).reportBytes)
    expect(done).toEqual([lengths[0], (lengths[0] ?? 0) + (lengths[1] ?? 0)])
  })

  test.each(['', 'highpass 80, dc-offset, gain -3'])(
    'leaves nothing of what was in its memory before (%s)',
    (chain) => {
      const job = jobOf(chain)
      const first = job.inputOf({ pass: 0, first: 0, count: 2 })
      const dirty = (byteLength: number) => new Uint8Array(byteLength).fill(0xa5)
      const expected = wavKernel.run(first, job.call)
      expect(Buffer.compare(wavKernel.run(first, job.call, undefined, dirty), expected)).toBe(0)
    }
  )

  test('takes an input that lies at any address, as buffers of chunks do', () => {
    const job = jobOf('highpass 80')
    const input = job.inputOf({ pass: 0, first: 1, count: 1 })
    const expected = wavKernel.run(input, job.call)
    for (const shift of [1, 2, 3, 7]) {
      const moved = new Uint8Array(input.byteLength + shift).subarray(shift)
      moved.set(input)
      expect(Buffer.compare(wavKernel.run(moved, job.call), expected)).toBe(0)
    }
  })
})
