import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** Eight bits a pixel, of a palette, the only methods of compression and filtering, not interlaced. */
const HEADER_REST = Uint8Array.of(8, 3, 0, 0, 0)
/** Palettes compress best so. @see https://www.w3.org/TR/png-3/#12Filter-selection */
const FILTER_NONE = 0
const PALETTE_MAX = 256
/** Pixels that a picture may have, so that its bytes stay within memory. */
export const PNG_PIXELS_MAX = 64 * 1024 * 1024

/**
 * Packs a picture as PNG.
 *
 * @param pixels [height × width] entries of the palette, from the top left
 * @param palette [entries × 3] red, green and blue
 * @throws RangeError when there are not that many pixels, or more than {@link PNG_PIXELS_MAX}, or the palette is none
 * @see https://www.w3.org/TR/png-3/
 */
export function encodePng(width: number, height: number, pixels: Uint8Array, palette: Uint8Array): Uint8Array {
  if (!(width * height > 0 && width * height <= PNG_PIXELS_MAX) || pixels.byteLength !== width * height) {
    throw new RangeError(`a picture of ${width} × ${height} has a byte a pixel, but got ${pixels.byteLength} bytes`)
  }
  const entries = palette.byteLength / 3
  if (!(Number.isInteger(entries) && entries > 0 && entries <= PALETTE_MAX)) {
    throw new RangeError(
      `a palette has 3 bytes for each of 1 to ${PALETTE_MAX} colours, not ${palette.byteLength} bytes`
    )
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set(HEADER_REST, 8)
  const data = deflateSync(filterRows(width, height, pixels))
  const chunks = [chunk('IHDR', header), chunk('PLTE', palette), chunk('IDAT', data), chunk('IEND', new Uint8Array(0))]
  return Buffer.concat([SIGNATURE, ...chunks])
}

/** Each row behind the name of its filter. */
function filterRows(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const rows = new Uint8Array(height * (width + 1))
  for (let row = 0; row < height; row += 1) {
    const target = row * (width + 1)
    rows[target] = FILTER_NONE
    rows.set(pixels.subarray(row * width, (row + 1) * width), target + 1)
  }
  return rows
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const bytes = Buffer.alloc(body.byteLength + 8)
  bytes.writeUInt32BE(data.byteLength, 0)
  bytes.set(body, 4)
  bytes.writeUInt32BE(crc32(body), 4 + body.byteLength)
  return bytes
}
