import { execFileSync } from 'node:child_process'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePng } from '../../src/compute/png.ts'
import { FFMPEG } from '../support/audio-tools.ts'

/** Undoes what the encoder did, by the specification: chunks in order, rows as differences from the one above. */
function decode(bytes: Uint8Array): { width: number; height: number; pixels: Uint8Array } {
  const png = Buffer.from(bytes)
  const width = png.readUInt32BE(16)
  const height = png.readUInt32BE(20)
  const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
  const pixels = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row += 1) {
    expect(rows[row * (width * 3 + 1)]).toBe(2)
    for (let index = 0; index < width * 3; index += 1) {
      const above = row === 0 ? 0 : (pixels[(row - 1) * width * 3 + index] as number)
      pixels[row * width * 3 + index] = (rows[row * (width * 3 + 1) + 1 + index] as number) + above
    }
  }
  return { width, height, pixels }
}

const picture = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .chain(([width, height]) =>
    fc.tuple(
      fc.constant(width),
      fc.constant(height),
      fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
    )
  )

describe('encodePng', () => {
  test('keeps every pixel', () => {
    fc.assert(
      fc.property(picture, ([width, height, pixels]) => {
        expect(decode(encodePng(width, height, pixels))).toEqual({ width, height, pixels: new Uint8Array(pixels) })
      })
    )
  })

  test('ends with an empty last chunk whose checksum is the known one', () => {
    const png = encodePng(1, 1, Uint8Array.of(1, 2, 3))
    expect(Buffer.from(png.subarray(-12)).toString('hex')).toBe('0000000049454e44ae426082')
  })

  test.skipIf(FFMPEG === undefined)('is read by another program with the same pixels (needs ffmpeg)', () => {
    const pixels = Uint8Array.from({ length: 30 * 20 * 3 }, (_, index) => (index * 37) % 256)
    const args = ['-v', 'error', '-f', 'png_pipe', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1']
    const read = execFileSync(FFMPEG as string, args, { input: encodePng(30, 20, pixels) })
    expect(Buffer.compare(read, pixels)).toBe(0)
  })

  test('refuses pixels that do not fill the picture, and pictures without pixels or too large', () => {
    expect(() => encodePng(2, 2, new Uint8Array(11))).toThrow(RangeError)
    expect(() => encodePng(0, 2, new Uint8Array(0))).toThrow(RangeError)
    expect(() => encodePng(1e6, 1e6, new Uint8Array(0))).toThrow(RangeError)
  })
})
