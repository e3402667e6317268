import { describe, expect, test } from 'vitest'
import { planFor, runWhole, type Signal } from './chain-runs.ts'

function signal(...channels: readonly (readonly number[])[]): Signal {
  return { sampleRate: 8000, samples: channels.map((samples) => Float64Array.from(samples)) }
}

function result(text: string, ...channels: readonly (readonly number[])[]): readonly number[][] {
  return runWhole(text, signal(...channels)).map((samples) => [...samples])
}

function refusal(text: string, ...channels: readonly (readonly number[])[]): unknown {
  try {
    planFor(text, signal(...channels))
  } catch (error) {
    return error
  }
  return undefined
}

describe('gain, invert and reverse', () => {
  test('gain multiplies by ten to the twentieth of its dB', () => {
    const [[sample = 0] = []] = result('gain -6', [1])
    expect(sample).toBeCloseTo(10 ** (-6 / 20), 15)
    expect(result('gain 0', [0.25, -1])).toEqual([[0.25, -1]])
  })

  test('invert changes every sign', () => {
    expect(result('invert', [0.25, -1], [0, 3])).toEqual([
      [-0.25, 1],
      [-0, -3]
    ])
  })

  test('reverse plays backwards, and twice is as before', () => {
    expect(result('reverse', [1, 2, 3], [4, 5, 6])).toEqual([
      [3, 2, 1],
      [6, 5, 4]
    ])
    expect(result('reverse, reverse', [1, 2, 3])).toEqual([[1, 2, 3]])
  })

  test('all leave audio without frames as it is', () => {
    for (const text of ['gain 3', 'reverse', 'fade 0', 'highpass 80', 'trim 0', 'channels mono']) {
      expect(result(text, [], [])[0]).toEqual([])
    }
  })
})

describe('trim and pad', () => {
  test('trim keeps a part, cut off at the end of the audio', () => {
    expect(result('trim 1s 2s', [1, 2, 3, 4])).toEqual([[2, 3]])
    expect(result('trim 1s', [1, 2, 3, 4])).toEqual([[2, 3, 4]])
    expect(result('trim 2s 1:00', [1, 2, 3, 4])).toEqual([[3, 4]])
    expect(result('trim 4s', [1, 2, 3, 4])).toEqual([[]])
  })

  test('trim refuses a start behind the end', () => {
    expect(refusal('trim 1', [1, 2, 3, 4])).toMatchObject({
      code: 'EFFECT_UNSUITABLE',
      message: expect.stringContaining('within the audio')
    })
  })

  test('pad adds silence at both ends, and to audio without frames', () => {
    expect(result('pad 2s 1s', [1, 2])).toEqual([[0, 0, 1, 2, 0]])
    expect(result('pad 1s', [1, 2])).toEqual([[0, 1, 2]])
    expect(result('pad 0 0.25ms', [])).toEqual([[0, 0]])
  })
})

describe('fade', () => {
  const ones = Array.from({ length: 8 }, () => 1)

  test('rises from the first frame and falls to just above silence at the last', () => {
    expect(result('fade 4s 2s linear', ones)).toEqual([[0, 0.25, 0.5, 0.75, 1, 1, 1, 0.5]])
    expect(result('fade 0 4s parabola', ones)).toEqual([[1, 1, 1, 1, 1, 0.9375, 0.75, 0.4375]])
  })

  test('refuses to be longer than the audio', () => {
    expect(refusal('fade 5s 4s', ones)).toMatchObject({
      code: 'EFFECT_UNSUITABLE',
      message: expect.stringContaining('make them shorter')
    })
  })
})

describe('channels', () => {
  test('mono is the mean of all channels', () => {
    expect(result('channels mono', [1, 0], [0, 0.5])).toEqual([[0.5, 0.25]])
    expect(result('channels mono', [1, 2])).toEqual([[1, 2]])
  })

  test('stereo doubles one channel and deals out many', () => {
    expect(result('channels stereo', [1, 2])).toEqual([
      [1, 2],
      [1, 2]
    ])
    expect(result('channels stereo', [1], [2], [3])).toEqual([[2], [2]])
  })

  test('swap changes places in pairs and leaves an odd last channel', () => {
    expect(result('channels swap', [1], [2], [3])).toEqual([[2], [1], [3]])
  })

  test('mix takes weights by output channel', () => {
    expect(result('channels mix 0.5:0.5/1:-1/0:0', [1, 3], [2, 4])).toEqual([
      [1.5, 3.5],
      [-1, -1],
      [0, 0]
    ])
  })

  test.each([
    ['channels mix', 'expected weights after mix'],
    ['channels mono 1:1', 'expected no weights after mono'],
    ['channels mix 1', 'one weight for each of 2'],
    ['channels mix 1:1/1:1:1', "got '1:1:1'"],
    ['channels mix 1:x', "got 'x'"],
    ['channels mix 1:1e9', 'from -1000 to 1000'],
    [`channels mix ${Array.from({ length: 33 }, () => '1:1').join('/')}`, 'at most 32 output channels']
  ])('refuses %s for two channels', (text, problem) => {
    expect(refusal(text, [1], [2])).toMatchObject({
      code: 'EFFECT_UNSUITABLE',
      message: expect.stringContaining(problem)
    })
  })
})
