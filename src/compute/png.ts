import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** Eight bits a sample, red, green and blue, the only methods of compression and filtering, not interlaced. */
const HEADER_REST = Uint8Array.of(8, 2, 0, 0, 0)
const FILTER_UP = 2
/** Pixels that a picture may have, so that its bytes stay within memory. */
export const PNG_PIXELS_MAX = 64 * 1024 * 1024

/**
 * Packs a picture as PNG.
 *
 * @param pixels [height × width × 3] red, green and blue, from the top left
 * @throws RangeError when there are not that many bytes, or more than {@link PNG_PIXELS_MAX} pixels
 * @see https://www.w3.org/TR/png-3/
 */
export function encodePng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  if (!(width * height > 0 && width * height <= PNG_PIXELS_MAX) || pixels.byteLength !== width * height * 3) {
    throw new RangeError(`a picture of ${width} × ${height} has 3 bytes a pixel, but got ${pixels.byteLength} bytes`)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set(HEADER_REST, 8)
  const data = deflateSync(filterRows(width, height, pixels), { level: 9 })
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array(0))])
}

/** Each row as its difference from the one above, which packs better. */
function filterRows(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const rowBytes = width * 3
  const filtered = new Uint8Array(height * (rowBytes + 1))
  for (let row = 0; row < height; row += 1) {
    const target = row * (rowBytes + 1)
    filtered[target] = FILTER_UP
    for (let index = 0; index < rowBytes; index += 1) {
      const at = row * rowBytes + index
      const above = row === 0 ? 0 : (pixels[at - rowBytes] as number)
      filtered[target + 1 + index] = (pixels[at] as number) - above
    }
  }
  return filtered
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const bytes = Buffer.alloc(body.byteLength + 8)
  bytes.writeUInt32BE(data.byteLength, 0)
  bytes.set(body, 4)
  bytes.writeUInt32BE(crc32(body), 4 + body.byteLength)
  return bytes
}
