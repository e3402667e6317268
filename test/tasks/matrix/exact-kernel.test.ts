import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SwarmError } from '../../../src/errors.ts'
import { type ExactProduct, multiplyExact } from '../../../src/tasks/matrix/exact-kernel.ts'
import { bitsOf, multiplyPlainly, type Numbers, noise, partOf, type Shape } from './exact-reference.ts'

/** SHA-256 of the product below, as NumPy has it from float32 outer products added up one by one. */
const GOLDEN = 'ab9e3eb808f59a1f63e3c63c59d9a9f2617324734b6b21186c8c5cdddde8dd92'

const size = fc.integer({ min: 1, max: 70 })
const shapes = fc.record({ m: size, k: size, n: size })
const seeds = fc.nat()
const numbers = fc.constantFrom<Numbers>('ordinary', 'tiny', 'any')

function operands(shape: Shape, seed: number, kind?: Numbers): ExactProduct {
  const { m, k, n } = shape
  return { a: noise(m * k, seed, kind), b: noise(k * n, seed + 1, kind), c: noise(m * n, seed + 2, kind), ...shape }
}

/** Bits of C + A · B by the kernel, which gets a copy of C. */
function kernelBits({ c, ...rest }: ExactProduct): Uint32Array {
  const result = c.slice()
  multiplyExact({ ...rest, c: result })
  return new Uint32Array(result.buffer)
}

function plainBits(product: ExactProduct): Uint32Array {
  return bitsOf(multiplyPlainly(product.a, product.b, product.c, product))
}

/** One element: c + Σ a·b, as bits. */
function sumBits(c: number, a: readonly number[], b: readonly number[]): number | undefined {
  const product = { a: Float32Array.from(a), b: Float32Array.from(b), c: Float32Array.of(c), m: 1, k: a.length, n: 1 }
  return kernelBits(product)[0]
}

