const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/**
 * Makes sure that typed arrays see samples as files have them.
 * @throws Error on a big-endian machine, which Node is not built for
 */
export function assertLittleEndian(): void {
  if (!isLittleEndian) throw new Error('samples are read and written through typed arrays, which are big-endian here')
}
