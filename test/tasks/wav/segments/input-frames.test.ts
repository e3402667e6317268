import { describe, expect, test } from 'vitest'
import { InputFrames } from '../../../../src/tasks/wav/segments/input-frames.ts'

const audio = { sampleRate: 8000, channels: 1, frames: 100, encoding: 's16' as const }
const ranges = [
  { start: 10, end: 20 },
  { start: 50, end: 53 }
]
const bytes = new Uint8Array(Int16Array.from([...Array(10).keys(), 50, 51, 52]).buffer)

function read(frames: InputFrames, start: number, end: number): number[] {
  const out = [new Float64Array(16)]
  frames.open({ start, end }).read(out, end - start)
  return Array.from(out[0]?.subarray(0, end - start) ?? [], (sample) => sample * 32_768)
}

describe("frames of a chunk's input", () => {
  test('are found by their place in the whole, in either range', () => {
    const frames = new InputFrames(audio, ranges, bytes)
    expect(read(frames, 10, 13)).toEqual([0, 1, 2])
    expect(read(frames, 17, 20)).toEqual([7, 8, 9])
    expect(read(frames, 50, 53)).toEqual([50, 51, 52])
  })

  test('open to nothing where nothing is wanted', () => {
    expect(new InputFrames(audio, [], new Uint8Array(0)).open({ start: 5, end: 5 }).channels).toBe(1)
  })

  test.each([
    [9, 12],
    [18, 21],
    [19, 51],
    [53, 54]
  ])('are not given where they are not there: %d to %d', (start, end) => {
    expect(() => new InputFrames(audio, ranges, bytes).open({ start, end })).toThrow(RangeError)
  })

  test('count samples that are no numbers, and read them as silence', () => {
    const floats = { ...audio, encoding: 'f32' as const }
    const raw = new Uint8Array(Float32Array.of(0.5, Number.NaN, Number.POSITIVE_INFINITY).buffer)
    const stream = new InputFrames(floats, [{ start: 0, end: 3 }], raw).open({ start: 0, end: 3 })
    const out = [new Float64Array(3)]
    stream.read(out, 2)
    expect([stream.nonFinite, out[0]?.[1]]).toEqual([1, 0])
    stream.read(out, 1)
    expect(stream.nonFinite).toBe(2)
  })

  test.each([0, 25, 27])('refuses %d bytes where 26 are expected', (byteLength) => {
    const other = new Uint8Array(byteLength)
    expect(() => new InputFrames(audio, ranges, other)).toThrow(expect.objectContaining({ code: 'INPUT_MALFORMED' }))
  })
})