describe('the exact matrix kernel', () => {
  test('has the bits of the plain sum, for any shape and any numbers', () => {
    fc.assert(
      fc.property(shapes, seeds, numbers, (shape, seed, kind) => {
        const product = operands(shape, seed, kind)
        expect(kernelBits(product)).toEqual(plainBits(product))
      })
    )
  })

  test.each([
    { m: 483, k: 519, n: 517 },
    { m: 1, k: 70_001, n: 1 },
    { m: 1, k: 600, n: 2_049 },
    { m: 1_501, k: 513, n: 1 },
    { m: 1_100, k: 1, n: 1_030 }
  ])('has the bits of the plain sum across its blocks: $m × $k · $k × $n', (shape) => {
    const product = operands(shape, 7)
    expect(Buffer.compare(Buffer.from(kernelBits(product).buffer), Buffer.from(plainBits(product).buffer))).toBe(0)
  })

  test('has the same bits when k is cut and gone on with', () => {
    fc.assert(
      fc.property(shapes, seeds, numbers, fc.nat(69), ({ m, k, n }, seed, kind, cutSeed) => {
        const whole = operands({ m, k, n }, seed, kind)
        const cut = cutSeed % k
        const c = whole.c.slice()
        const parts: readonly [number, number][] = [
          [0, cut],
          [cut, k]
        ]
        for (const [start, end] of parts.filter(([from, to]) => to > from)) {
          const a = partOf(whole.a, k, [0, m], [start, end])
          multiplyExact({ a, b: partOf(whole.b, n, [start, end], [0, n]), c, m, k: end - start, n })
        }
        expect(new Uint32Array(c.buffer)).toEqual(kernelBits(whole))
      })
    )
  })

  test('has the same bits in any tile of the result', () => {
    fc.assert(
      fc.property(
        shapes,
        seeds,
        numbers,
        fc.array(fc.nat(69), { minLength: 4, maxLength: 4 }),
        (shape, seed, kind, at) => {
          const { m, k, n } = shape
          const whole = operands(shape, seed, kind)
          const rows = rangeWithin(m, at[0], at[1])
          const columns = rangeWithin(n, at[2], at[3])
          const tile = {
            a: partOf(whole.a, k, rows, [0, k]),
            b: partOf(whole.b, n, [0, k], columns),
            c: partOf(whole.c, n, rows, columns),
            m: rows[1] - rows[0],
            k,
            n: columns[1] - columns[0]
          }
          const expected = partOf(new Float32Array(kernelBits(whole).buffer), n, rows, columns)
          expect(kernelBits(tile)).toEqual(new Uint32Array(expected.buffer))
        }
      )
    )
  })

  test('has the bits that every other machine has', () => {
    const product = operands({ m: 97, k: 301, n: 103 }, 1)
    expect(createHash('sha256').update(kernelBits(product)).digest('hex')).toBe(GOLDEN)
  })

  test('reads views that begin anywhere in their buffers', () => {
    const { a, b, c, ...shape } = operands({ m: 7, k: 11, n: 13 }, 5)
    const shifted = (matrix: Float32Array): Float32Array => Float32Array.of(9, ...matrix, 9).subarray(1, -1)
    const into = shifted(c)
    multiplyExact({ a: shifted(a), b: shifted(b), c: into, ...shape })
    expect(bitsOf(into)).toEqual(kernelBits({ a, b, c, ...shape }))
    expect([new Float32Array(into.buffer)[0], new Float32Array(into.buffer).at(-1)]).toEqual([9, 9])
  })

  test('rounds each product and each sum, and never fuses the two', () => {
    const near = 1 + 2 ** -12
    // Exactly, near² = 1 + 2⁻¹¹ + 2⁻²⁴: the last term is lost in the product, and a fused sum would keep it.
    expect(sumBits(-(1 + 2 ** -11), [near], [near])).toBe(0)
  })

  test('keeps denormals', () => {
    expect(sumBits(0, [2 ** -100], [2 ** -49])).toBe(1)
    expect(sumBits(2 ** -149, [2 ** -75, 2 ** -80], [2 ** -74, 2 ** -60])).toBe(1 + 1 + 2 ** 9)
  })

  test('keeps the sign of zeros', () => {
    expect(sumBits(-0, [-0], [1])).toBe(0x80000000)
    expect(sumBits(-0, [0], [1])).toBe(0)
    expect(sumBits(-0, [2 ** -100], [-(2 ** -100)])).toBe(0x80000000)
  })

  test('goes to infinity and to one single NaN', () => {
    expect(sumBits(0, [2 ** 100, 1], [2 ** 100, 1])).toBe(0x7f800000)
    expect(sumBits(0, [2 ** 100, -(2 ** 100)], [2 ** 100, 2 ** 100])).toBe(0x7fc00000)
    expect(sumBits(0, [Number.POSITIVE_INFINITY], [0])).toBe(0x7fc00000)
    for (const bits of [0x7fa00001, 0xff812345, 0xffc00000, 0x7fffffff]) {
      const c = new Float32Array(Uint32Array.of(bits).buffer)
      expect([...kernelBits({ a: Float32Array.of(1), b: Float32Array.of(1), c, m: 1, k: 1, n: 1 })]).toEqual([
        0x7fc00000
      ])
    }
  })

  test('keeps NaN and infinity in their rows and columns', () => {
    const product = operands({ m: 8, k: 9, n: 10 }, 3)
    product.a.fill(Number.NaN, 7 * 9)
    product.b[9] = Number.POSITIVE_INFINITY
    const result = new Float32Array(kernelBits(product).buffer)
    const finite = [...result]
      .map((value, index) => [index, value] as const)
      .filter(([, value]) => Number.isFinite(value))
    expect(finite.map(([index]) => index)).toEqual(
      Array.from({ length: 80 }, (_, index) => index).filter((index) => index < 70 && index % 10 !== 9)
    )
  })

  test('tells its progress up to the last operation', () => {
    const { m, k, n } = { m: 700, k: 300, n: 530 }
    const told: number[] = []
    multiplyExact(operands({ m, k, n }, 1), (flopsDone) => told.push(flopsDone))
    expect(told.at(-1)).toBe(2 * m * k * n)
    expect(told).toEqual(told.toSorted((left, right) => left - right))
    expect(told.length).toBeGreaterThan(3)
  })

  test.each([
    ['m', { m: 0 }],
    ['k', { k: 1.5 }],
    ['n', { n: Number.NaN }]
  ])('refuses a dimension %s that is no whole number from 1', (name, change) => {
    const product = { ...operands({ m: 1, k: 1, n: 1 }, 1), ...change }
    expect(codeOf(() => multiplyExact(product))).toMatch(new RegExp(`^MATRIX_SHAPE the dimension ${name} `))
  })

  test.each(['a', 'b', 'c'])('refuses a matrix %s of another length', (name) => {
    const product = { ...operands({ m: 2, k: 3, n: 4 }, 1), [name]: new Float32Array(5) }
    expect(codeOf(() => multiplyExact(product))).toMatch(new RegExp(`^MATRIX_SHAPE the matrix ${name} has 5 elements`))
  })
})

function rangeWithin(count: number, first = 0, second = 0): [number, number] {
  const [start, end] = [first % count, second % count]
  return start <= end ? [start, end + 1] : [end, start + 1]
}

function codeOf(operation: () => void): string {
  try {
    operation()
  } catch (error) {
    if (error instanceof SwarmError) return `${error.code} ${error.message}`
    throw error
  }
  return 'passed'
}
