import { SwarmError } from '../../errors.ts'

/** Bytes of a seed: so many that nobody can guess one. */
export const SEED_BYTES = 16
/** Different magnitudes of an entry of a random vector, and their distance. */
const MAGNITUDES = 256
const STEP = 2 ** -10
/** No entry of a random vector reaches this magnitude. */
export const ENTRY_LIMIT = 1 + MAGNITUDES * STEP

/**
 * The secret randomness of one check: xoshiro128**, seeded with 128 bits. The same seed gives the same numbers anywhere.
 * It need not be cryptographic, since none of its output is ever told to anybody; the seed must come from a source that
 * is, and be used for one tile only.
 *
 * @see D. Blackman, S. Vigna, Scrambled Linear Pseudorandom Number Generators, ACM TOMS 47(4), 2021
 */
export class SecretStream {
  readonly #state: Uint32Array

  /** @throws SwarmError with code SEED_INVALID unless the seed is {@link SEED_BYTES} bytes that are not all zero */
  constructor(seed: Uint8Array) {
    if (seed.byteLength !== SEED_BYTES || seed.every((byte) => byte === 0)) {
      const found = seed.byteLength === SEED_BYTES ? 'only zeros' : `${seed.byteLength} bytes`
      throw new SwarmError(
        'SEED_INVALID',
        `the seed of a check must be ${SEED_BYTES} random bytes, but has ${found}; take them from a secure source`
      )
    }
    const view = new DataView(seed.buffer, seed.byteOffset, SEED_BYTES)
    this.#state = Uint32Array.from({ length: 4 }, (_, index) => view.getUint32(4 * index, true))
  }

  /** @returns the next 32 bits, unsigned */
  next(): number {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = this.#state
    const scrambled = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0
    const third = s2 ^ s0
    const fourth = s3 ^ s1
    this.#state[1] = s1 ^ third
    this.#state[0] = s0 ^ fourth
    this.#state[2] = third ^ (s1 << 9)
    this.#state[3] = rotate(fourth, 11)
    return scrambled
  }

  /** @returns a whole number in [0, limit), for limits below 2^32; even up to limit / 2^32 */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }

  /**
   * @returns an entry of a random vector: ±(1 + r/1024) with r in [0, 256), so one of 512 values. Eleven bits, so its
   * product with a float32 is exact in float64. Not ±1 alone, under which two changes in a row that cancel, such as two
   * swapped elements, would pass every other time; and in a narrow range, since a small entry would hide its element in
   * the rounding noise of the others.
   */
  entry(): number {
    const bits = this.next()
    const magnitude = 1 + ((bits >>> 1) % MAGNITUDES) * STEP
    return (bits & 0x80000000) === 0 ? magnitude : -magnitude
  }
}

function rotate(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}
