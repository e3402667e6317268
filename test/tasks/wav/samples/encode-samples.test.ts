import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SAMPLE_BYTES, type SampleEncoding } from '../../../../src/tasks/wav/audio-format.ts'
import { SampleDecoder } from '../../../../src/tasks/wav/samples/decode-samples.ts'
import { ditherOf } from '../../../../src/tasks/wav/samples/dither.ts'
import { SampleEncoder } from '../../../../src/tasks/wav/samples/encode-samples.ts'
import { planar } from './sample-reference.ts'

const ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32', 'f32', 'f64']
const FULL = { u8: 2 ** 7, s16: 2 ** 15, s24: 2 ** 23, s32: 2 ** 31 } as const

function encode(
  encoding: SampleEncoding,
  input: readonly Float64Array[],
  { dither = false, firstFrame = 0, frames = input[0]?.length ?? 0 } = {}
): { bytes: Uint8Array; clipped: readonly number[] } {
  const encoder = new SampleEncoder(encoding, input.length, { dither })
  const bytes = new Uint8Array(frames * input.length * SAMPLE_BYTES[encoding])
  encoder.encode(input, frames, firstFrame, bytes, 0)
  return { bytes, clipped: encoder.clipped }
}

/** Mono samples as steps of the format. */
function stepsOf(encoding: keyof typeof FULL, samples: readonly number[] | Float64Array, options = {}): number[] {
  const { bytes } = encode(encoding, [Float64Array.from(samples)], options)
  const out = planar(1, samples.length)
  new SampleDecoder(encoding, 1).decode(bytes, 0, samples.length, out)
  return [...(out[0] as Float64Array)].map((sample) => sample * FULL[encoding])
}

describe('rounding and saturation', () => {
  test.each(['u8', 's16', 's24', 's32'] as const)('rounds %s to the nearest step, halves to even', (encoding) => {
    const steps = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, 0.51, -0.51, 7, -7]
    const rounded = stepsOf(
      encoding,
      steps.map((step) => step / FULL[encoding])
    ).map((step) => step + 0)
    expect(rounded).toEqual([0, 2, 2, 0, -2, -2, 0, 1, -1, 7, -7])
  })

  test.each(['u8', 's16', 's24', 's32'] as const)('saturates %s, and counts what is beyond full scale', (encoding) => {
    const full = FULL[encoding]
    const samples = [
      1,
      -1,
      1 + 0.4 / full,
      -1 - 0.4 / full,
      1 + 0.6 / full,
      -1 - 0.6 / full,
      5,
      -1e300,
      Number.POSITIVE_INFINITY
    ]
    const [high, low] = [full - 1, -full]
    expect(stepsOf(encoding, samples)).toEqual([high, low, high, low, high, low, high, low, high])
    expect(encode(encoding, [Float64Array.from(samples)]).clipped).toEqual([5])
  })

  test('writes +1 as SoX and FFmpeg do: 32767', () => {
    expect(encode('s16', [Float64Array.of(1)]).bytes).toEqual(Uint8Array.of(0xff, 0x7f))
  })

  test('counts clipping by channel, whatever dither does, and over blocks', () => {
    const beyond = (count: number) => Float64Array.from({ length: 5000 }, (_, frame) => (frame < count ? 1.001 : 1))
    for (const dither of [false, true]) {
      const encoder = new SampleEncoder('s16', 3, { dither })
      const input = [beyond(10), beyond(0), beyond(4999)]
      encoder.encode(input, 5000, 0, new Uint8Array(30_000), 0)
      encoder.encode(input, 10, 5000, new Uint8Array(60), 0)
      expect(encoder.clipped).toEqual([20, 0, 5009])
      encoder.encode(
        input.map((samples) => samples.map((sample) => -sample)),
        5000,
        0,
        new Uint8Array(30_000),
        0
      )
      expect(encoder.clipped).toEqual([30, 0, 10_008])
    }
  })

  test('keeps floats beyond full scale without counting, rounds them, and writes NaN as 0', () => {
    const samples = Float64Array.of(2.5, -1e9, 0.1, Number.NaN, -0)
    const f32 = encode('f32', [samples], { dither: true })
    expect(new Float32Array(f32.bytes.buffer)).toEqual(Float32Array.of(2.5, -1e9, Math.fround(0.1), 0, -0))
    const f64 = encode('f64', [samples])
    expect(new Float64Array(f64.bytes.buffer)).toEqual(Float64Array.of(2.5, -1e9, 0.1, 0, -0))
    expect([f32.clipped, f64.clipped]).toEqual([[0], [0]])
    expect(stepsOf('s16', [Number.NaN])).toEqual([0])
    expect(stepsOf('s16', [Number.NaN, Number.NaN, Number.NaN], { dither: true })).toEqual([0, 0, 0])
  })
})

