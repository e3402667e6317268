import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_FRAMES, type EffectKind, type Settings } from '../../../../src/tasks/wav/effects/effect.ts'
import { resample } from '../../../../src/tasks/wav/effects/resample.ts'
import { resampleRatio } from '../../../../src/tasks/wav/effects/resample-ratio.ts'
import { speed } from '../../../../src/tasks/wav/effects/speed.ts'
import { greatestDifference, noise, type Signal, shapeOf } from './chain-runs.ts'
import { runEffect, tones } from './resample-runs.ts'

/** −140 dBFS. */
const EXACT = 1e-7

/** Simple ratios, one that needs an interpolated table, and one far down. */
const CASES: readonly (readonly [kind: EffectKind, settings: Settings, sampleRate: number])[] = [
  [resample, { rate: 48_000 }, 44_100],
  [resample, { rate: 44_100 }, 48_000],
  [resample, { rate: 96_000 }, 44_100],
  [resample, { rate: 22_050 }, 48_000],
  [resample, { rate: 44_101 }, 44_100],
  [resample, { rate: 8000 }, 384_000],
  [speed, { factor: 1.25 }, 44_100],
  [speed, { factor: 0.7 }, 48_000],
  [speed, { factor: 0.1 }, 8000],
  [speed, { factor: 10 }, 8000],
  [speed, { factor: 1.234567 }, 8000]
]
const named = CASES.map(([kind, settings, rate]) => {
  return [`${kind.name} ${Object.values(settings).join()} of ${rate} Hz`, kind, settings, rate] as const
})

function bessel(x: number): number {
  let sum = 1
  for (let k = 1, term = 1; k < 60; k++) {
    term *= (x / 2 / k) ** 2
    sum += term
  }
  return sum
}

/** The definition: a sinc of 0.95 of the lower half rate under a Kaiser window, lowered to end at 0, of 84 frames of the lower rate to each side. */
function direct(samples: Float64Array, up: number, down: number, frame: number): number {
  const scale = Math.min(1, up / down)
  const time = (frame * down) / up
  const reach = Math.ceil(84 / scale)
  let sum = 0
  let gain = 0
  for (let n = Math.floor(time) - reach; n <= Math.floor(time) + reach + 1; n++) {
    const x = (n - time) * scale
    if (Math.abs(x) >= 84) continue
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * 0.95 * x) / (Math.PI * 0.95 * x)
    const tap = sinc * (bessel(13.2 * Math.sqrt(1 - (x / 84) ** 2)) - 1)
    gain += tap
    sum += tap * (samples[n] ?? 0)
  }
  return sum / gain
}

