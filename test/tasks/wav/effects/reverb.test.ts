import { describe, expect, test } from 'vitest'
import { PRE_ROLL_LEVEL } from '../../../../src/tasks/wav/effects/effect.ts'
import { reverb } from '../../../../src/tasks/wav/effects/reverb.ts'
import { ReverbNetworks } from '../../../../src/tasks/wav/effects/reverb-networks.ts'
import { reverbPreRoll } from '../../../../src/tasks/wav/effects/reverb-pre-roll.ts'
import { type ReverbChoice, type ReverbTuning, tuneReverb } from '../../../../src/tasks/wav/effects/reverb-tuning.ts'
import { noise, type Signal } from './chain-runs.ts'
import { planWords } from './memory-runs.ts'

const BLOCK = 1024
const base: ReverbChoice = { reverberance: 35, damping: 50, roomScale: 100, stereoDepth: 100, wetGain: 0 }

function impulseResponse(tuning: ReverbTuning, frames: number): Float64Array {
  const networks = new ReverbNetworks([tuning])
  const response = new Float64Array(Math.ceil(frames / BLOCK) * BLOCK)
  networks.input[0] = 1
  for (let at = 0; at < response.length; at += BLOCK) {
    response.set(networks.advance(0, BLOCK), at)
    networks.settle()
    networks.input[0] = 0
  }
  return response
}

/** One sided network by the definition: a line is a list that is shifted. */
function directly(
  { combLengths, allPassLengths, feedback, damping, gain }: ReverbTuning,
  input: Float64Array
): number[] {
  const combs = combLengths.map((length) => ({ line: new Array<number>(length).fill(0), damped: 0 }))
  const allPasses = allPassLengths.map((length) => new Array<number>(length).fill(0))
  return Array.from(input, (x) => {
    let sum = 0
    for (const comb of combs) {
      const y = comb.line.shift() ?? 0
      comb.damped = y * (1 - damping) + comb.damped * damping
      comb.line.push(x * gain + comb.damped * feedback)
      sum += y
    }
    for (const line of allPasses) {
      const y = line.shift() ?? 0
      line.push(sum + y / 2)
      sum = y - sum
    }
    return sum
  })
}

describe('a reverb’s network', () => {
  test('is the definition, line by line', () => {
    const tuning = tuneReverb({ ...base, reverberance: 80 }, 1, 8000)
    const [input = new Float64Array(0)] = noise(1, 1, 5000)
    const networks = new ReverbNetworks([tuneReverb(base, 0, 8000), tuning])
    const expected = directly(tuning, input)
    // Runs of odd lengths, so that samples fall into vectors and beside them.
    for (let at = 0, count = 1; at < input.length; at += count, count = (count * 7 + 2) % BLOCK) {
      count = Math.min(count, input.length - at)
      networks.input.set(input.subarray(at, at + count))
      const wet = networks.advance(1, count)
      for (let i = 0; i < count; i++) expect(Math.abs((wet[i] ?? 9) - (expected[at + i] ?? 0))).toBeLessThan(1e-14)
    }
  })

  test('comes to rest at exactly 0 in silence', () => {
    const networks = new ReverbNetworks([tuneReverb({ ...base, reverberance: 0, roomScale: 0 }, 0, 8000)])
    networks.input.set(noise(1, 1, BLOCK, 1)[0] ?? [])
    networks.advance(0, BLOCK)
    networks.settle()
    expect(networks.isSilent(0)).toBe(false)
    networks.input.fill(0)
    let blocks = 0
    for (; !networks.isSilent(0) && blocks < 1000; blocks++) {
      networks.advance(0, BLOCK)
      networks.settle()
    }
    expect(blocks).toBeLessThan(200)
    expect(networks.advance(0, BLOCK).every((x) => x === 0)).toBe(true)
  })
})

describe('a reverb’s pre-roll', () => {
  test.each([
    { ...base },
    { ...base, reverberance: 0, damping: 100, roomScale: 0 },
    { ...base, reverberance: 60, damping: 0, wetGain: 10 },
    { ...base, reverberance: 80, damping: 100, roomScale: 30, stereoDepth: 40 }
  ])(
    'leaves less than −140 dB of the loudest input that was cut off, and is less than two thirds too long: %o',
    (choice) => {
      for (const side of [0, 1]) {
        const tuning = tuneReverb(choice, side, 8000)
        const frames = reverbPreRoll(tuning)
        const response = impulseResponse(tuning, 3 * frames)
        // The worst input follows the signs of the response, so it gets the sum of magnitudes.
        let left = 0
        let needed = response.length
        while (needed > 0 && left <= PRE_ROLL_LEVEL) left += Math.abs(response[--needed] ?? 0)
        expect(frames).toBeGreaterThanOrEqual(needed)
        expect(frames).toBeLessThan(needed * 1.6)
      }
    }
  )

  test('is as long as the pre-delay asks besides', () => {
    const signal: Signal = { sampleRate: 8000, samples: noise(1, 2, 200_000) }
    const startOf = (words: string): number =>
      planWords(reverb, words, signal).inputRange({ start: 199_000, end: 200_000 }).start
    expect(startOf('35')).toBeGreaterThan(150_000)
    expect(startOf('35') - startOf('35 pre-delay=0.1')).toBe(800)
  })
})

test('reverb refuses a pre-delay in samples that is longer than half a second', () => {
  const signal: Signal = { sampleRate: 8000, samples: noise(1, 2, 10) }
  expect(() => planWords(reverb, 'pre-delay=4001s', signal)).toThrow(
    expect.objectContaining({ code: 'EFFECT_UNSUITABLE' })
  )
})

test('reverb makes stereo of mono, unless the stereo depth is 0, and keeps other channel counts', () => {
  const channelsOf = (words: string, channels: number): number =>
    planWords(reverb, words, { sampleRate: 8000, samples: noise(1, channels, 10) }).output.channels
  expect([channelsOf('35', 1), channelsOf('stereo-depth=0', 1), channelsOf('35', 2), channelsOf('35', 5)]).toEqual([
    2, 1, 2, 5
  ])
})
