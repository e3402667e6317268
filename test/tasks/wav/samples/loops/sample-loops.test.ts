import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LimitDetector } from '../../../../../src/tasks/wav/effects/limit-detector.ts'
import { LimitEnvelope } from '../../../../../src/tasks/wav/effects/limit-envelope.ts'
import { planTruePeak, TAP_PAIRS } from '../../../../../src/tasks/wav/measure/true-peak-filter.ts'
import {
  copyFrames,
  SampleLoops,
  sampleLoops,
  WINDOW_HISTORY
} from '../../../../../src/tasks/wav/samples/loops/sample-loops.ts'
import { noise, type Signal, sweep } from '../../effects/chain-runs.ts'
import { measure } from '../../measure/measured.ts'

const BLOCK = 1024

/** Greatest magnitude that each frame shows, every interval looked into. */
function levelsDirectly(samples: Float64Array, sampleRate: number): Float64Array {
  const { middle, even, odd, positions } = planTruePeak(sampleRate)
  return samples.map((sample, n) => {
    let half = 0
    let common = 0
    let apart = 0
    for (let pair = 0; pair < TAP_PAIRS; pair++) {
      const a = samples[n - TAP_PAIRS - pair] ?? 0
      const b = samples[n - TAP_PAIRS + 1 + pair] ?? 0
      half += (middle[pair] ?? 0) * (a + b)
      common += (even[pair] ?? 0) * (a + b)
      apart += (odd[pair] ?? 0) * (a - b)
    }
    const quarter = positions === 3 ? Math.abs(common) + Math.abs(apart) : 0
    return Math.max(Math.abs(sample), positions > 0 ? Math.abs(half) : 0, quarter)
  })
}

const sizes = fc.array(fc.integer({ min: 1, max: BLOCK }), { minLength: 1, maxLength: 5 })

describe('the search for what passes a ceiling', () => {
  const [white = new Float64Array(0)] = noise(3, 1, 4000, 1)
  let low = 0
  const smooth = white.map((x) => {
    low += 0.1 * (x - low)
    return 3 * low
  })
  const signals = [white, smooth, sweep(48_000, 4000, 1), white.map((x, n) => (n % 900 < 15 ? x : 0.1 * x))]

  test('finds the level of every frame that is above it, bit for bit, in blocks of any size', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...signals),
        fc.constantFrom(8000, 48_000, 96_000, 192_000),
        fc.double({ min: 0.05, max: 1.3, noNaN: true }),
        sizes,
        (samples, sampleRate, ceiling, counts) => {
          const expected = levelsDirectly(samples, sampleRate)
          const detector = new LimitDetector(1, ceiling, planTruePeak(sampleRate))
          const { blocks, levels } = sampleLoops()
          for (let at = 0, turn = 0; at < samples.length; turn++) {
            const count = Math.min(counts[turn % counts.length] ?? 1, samples.length - at)
            copyFrames(samples, at, count, blocks[0] as Float64Array, 0)
            const isAbove = detector.detect(count)
            const wanted = expected.subarray(at, at + count)
            if (wanted.some((level) => level > ceiling)) expect(isAbove).toBe(true)
            const found = levels.subarray(0, count)
            expect(
              wanted.every((level, n) => (level > ceiling ? found[n] === level : (found[n] ?? 9) <= ceiling))
            ).toBe(true)
            at += count
          }
        }
      ),
      { numRuns: 40 }
    )
  })
})