describe('resample and speed', () => {
  it.each(named)('are the sum that defines them: %s', (_name, kind, settings, sampleRate) => {
    const signal: Signal = { sampleRate, samples: noise(5, 3, 6000) }
    const plan = kind.plan(settings, shapeOf(signal), {})
    const { up, down } =
      kind === resample
        ? resampleRatio(Number(settings.rate), sampleRate)
        : resampleRatio(1e6, Math.round(Number(settings.factor) * 1e6))
    const whole = runEffect(plan, signal)
    for (let turn = 0; turn < 40; turn++) {
      const frame = Math.floor(((turn + 0.5) / 40) ** 2 * plan.output.frames)
      for (const [channel, samples] of signal.samples.entries()) {
        const value = whole[channel]?.[frame] ?? Number.NaN
        expect(Math.abs(value - direct(samples, up, down, frame))).toBeLessThan(EXACT / 100)
      }
    }
  })

  it.each(named)(
    'give the whole run’s bits for every range, whatever is read at once: %s',
    (_n, kind, settings, sampleRate) => {
      const signal: Signal = { sampleRate, samples: noise(7, 3, 2500) }
      const plan = kind.plan(settings, shapeOf(signal), {})
      const whole = runEffect(plan, signal)
      const share = fc.nat(1000)
      fc.assert(
        fc.property(
          share,
          share,
          fc.array(fc.integer({ min: 1, max: BLOCK_FRAMES }), { minLength: 1 }),
          (a, b, sizes) => {
            const bound = (part: number) => Math.floor((part / 1000) * plan.output.frames)
            const range = { start: bound(Math.min(a, b)), end: bound(Math.max(a, b)) }
            const part = runEffect(plan, signal, range, sizes)
            expect(part).toEqual(whole.map((samples) => samples.subarray(range.start, range.end).slice()))
          }
        ),
        { numRuns: 12 }
      )
    }
  )

  it.each(named.slice(0, 5))(
    'leave tones below 0.9 of the half rate where they are in time: %s',
    (_n, kind, settings, rate) => {
      const to = Number(settings.rate)
      const tone = tones(8000, rate, Math.min(rate, to))
      const signal: Signal = {
        sampleRate: rate,
        samples: [Float64Array.from({ length: 8000 }, (_, n) => tone(n / rate))]
      }
      const plan = kind.plan(settings, shapeOf(signal), {})
      const expected = Float64Array.from({ length: plan.output.frames }, (_, n) => tone(n / to))
      expect(greatestDifference(runEffect(plan, signal), [expected])).toBeLessThan(2e-6)
    }
  )

  it('stop what is above the lower half rate by 120 dB', () => {
    const samples = [Float64Array.from({ length: 9000 }, (_, n) => Math.sin(2 * Math.PI * (22_100 / 48_000) * n))]
    const plan = resample.plan({ rate: 44_100 }, { sampleRate: 48_000, channels: 1, frames: 9000 }, {})
    const [output = new Float64Array(0)] = runEffect(plan, { sampleRate: 48_000, samples })
    expect(output.subarray(300, -300).reduce((most, x) => Math.max(most, Math.abs(x)), 0)).toBeLessThan(1e-6)
  })

  it('keep a constant what it is', () => {
    const samples = [new Float64Array(3000).fill(0.5)]
    const plan = speed.plan({ factor: 0.987_654 }, { sampleRate: 8000, channels: 1, frames: 3000 }, {})
    const [output = new Float64Array(0)] = runEffect(plan, { sampleRate: 8000, samples })
    for (const sample of output.subarray(200, -200)) expect(Math.abs(sample - 0.5)).toBeLessThan(1e-15)
  })

  it('read nothing for nothing, and never less for more', () => {
    const plan = resample.plan({ rate: 48_000 }, { sampleRate: 44_100, channels: 1, frames: 5000 }, {})
    const { start, end } = plan.inputRange({ start: 100, end: 100 })
    expect(end - start).toBe(0)
    const frame = fc.integer({ min: 0, max: plan.output.frames - 1 })
    fc.assert(
      fc.property(frame, frame, frame, frame, (...frames) => {
        const [a = 0, b = 0, c = 0, d = 0] = frames.sort((one, other) => one - other)
        const inner = plan.inputRange({ start: b, end: c + 1 })
        const outer = plan.inputRange({ start: a, end: d + 1 })
        expect(outer.start).toBeLessThanOrEqual(inner.start)
        expect(outer.end).toBeGreaterThanOrEqual(inner.end)
      })
    )
  })

  it('pass the samples through where the rate stays', () => {
    const signal: Signal = { sampleRate: 44_100, samples: noise(1, 1, 500) }
    expect(runEffect(resample.plan({ rate: 44_100 }, shapeOf(signal), {}), signal)).toEqual(signal.samples)
    expect(runEffect(speed.plan({ factor: 1 }, shapeOf(signal), {}), signal)).toEqual(signal.samples)
  })

  it('refuse a rate that is no integer, and a factor out of range', () => {
    const shape = { sampleRate: 44_100, channels: 1, frames: 10 }
    expect(() => resample.plan({ rate: 44_100.5 }, shape, {})).toThrow(/whole Hz/)
    expect(() => speed.plan({ factor: 11 }, shape, {})).toThrow(/from 0.1 to 10/)
  })
})
