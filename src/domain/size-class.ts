/** Smallest buffer, so that tiny chunks and blocks share one size. Bytes. */
const BUFFER_BYTES_MIN = 64 * 1024

/**
 * Length of the buffer that holds so many bytes, so that a few lengths serve all: multiples of an eighth of the power of two below,
 * so at most 12.5 % is unused, or 64 KiB. All in bytes.
 */
export function sizeClass(byteLength: number): number {
  if (byteLength <= BUFFER_BYTES_MIN) return BUFFER_BYTES_MIN
  const step = Math.max(BUFFER_BYTES_MIN, 2 ** (Math.floor(Math.log2(byteLength)) - 3))
  return Math.ceil(byteLength / step) * step
}