describe('dither', () => {
  test.each(['u8', 's16', 's24'] as const)(
    'adds triangular noise to %s that frame and channel alone decide',
    (encoding) => {
      const full = FULL[encoding]
      const input = [0.25, -0.125].map((value) => new Float64Array(3000).fill(value))
      const firstFrame = 12_345
      const { bytes } = encode(encoding, input, { dither: true, firstFrame })
      const out = planar(2, 3000)
      new SampleDecoder(encoding, 2).decode(bytes, 0, 3000, out)
      for (const [channel, value] of [0.25, -0.125].entries()) {
        for (let frame = 0; frame < 3000; frame++) {
          const exact = value * full + ditherOf(firstFrame + frame, channel)
          const step = (out[channel]?.[frame] as number) * full
          expect(Math.abs(step - exact)).toBeLessThanOrEqual(0.5)
        }
      }
    }
  )

  test.each(['s32', 'f32', 'f64'] as const)('leaves %s alone', (encoding) => {
    const input = [Float64Array.from({ length: 100 }, (_, frame) => frame / 300)]
    expect(encode(encoding, input, { dither: true })).toEqual(encode(encoding, input))
  })

  test('goes on in digital silence', () => {
    const steps = stepsOf('s16', new Float64Array(1000), { dither: true })
    expect(new Set(steps.map((step) => step + 0))).toEqual(new Set([-1, 0, 1]))
  })

  test('makes the mean of a level between two steps right', () => {
    const steps = stepsOf('s16', new Float64Array(40_000).fill(0.3 / 32_768), { dither: true })
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length
    expect(mean).toBeCloseTo(0.3, 1)
  })

  test('is triangular and white, and apart in every channel', () => {
    const count = 50_000
    const noise = (channel: number, from = 0) =>
      Float64Array.from({ length: count }, (_, frame) => ditherOf(from + frame, channel))
    const product = (a: Float64Array, b: Float64Array, lag: number) => {
      let sum = 0
      for (let index = lag; index < count; index++) sum += (a[index] as number) * (b[index - lag] as number)
      return sum / count
    }
    const channels = [noise(0), noise(1), noise(2), noise(31), noise(0, 2 ** 32)]
    for (const [index, own] of channels.entries()) {
      expect(Math.abs(own.reduce((sum, value) => sum + value, 0) / count)).toBeLessThan(0.01)
      expect(product(own, own, 0)).toBeCloseTo(1 / 6, 2)
      // Half the triangle lies within 1 − √½ of its middle.
      expect(own.filter((value) => Math.abs(value) < 1 - Math.SQRT1_2).length / count).toBeCloseTo(0.5, 1)
      expect(own.every((value) => value > -1 && value < 1)).toBe(true)
      for (let lag = 1; lag <= 8; lag++) expect(Math.abs(product(own, own, lag))).toBeLessThan(0.006)
      for (const other of channels.slice(index + 1)) {
        for (let lag = 0; lag <= 2; lag++) expect(Math.abs(product(own, other, lag))).toBeLessThan(0.006)
      }
    }
  })

  test('keeps its bits', () => {
    const frames = [0, 1, 2, 48_000, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7]
    expect(frames.map((frame) => ditherOf(frame, 0) * 65_536)).toMatchInlineSnapshot(`
      [
        24422,
        -47415,
        -26121,
        -24191,
        -25704,
        12657,
        -13714,
      ]
    `)
    expect(frames.map((frame) => ditherOf(frame, 1) * 65_536)).toMatchInlineSnapshot(`
      [
        -11799,
        -18147,
        13392,
        35942,
        -10205,
        16643,
        34616,
      ]
    `)
  })
})

test('writes the same bytes whatever the blocks, from any frame on, to any place', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.integer({ min: 1, max: 33 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 299 }),
      fc.oneof(fc.nat(1_000_000), fc.constantFrom(2 ** 32 - 100, 2 ** 31 - 50, 2 ** 45)),
      fc.nat(9),
      (encoding, channels, frames, blockFrames, firstFrame, place) => {
        const input = planar(channels, frames).map((samples, channel) =>
          samples.map((_, frame) => ((frame * 7 + channel * 13) % 97) / 90 - 0.5)
        )
        const whole = encode(encoding, input, { dither: true, firstFrame })
        const frameBytes = SAMPLE_BYTES[encoding] * channels
        const bytes = new Uint8Array(frames * frameBytes + place)
        const encoder = new SampleEncoder(encoding, channels, { dither: true })
        for (let start = 0; start < frames; start += blockFrames) {
          const count = Math.min(blockFrames, frames - start)
          const block = input.map((samples) => samples.subarray(start, start + count))
          encoder.encode(block, count, firstFrame + start, bytes, place + start * frameBytes)
        }
        expect(Buffer.compare(bytes.subarray(place), whole.bytes)).toBe(0)
        expect(encoder.clipped).toEqual(whole.clipped)
        expect(bytes.subarray(0, place).every((byte) => byte === 0)).toBe(true)
      }
    )
  )
})

test('gives back the bytes that were decoded, without dither', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 60 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (encoding, channels, frames, stream) => {
        const bytes = Uint8Array.from(
          { length: frames * channels * SAMPLE_BYTES[encoding] },
          () => stream.next().value as number
        )
        const samples = planar(channels, frames)
        const decoder = new SampleDecoder(encoding, channels)
        decoder.decode(bytes, 0, frames, samples)
        if (decoder.nonFinite === 0) expect(encode(encoding, samples).bytes).toEqual(bytes)
      }
    )
  )
})

test.each([
  ['input that is too short', { frames: 3 }],
  ['a frame before the first', { firstFrame: -1 }],
  ['a place that is no frame', { firstFrame: 0.5 }]
])('refuses %s', (_, options) => {
  expect(() => encode('s16', planar(2, 2), options)).toThrow(RangeError)
})

test('refuses room that is too small, and a missing channel', () => {
  const encoder = new SampleEncoder('s24', 2, { dither: false })
  expect(() => encoder.encode(planar(2, 2), 2, 0, new Uint8Array(12), 1)).toThrow(RangeError)
  expect(() => encoder.encode(planar(2, 2), 2, 0, new Uint8Array(12), -1)).toThrow(RangeError)
  expect(() => encoder.encode(planar(1, 2), 2, 0, new Uint8Array(12), 0)).toThrow(RangeError)
})
