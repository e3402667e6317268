/** Unit roundoff of float32. */
const ROUNDOFF = 2 ** -24
const SAMPLES = 256

/** Numbers in [−1, 1) that follow from their seed, with all the bits that a float32 has there. */
export function randomMatrix(length: number, seed: number): Float32Array {
  const matrix = new Float32Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    matrix[index] = state / 2 ** 31 - 1
  }
  return matrix
}

/**
 * Compares some elements of a square product with sums in float64.
 *
 * @throws Error when one is off by more than any order of float32 sums can be: k·u / (1 − k·u) · |A|·|B|
 */
export function checkProduct(name: string, c: Float32Array, a: Float32Array, b: Float32Array, size: number): void {
  const gamma = (size * ROUNDOFF) / (1 - size * ROUNDOFF)
  for (let sample = 0; sample < SAMPLES; sample++) {
    // A prime step, so that rows and columns are spread.
    const at = (sample * 1_000_003) % (size * size)
    const [row, column] = [Math.floor(at / size), at % size]
    let [sum, absolute] = [0, 0]
    for (let inner = 0; inner < size; inner++) {
      const term = (a[row * size + inner] ?? Number.NaN) * (b[inner * size + column] ?? Number.NaN)
      sum += term
      absolute += Math.abs(term)
    }
    const error = Math.abs((c[at] ?? Number.NaN) - sum)
    if (!(error <= gamma * absolute)) throw new Error(`${name}: element ${row}, ${column} is off by ${error}`)
  }
}
