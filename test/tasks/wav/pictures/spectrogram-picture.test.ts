import { describe, expect, test } from 'vitest'
import { COLOURS, PALETTE } from '../../../../src/tasks/wav/pictures/colour-map.ts'
import { drawText, fillRectangle, textWidth } from '../../../../src/tasks/wav/pictures/pixel-font.ts'
import { drawSpectrogram, type Spectrogram } from '../../../../src/tasks/wav/pictures/spectrogram-picture.ts'

const LEFT = 66
const TOP = 22

function spectrogram(columns: number, bands: number, db: (column: number, band: number) => number): Spectrogram {
  const levels = Float32Array.from({ length: columns * bands }, (_, index) =>
    db(Math.floor(index / bands), index % bands)
  )
  return { columns, bands, db: levels, sampleRate: 44_100, durationSeconds: 12 }
}

/** Sum of a pixel's parts at a place of the plot, from the lower left. */
function brightness(picture: { width: number; height: number; pixels: Uint8Array }, x: number, y: number): number {
  const row = picture.height - 42 - 1 - y
  const entry = picture.pixels[row * picture.width + LEFT + x] ?? 0
  return PALETTE.subarray(entry * 3, entry * 3 + 3).reduce((sum, part) => sum + part, 0)
}

/** @see https://www.w3.org/WAI/GL/wiki/Relative_luminance, https://en.wikipedia.org/wiki/CIELAB_color_space */
function lightness(red: number, green: number, blue: number): number {
  const linear = (part: number) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance
}

describe('PALETTE', () => {
  test('gets lighter evenly from black to nearly white', () => {
    const steps = Array.from({ length: COLOURS }, (_, index) =>
      lightness(...(PALETTE.subarray(index * 3, index * 3 + 3) as unknown as [number, number, number]))
    )
    expect(steps[0]).toBeLessThan(1)
    for (const [index, step] of steps.entries()) {
      expect(Math.abs(step - (96 * index) / (COLOURS - 1))).toBeLessThan(4)
    }
  })
})

describe('drawSpectrogram', () => {
  test('draws time to the right, frequency upwards, and what is loud bright', () => {
    const picture = drawSpectrogram(spectrogram(600, 300, (column, band) => (column >= 300 && band >= 150 ? 0 : -120)))
    expect([picture.width, picture.height]).toEqual([LEFT + 600 + 92, TOP + 300 + 42])
    expect(brightness(picture, 450, 250)).toBeGreaterThan(600)
    for (const [x, y] of [
      [450, 50],
      [100, 250],
      [100, 50]
    ] as const)
      expect(brightness(picture, x, y)).toBeLessThan(20)
  })

  test('puts columns and bands together by their loudest when there are more than pixels', () => {
    const picture = drawSpectrogram(
      spectrogram(16_000, 1024, (column, band) => (column === 8005 && band === 513 ? 0 : -120))
    )
    expect(brightness(picture, 800, 256)).toBeGreaterThan(600)
    expect(brightness(picture, 801, 256)).toBeLessThan(20)
  })

  test('widens a short one, and draws silence and levels beyond the scale', () => {
    const picture = drawSpectrogram(spectrogram(2, 2, (column) => (column === 0 ? Number.NEGATIVE_INFINITY : 30)))
    expect(picture.width).toBe(LEFT + 400 + 92)
    expect(brightness(picture, 0, 0)).toBeLessThan(20)
    expect(brightness(picture, 399, 255)).toBeGreaterThan(600)
    const unknown = drawSpectrogram(spectrogram(1, 1, () => Number.NaN))
    expect(brightness(unknown, 0, 0)).toBeLessThan(20)
  })

  test('refuses levels that are not columns times bands', () => {
    const good = spectrogram(4, 4, () => 0)
    expect(() => drawSpectrogram({ ...good, bands: 5 })).toThrow(RangeError)
    expect(() => drawSpectrogram({ ...good, columns: 0, db: new Float32Array(0) })).toThrow(RangeError)
  })
})

describe('drawText', () => {
  test('draws figures, and leaves out what is outside the picture', () => {
    const raster = { width: 12, height: 8, pixels: new Uint8Array(12 * 8) }
    drawText(raster, '1?', 0, 0, 1, 255)
    const rows = Array.from({ length: 7 }, (_, row) =>
      Array.from({ length: 5 }, (_, column) => (raster.pixels[row * 12 + column] === 255 ? '#' : '.')).join('')
    )
    expect(rows).toEqual(['..#..', '.##..', '..#..', '..#..', '..#..', '..#..', '.###.'])
    drawText(raster, '888', -9, -3, 3, 255)
    fillRectangle(raster, 20, 20, 5, 5, 255)
    expect(textWidth('888', 2)).toBe(34)
  })
})
