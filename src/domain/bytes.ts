/** @returns negative, 0 or positive, as the bytes of `left` sort before, with or after those of `right`. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.byteLength, right.byteLength)
  for (let index = 0; index < shorter; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.byteLength - right.byteLength
}

/** @returns the bytes in lower-case hex, as a key of a map. */
export function toHex({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex')
}

/** @returns whether both hold the same bytes. Not for secrets: it takes less time the earlier they differ. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return compareBytes(left, right) === 0
}