describe('an envelope of reductions', () => {
  test('gives the same bits whether it is told that nothing is needed or finds that out', () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 0, 0, 0.3, 0.7)), {
      maxLength: 60
    })
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 9 }),
        fc.nat(9),
        fc.constantFrom(0, 0.5, 0.9),
        (runs, smoothed, more, release) => {
          const told = new LimitEnvelope(smoothed + more, smoothed, release)
          const finding = new LimitEnvelope(smoothed + more, smoothed, release)
          for (const [length, needed] of runs) {
            const one = new Float64Array(length).fill(needed, 0, 1)
            const other = one.slice()
            const isReduced = told.follow(one, needed > 0, length)
            finding.follow(other, true, length)
            expect(one).toEqual(other)
            if (!isReduced) expect(one.every((x) => x === 0)).toBe(true)
            told.settle()
            finding.settle()
          }
        }
      )
    )
  })

  test('gives the same bits whatever is followed at once, at rest and behind it', () => {
    const needed = Float64Array.from({ length: 20 * BLOCK }, (_, n) => (n % 5003 < 40 ? 1 / (2 + (n % 13)) : 0))
    const followed = (counts: readonly number[]): Float64Array => {
      const envelope = new LimitEnvelope(31, 19, 0.9)
      const all = needed.slice()
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const untilSettled = BLOCK - (at % BLOCK)
        const count = Math.min(counts[turn % counts.length] ?? 1, untilSettled)
        const block = all.subarray(at, at + count)
        envelope.follow(
          block,
          block.some((x) => x > 0),
          count
        )
        if (count === untilSettled) envelope.settle()
        at += count
      }
      return all
    }
    const expected = followed([BLOCK])
    fc.assert(
      fc.property(sizes, (counts) => {
        expect(followed(counts)).toEqual(expected)
      }),
      { numRuns: 20 }
    )
  })
})

describe('the loops', () => {
  test('weigh each channel as if it were alone, in any number of channels', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(5, 5, 9000) }
    const { channels } = measure(signal)
    for (const [channel, samples] of signal.samples.entries()) {
      const alone = measure({ ...signal, samples: [samples] })
      expect(channels[channel]).toEqual(alone.channels[0])
    }
  })

  test('turn levels into the same gains in blocks of any size', () => {
    const [samples = new Float64Array(0)] = noise(8, 1, 3000, 1)
    const levels = samples.map((x, n) => (n % 700 < 200 ? 0 : Math.abs(x) * (n % 1000 < 300 ? 0.01 : 1)))
    const gainsOf = (counts: readonly number[]): Float64Array => {
      const { run, parameters, parametersAt, levelsAt, levels: block } = sampleLoops()
      const gains = new Float64Array(levels.length)
      let reduction = 0
      for (let at = 0, turn = 0; at < levels.length; turn++) {
        const count = Math.min(counts[turn % counts.length] ?? 1, levels.length - at)
        parameters.set([-3, 0.5, 0.7, 0.35, 1.5, 0.9, 0.99, 2 ** -3.5])
        copyFrames(levels, at, count, block, 0)
        reduction = run.turnIntoGains(levelsAt, count, parametersAt, reduction)
        copyFrames(block, 0, count, gains, at)
        at += count
      }
      return gains
    }
    const expected = gainsOf([BLOCK])
    fc.assert(
      fc.property(sizes, (counts) => {
        expect(gainsOf(counts)).toEqual(expected)
      }),
      { numRuns: 30 }
    )
  })

  test('leave negative zero as it is where nothing is taken away', () => {
    const loops = sampleLoops()
    const { run, blocks, levels, levelsAt } = loops
    blocks[0]?.set([-0, 0.5, -2])
    levels.set([0, 0.5, 0])
    run.reduce(loops.blockAt(0), levelsAt, 1, 3)
    expect([...(blocks[0]?.subarray(0, 3) ?? [])]).toEqual([-0, 0.25, -1])
  })

  test('keep the last frames before a block, however short blocks are', () => {
    const loops = new SampleLoops()
    const history = new Float64Array(WINDOW_HISTORY)
    const samples = Float64Array.from({ length: 100 }, (_, n) => n + 1)
    for (let at = 0; at < 100; at += 10) loops.putBehind(history, 3, samples, at, 10)
    expect(history).toEqual(samples.slice(-WINDOW_HISTORY))
    expect(loops.windows[3]?.subarray(WINDOW_HISTORY - 5, WINDOW_HISTORY + 10)).toEqual(samples.slice(85))
  })
})
