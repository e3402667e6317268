import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SAMPLE_BYTES, type SampleEncoding } from '../../../../src/tasks/wav/audio-format.ts'
import { SampleDecoder } from '../../../../src/tasks/wav/samples/decode-samples.ts'
import { planar, referenceSample } from './sample-reference.ts'

const ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32', 'f32', 'f64']

function decodeMono(
  encoding: SampleEncoding,
  bytes: readonly number[] | Uint8Array
): { samples: number[]; nonFinite: number } {
  const frames = bytes.length / SAMPLE_BYTES[encoding]
  const out = planar(1, frames)
  const decoder = new SampleDecoder(encoding, 1)
  decoder.decode(Uint8Array.from(bytes), 0, frames, out)
  return { samples: [...(out[0] as Float64Array)], nonFinite: decoder.nonFinite }
}

describe('values', () => {
  test.each([
    ['u8', [0, 1, 127, 128, 129, 255], [-1, -127 / 128, -1 / 128, 0, 1 / 128, 127 / 128]],
    ['s16', [0, 0x80, 0xff, 0xff, 0, 0, 1, 0, 0xff, 0x7f], [-1, -1 / 32768, 0, 1 / 32768, 32767 / 32768]],
    [
      's24',
      [0, 0, 0x80, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0x7f],
      [-1, -(2 ** -23), 0, 2 ** -23, 1 - 2 ** -23]
    ],
    [
      's32',
      [0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f],
      [-1, -(2 ** -31), 2 ** -31, 1 - 2 ** -31]
    ],
    ['f32', [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0], [1, -2.5]],
    ['f64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [1]]
  ] as const)('reads %s', (encoding, bytes, expected) => {
    expect(decodeMono(encoding, bytes)).toEqual({ samples: expected, nonFinite: 0 })
  })

  test.each([
    ['f32', Float32Array],
    ['f64', Float64Array]
  ] as const)('reads NaN as 0 and infinities as ±1 in %s, and counts them', (encoding, View) => {
    const values = View.of(Number.NaN, 0.5, Number.POSITIVE_INFINITY, -3, Number.NEGATIVE_INFINITY)
    const decoded = decodeMono(encoding, new Uint8Array(values.buffer))
    expect(decoded).toEqual({ samples: [0, 0.5, 1, -3, -1], nonFinite: 3 })
  })

  test('takes finite values apart from counting however great they are', () => {
    const values = Float64Array.of(Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324)
    expect(decodeMono('f64', new Uint8Array(values.buffer))).toEqual({ samples: [...values], nonFinite: 0 })
  })
})

test('reads what a plain loop reads, from any place, in blocks of any size', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 17 }),
      fc.nat(9),
      fc.nat(9),
      fc.uint8Array({ minLength: 3000, maxLength: 3000 }),
      (encoding, channels, frames, blockFrames, place, byteOffset, noise) => {
        const sampleBytes = SAMPLE_BYTES[encoding]
        const frameBytes = sampleBytes * channels
        const bytes = noise.subarray(place)
        const decoder = new SampleDecoder(encoding, channels)
        const block = planar(channels, blockFrames)
        for (let start = 0; start < frames; start += blockFrames) {
          const count = Math.min(blockFrames, frames - start)
          decoder.decode(bytes, byteOffset + start * frameBytes, count, block)
          for (let frame = 0; frame < count; frame++) {
            for (let channel = 0; channel < channels; channel++) {
              const at = byteOffset + (start + frame) * frameBytes + channel * sampleBytes
              expect(block[channel]?.[frame]).toBe(referenceSample(encoding, bytes, at))
            }
          }
        }
      }
    )
  )
})

test('reads from one buffer after another', () => {
  const decoder = new SampleDecoder('s16', 1)
  const out = planar(1, 2)
  decoder.decode(Uint8Array.of(0, 1, 0, 2), 0, 2, out)
  decoder.decode(Uint8Array.of(0, 64, 0, 192), 0, 2, out)
  expect([...(out[0] as Float64Array)]).toEqual([0.5, -0.5])
})

test.each([
  ['bytes that are missing', 4, 0, 2, 2],
  ['bytes before the first', 4, -1, 1, 2],
  ['room that is missing', 8, 0, 2, 1]
])('refuses %s', (_, byteLength, byteOffset, frames, room) => {
  const decoder = new SampleDecoder('s16', 2)
  expect(() => decoder.decode(new Uint8Array(byteLength), byteOffset, frames, planar(2, room))).toThrow(RangeError)
})
