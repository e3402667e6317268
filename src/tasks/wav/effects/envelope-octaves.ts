/**
 * Logarithm and exponential of the gain loops: a few polynomial terms, right to 1e-9 octaves (6e-9 dB), and the same bits
 * everywhere.
 */

const MANTISSA_BITS = 20
const EXPONENT_BIAS = 1023
const SQRT_2 = Math.SQRT2
/** 2 / ln 2. */
const OCTAVES_PER_ATANH = 2.8853900817779268
const LN_2 = Math.LN2
/** Deepest exponent of {@link exp2Negative}. */
const HALVINGS_MAX = 200

/** 2 to the power of {@link EXPONENT_BIAS} − i. */
const powers = new Float64Array(2 * EXPONENT_BIAS + 1)
powers[EXPONENT_BIAS] = 1
for (let i = EXPONENT_BIAS + 1; i < powers.length; i++) powers[i] = (powers[i - 1] as number) / 2
for (let i = EXPONENT_BIAS - 1; i >= 0; i--) powers[i] = (powers[i + 1] as number) * 2

const float = new Float64Array(1)
/** High word of `float`, in the little-endian order of every machine that runs this. */
const words = new Int32Array(float.buffer)

/**
 * Binary logarithm, right to 1e-10.
 *
 * With x = 2ᵉ m and m from √½ to √2, ln m = 2 artanh((m − 1) / (m + 1)), whose odd powers end at the 11th.
 * @param x from 1e-300, finite
 */
export function log2Of(x: number): number {
  float[0] = x
  const biased = (words[1] as number) >> MANTISSA_BITS
  let exponent = biased - EXPONENT_BIAS
  let m = x * (powers[biased] as number)
  if (m > SQRT_2) {
    m *= 0.5
    exponent++
  }
  const s = (m - 1) / (m + 1)
  const z = s * s
  const series = 1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11)))))
  return exponent + OCTAVES_PER_ATANH * s * series
}

/**
 * 2 to the power of −x, right to 1e-10 of itself.
 *
 * 2⁻ˣ = 2⁻ᵏ eᵗ with t = (k − x) ln 2 between ±½ ln 2, by the exponential series up to t⁸.
 * @param x octaves, 0 to 200; more counts as 200
 */
export function exp2Negative(x: number): number {
  const k = Math.min(Math.floor(x + 0.5), HALVINGS_MAX)
  const t = Math.max((k - x) * LN_2, -LN_2)
  const tail = 1 / 24 + t * (1 / 120 + t * (1 / 720 + t * (1 / 5040 + t * (1 / 40320))))
  return (powers[EXPONENT_BIAS + k] as number) * (1 + t * (1 + t * (0.5 + t * (1 / 6 + t * tail))))
}
