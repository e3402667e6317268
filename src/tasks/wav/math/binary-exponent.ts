/** The bits of one number, seen as two words of 32, high word first: the same on machines of either byte order. */
const bits = new DataView(new ArrayBuffer(8))

/**
 * The power of two below a number.
 * @param value above 0, normal (2^-1022 or more), finite
 * @returns e, −1022 to 1023, with 2^e ≤ value < 2^(e + 1)
 */
export function exponentOf(value: number): number {
  bits.setFloat64(0, value)
  return (bits.getUint32(0) >>> 20) - 1023
}

/**
 * Two to an integer power, exactly.
 * @param exponent −1022 to 1023
 */
export function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + 1023) << 20)
  bits.setUint32(4, 0)
  return bits.getFloat64(0)
}

/**
 * `value` × 2^`exponent`, rounded once where the result is denormal.
 * @param exponent an integer, −2044 to 2046
 */
export function scaleByPowerOfTwo(value: number, exponent: number): number {
  if (exponent >= -1022 && exponent <= 1023) return value * powerOfTwo(exponent)
  const first = exponent < 0 ? -1022 : 1023
  return exponent < 0
    ? value * powerOfTwo(exponent - first) * powerOfTwo(first)
    : value * powerOfTwo(first) * powerOfTwo(exponent - first)
}
