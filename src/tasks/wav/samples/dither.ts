// Dither is a function of frame and channel, not a sequence: hash(frame, channel), as two numbers of 16 bits whose sum is
// triangular. The hash is Wellons' "lowbias32" (https://nullprogram.com/blog/2018/07/31/), with a key of the channel added
// between its two rounds.

const HASH_FIRST = 0x7feb352d
const HASH_SECOND = 0x846ca68b

/**
 * @param high what the frame's index has above its low 32 bits
 * @returns int32 that tells the dither of one channel from another's, and of 2³² frames from the next
 */
export function ditherKey(channel: number, high: number): number {
  return hash32(hash32(channel + 1) + high)
}

/**
 * Says what dither a sample gets. Loops over samples have the same inline, since a call for each is slow.
 * @param frame index in the whole output, from 0
 * @returns in steps of the output, −1 to 1 without its ends, triangularly distributed, in multiples of 2⁻¹⁶
 */
export function ditherOf(frame: number, channel: number): number {
  const high = Math.floor(frame / 2 ** 32)
  let hash = frame | 0
  hash = Math.imul(hash ^ (hash >>> 16), HASH_FIRST) + ditherKey(channel, high)
  hash = Math.imul(hash ^ (hash >>> 15), HASH_SECOND)
  hash ^= hash >>> 16
  return ((hash & 0xffff) + (hash >>> 16) - 0xffff) / 65_536
}

function hash32(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), HASH_FIRST)
  hash = Math.imul(hash ^ (hash >>> 15), HASH_SECOND)
  return hash ^ (hash >>> 16)
}
