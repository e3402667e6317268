/** Float32 product of row-major operands in some order of summation. */
export type Kernel = (a: Float32Array, b: Float32Array, m: number, k: number, n: number) => Float32Array

const { fround } = Math
const NORMAL_MIN = 2 ** -126

/** Makes a kernel out of a float32 dot product over `k` pairs, told where they lie. */
function fromDot(
  dot: (a: Float32Array, start: number, b: Float32Array, column: number, n: number, k: number) => number
): Kernel {
  return (a, b, m, k, n) => {
    const c = new Float32Array(m * n)
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) c[row * n + column] = dot(a, row * k, b, column, n, k)
    }
    return c
  }
}

/** One accumulator that goes over the inner indices from `from` in steps. */
function accumulate(useFma: boolean, from: number, to: number, step: number) {
  return (a: Float32Array, start: number, b: Float32Array, column: number, n: number): number => {
    let sum = 0
    for (let inner = from; step > 0 ? inner < to : inner > to; inner += step) {
      const product = (a[start + inner] as number) * (b[inner * n + column] as number)
      // Exact product, sum rounded to float64 and then to float32: an FMA but for ties that float64 makes.
      sum = fround(sum + (useFma ? product : fround(product)))
    }
    return sum
  }
}

function naive(useFma: boolean): Kernel {
  return fromDot((a, start, b, column, n, k) => accumulate(useFma, 0, k, 1)(a, start, b, column, n))
}

/** Several accumulators side by side, added up neighbour by neighbour, as horizontal adds do, or one after another. */
function lanes(count: number, useFma: boolean, inTree: boolean): Kernel {
  return fromDot((a, start, b, column, n, k) => {
    const sums = Array.from({ length: count }, (_, lane) => accumulate(useFma, lane, k, count)(a, start, b, column, n))
    if (inTree) return addInTree(sums)
    return sums.reduce((total, sum) => fround(total + sum), 0)
  })
}

/** Blocks of k, each with its own accumulator, added in order. */
function blocked(depth: number, useFma: boolean): Kernel {
  return fromDot((a, start, b, column, n, k) => {
    let sum = 0
    for (let from = 0; from < k; from += depth) {
      sum = fround(sum + accumulate(useFma, from, Math.min(from + depth, k), 1)(a, start, b, column, n))
    }
    return sum
  })
}

function addInTree(values: readonly number[]): number {
  if (values.length === 1) return values[0] as number
  const sums: number[] = []
  for (let index = 0; index < values.length; index += 2) {
    sums.push(fround((values[index] as number) + (values[index + 1] ?? 0)))
  }
  return addInTree(sums)
}

const pairwise = fromDot((a, start, b, column, n, k) =>
  addInTree(
    Array.from({ length: k }, (_, inner) => fround((a[start + inner] as number) * (b[inner * n + column] as number)))
  )
)

/** Reads and writes denormals as zero, as GPUs and some CPU settings do. */
const flushing = fromDot((a, start, b, column, n, k) => {
  let sum = 0
  for (let inner = 0; inner < k; inner++) {
    const left = flush(a[start + inner] as number)
    const right = flush(b[inner * n + column] as number)
    sum = flush(fround(sum + flush(fround(left * right))))
  }
  return sum
})

function flush(value: number): number {
  return Math.abs(value) < NORMAL_MIN ? 0 : value
}

/** Sums in float64 and rounds once. */
const doubled: Kernel = fromDot((a, start, b, column, n, k) => {
  let sum = 0
  for (let inner = 0; inner < k; inner++) sum += (a[start + inner] as number) * (b[inner * n + column] as number)
  return fround(sum)
})

/** The orders of summation that real kernels use, and some that none does. */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  naive: naive(false),
  'naive with FMA': naive(true),
  reversed: fromDot((a, start, b, column, n, k) => accumulate(false, k - 1, -1, -1)(a, start, b, column, n)),
  '8 lanes': lanes(8, false, true),
  '16 lanes with FMA': lanes(16, true, true),
  '64 lanes in order': lanes(64, true, false),
  '3 lanes': lanes(3, false, false),
  'blocks of 256 with FMA': blocked(256, true),
  'blocks of 37': blocked(37, false),
  'k in two': fromDot((a, start, b, column, n, k) => {
    const half = Math.ceil(k / 2)
    const left = accumulate(true, 0, half, 1)(a, start, b, column, n)
    return fround(left + accumulate(true, half, k, 1)(a, start, b, column, n))
  }),
  pairwise,
  'flushing denormals': flushing,
  'in float64': doubled
}

/** The plainest order, row by row of B: the quickest here. Same bits as `naive`. */
export const multiplyNaive: Kernel = (a, b, m, k, n) => {
  const c = new Float32Array(m * n)
  for (let row = 0; row < m; row++) {
    const sums = c.subarray(row * n, (row + 1) * n)
    for (let inner = 0; inner < k; inner++) {
      const factor = a[row * k + inner] as number
      const from = inner * n
      for (let column = 0; column < n; column++) {
        sums[column] = (sums[column] as number) + fround(factor * (b[from + column] as number))
      }
    }
  }
  return c
}
