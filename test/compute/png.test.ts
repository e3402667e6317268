import { execFileSync } from 'node:child_process'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePng } from '../../src/compute/png.ts'
import { FFMPEG } from '../support/audio-tools.ts'

/** Undoes what the encoder did, by the specification: header, palette, data, end, and rows without a filter. */
function decode(bytes: Uint8Array): { width: number; height: number; pixels: Uint8Array; palette: Uint8Array } {
  const png = Buffer.from(bytes)
  const width = png.readUInt32BE(16)
  const height = png.readUInt32BE(20)
  const paletteBytes = png.readUInt32BE(33)
  const palette = new Uint8Array(png.subarray(41, 41 + paletteBytes))
  const data = 41 + paletteBytes + 4
  const rows = inflateSync(png.subarray(data + 8, data + 8 + png.readUInt32BE(data)))
  const pixels = new Uint8Array(width * height)
  for (let row = 0; row < height; row += 1) {
    const start = row * (width + 1)
    expect(rows[start]).toBe(0)
    pixels.set(rows.subarray(start + 1, start + 1 + width), row * width)
  }
  return { width, height, pixels, palette }
}

const picture = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })).chain(([width, height]) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    pixels: fc.uint8Array({ minLength: width * height, maxLength: width * height }),
    palette: fc.constant(Uint8Array.from({ length: 256 * 3 }, (_, index) => (index * 37) % 256))
  })
)
const GREYS = Uint8Array.of(0, 0, 0, 255, 255, 255)

describe('encodePng', () => {
  test('keeps every pixel', () => {
    fc.assert(
      fc.property(picture, ({ width, height, pixels, palette }) => {
        const decoded = decode(encodePng(width, height, pixels, palette))
        expect(decoded).toEqual({ width, height, pixels: new Uint8Array(pixels), palette })
      })
    )
  })

  test('ends with an empty last chunk whose checksum is the known one', () => {
    const png = encodePng(1, 1, Uint8Array.of(1), GREYS)
    expect(Buffer.from(png.subarray(-12)).toString('hex')).toBe('0000000049454e44ae426082')
  })

  test.skipIf(FFMPEG === undefined)('is read by another program with the same pixels (needs ffmpeg)', () => {
    const pixels = Uint8Array.from({ length: 30 * 20 }, (_, index) => (index * 37) % 243)
    const palette = Uint8Array.from({ length: 243 * 3 }, (_, index) => (index * 11) % 256)
    const args = ['-v', 'error', '-f', 'png_pipe', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1']
    const read = execFileSync(FFMPEG as string, args, { input: encodePng(30, 20, pixels, palette) })
    const expected = [...pixels].flatMap((entry) => [...palette.subarray(entry * 3, entry * 3 + 3)])
    expect(Buffer.compare(read, Uint8Array.from(expected))).toBe(0)
  })

  test('refuses pixels that do not fill the picture, and pictures without pixels or too large', () => {
    expect(() => encodePng(2, 2, new Uint8Array(3), GREYS)).toThrow(RangeError)
    expect(() => encodePng(0, 2, new Uint8Array(0), GREYS)).toThrow(RangeError)
    expect(() => encodePng(1e6, 1e6, new Uint8Array(0), GREYS)).toThrow(RangeError)
  })

  test('refuses palettes that are empty, too long, or end within a colour', () => {
    for (const bytes of [0, 4, 257 * 3]) {
      expect(() => encodePng(1, 1, Uint8Array.of(0), new Uint8Array(bytes))).toThrow(/a palette has 3 bytes/)
    }
  })
})
