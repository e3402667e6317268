/** Shape of a product: A is [m × k], B [k × n]. */
export interface Shape {
  readonly m: number
  readonly k: number
  readonly n: number
}

/** What the numbers of a test matrix are like: in [−1, 1), tiny enough that products are denormal, or any bits at all. */
export type Numbers = 'ordinary' | 'tiny' | 'any'

const NAN_BITS = 0x7fc00000

/** C + A · B as defined: one rounding per multiply, one per add, k ascending. */
export function multiplyPlainly(a: Float32Array, b: Float32Array, c: Float32Array, { m, k, n }: Shape): Float32Array {
  const result = new Float32Array(c)
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = c[row * n + column] ?? Number.NaN
      for (let inner = 0; inner < k; inner++) {
        const factor = a[row * k + inner] ?? Number.NaN
        sum = Math.fround(sum + Math.fround(factor * (b[inner * n + column] ?? Number.NaN)))
      }
      result[row * n + column] = sum
    }
  }
  return result
}

/** The bits of floats, every NaN as the kernel writes it. */
export function bitsOf(matrix: Float32Array): Uint32Array {
  const bits = new Uint32Array(matrix.slice().buffer)
  for (let index = 0; index < bits.length; index++) if (Number.isNaN(matrix[index])) bits[index] = NAN_BITS
  return bits
}

/** A matrix that follows from its seed alone. */
export function noise(length: number, seed: number, numbers: Numbers = 'ordinary'): Float32Array {
  const words = new Uint32Array(length)
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    words[index] = state
  }
  if (numbers === 'any') return new Float32Array(words.buffer)
  const scale = numbers === 'tiny' ? 2 ** -70 : 1
  return Float32Array.from(words, (word) => (word / 2 ** 31 - 1) * scale)
}

/** Rows and columns of a matrix with `width` columns. */
export function partOf(
  matrix: Float32Array,
  width: number,
  rows: [number, number],
  columns: [number, number]
): Float32Array {
  const lines: number[] = []
  for (let row = rows[0]; row < rows[1]; row++) {
    lines.push(...matrix.subarray(row * width + columns[0], row * width + columns[1]))
  }
  return Float32Array.from(lines)
}
