/** Width and height of a character in pixels, without the pixel between two. */
export const GLYPH_WIDTH = 5
export const GLYPH_HEIGHT = 7

/** Five columns a character, top pixel in bit 0. */
const GLYPHS: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  '0': [0x3e, 0x41, 0x41, 0x41, 0x3e],
  '1': [0x00, 0x42, 0x7f, 0x40, 0x00],
  '2': [0x62, 0x51, 0x49, 0x49, 0x46],
  '3': [0x22, 0x41, 0x49, 0x49, 0x36],
  '4': [0x18, 0x14, 0x12, 0x7f, 0x10],
  '5': [0x2f, 0x49, 0x49, 0x49, 0x31],
  '6': [0x3e, 0x49, 0x49, 0x49, 0x32],
  '7': [0x01, 0x71, 0x09, 0x05, 0x03],
  '8': [0x36, 0x49, 0x49, 0x49, 0x36],
  '9': [0x26, 0x49, 0x49, 0x49, 0x3e],
  '.': [0x00, 0x60, 0x60, 0x00, 0x00],
  ':': [0x00, 0x36, 0x36, 0x00, 0x00],
  '-': [0x08, 0x08, 0x08, 0x08, 0x08],
  k: [0x7f, 0x10, 0x28, 0x44, 0x00],
  H: [0x7f, 0x08, 0x08, 0x08, 0x7f],
  z: [0x44, 0x64, 0x54, 0x4c, 0x44],
  d: [0x38, 0x44, 0x44, 0x48, 0x7f],
  B: [0x7f, 0x49, 0x49, 0x49, 0x36],
  s: [0x48, 0x54, 0x54, 0x54, 0x24]
}

/** A picture of one byte a pixel. */
export interface Raster {
  readonly width: number
  readonly height: number
  /** [height × width] entries of a palette, from the top left. */
  readonly pixels: Uint8Array
}

/** Width in pixels of a text. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, text.length * (GLYPH_WIDTH + 1) - 1) * scale
}

/**
 * Draws digits, `. : - k H z d B s`; other characters stay empty. What lies outside the picture is left out.
 *
 * @param x left edge, in pixels
 * @param y upper edge, in pixels
 * @param scale pixels to a pixel of the font, an integer from 1
 * @param ink entry of the palette
 */
export function drawText(raster: Raster, text: string, x: number, y: number, scale: number, ink: number): void {
  for (const [position, character] of [...text].entries()) {
    const left = x + position * (GLYPH_WIDTH + 1) * scale
    for (const [column, bits] of (GLYPHS[character] ?? []).entries()) {
      for (let row = 0; row < GLYPH_HEIGHT; row += 1) {
        if (((bits >> row) & 1) === 1) fillRectangle(raster, left + column * scale, y + row * scale, scale, scale, ink)
      }
    }
  }
}

/** Fills a rectangle with an entry of the palette, as far as it lies within the picture. */
export function fillRectangle(raster: Raster, x: number, y: number, width: number, height: number, ink: number): void {
  const right = Math.min(raster.width, x + width)
  const bottom = Math.min(raster.height, y + height)
  for (let row = Math.max(0, y); row < bottom; row += 1) {
    raster.pixels.fill(ink, row * raster.width + Math.max(0, x), row * raster.width + right)
  }
}
