import type { Random } from '../../sim/random.ts'

/** Operands of a product. */
export interface Operands {
  readonly a: Float32Array
  readonly b: Float32Array
  readonly m: number
  readonly k: number
  readonly n: number
}

type Fill = (random: Random, rows: number, columns: number, isLeft: boolean) => (row: number, column: number) => number

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

function exponents(random: Random, count: number, most: number): readonly number[] {
  return Array.from({ length: count }, () => 10 ** random.between(-most, most))
}

/** Ways to fill both operands, named after what is hard about them. `isLeft` tells A from B. */
export const FILLS: Readonly<Record<string, Fill>> = {
  uniform: (random) => () => random.between(-1, 1),
  normal: (random) => () => normal(random),
  positive: (random) => () => random.next(),
  'one scale from 1e-20 to 1e20': (random) => {
    const scale = 10 ** random.between(-20, 20)
    return () => scale * random.between(-1, 1)
  },
  'scales by outer index': (random, rows, columns, isLeft) => {
    const scales = exponents(random, isLeft ? rows : columns, 20)
    return (row, column) => (scales[isLeft ? row : column] as number) * random.between(-1, 1)
  },
  'scales by inner index': (random, rows, columns, isLeft) => {
    const scales = exponents(random, isLeft ? columns : rows, 15)
    return (row, column) => (scales[isLeft ? column : row] as number) * random.between(-1, 1)
  },
  'any scale': (random) => () => random.between(-1, 1) * 10 ** random.between(-20, 20),
  denormals: (random, _rows, _columns, isLeft) => {
    const scale = isLeft ? 10 ** random.between(-44, -38) : 10 ** random.between(-6, 20)
    return () => scale * random.between(-1, 1)
  },
  'products that underflow': (random) => () => random.between(-1, 1) * 10 ** random.between(-26, -18),
  'near overflow': (random) => () => random.between(-1, 1) * 10 ** random.between(18, 19.6),
  constant: (random) => {
    const value = random.between(-1, 1)
    return () => value
  },
  'constant rows and columns': (random, rows, columns, isLeft) => {
    const values = Array.from({ length: isLeft ? rows : columns }, () => random.between(-1, 1))
    return (row, column) => values[isLeft ? row : column] as number
  },
  ramp: (random) => {
    const step = random.next()
    return (row, column) => (row + column) * step
  },
  'rising then falling': (random, rows, columns, isLeft) => {
    const inner = isLeft ? columns : rows
    return (row, column) => ((isLeft ? column : row) < inner / 2 && isLeft ? -random.next() : random.next())
  },
  alternating: (random) => {
    const value = random.between(0.5, 1)
    return (_row, column) => (column % 2 === 0 ? value : -value)
  },
  'small integers': (random) => () => random.integer(-8, 8),
  sparse: (random) => () => (random.chance(0.05) ? random.between(-1, 1) : 0),
  diagonal: (random) => (row, column) => (row === column ? random.between(-1, 1) : 0),
  cancelling: (random, _rows, columns, isLeft) => {
    const values = Array.from({ length: columns }, () => random.between(-1, 1))
    return (row, column) => (isLeft ? (values[column] as number) : row % 2 === 0 ? 1 : -1)
  },
  'repeated fraction': () => (row, column) => 0.1 * (1 + ((row + column) % 3)),
  zero: () => () => 0
}

/** Fills both operands in one way of {@link FILLS}. */
export function drawOperands(random: Random, fill: string, m: number, k: number, n: number): Operands {
  const make = FILLS[fill]
  if (make === undefined) throw new RangeError(`no fill ${fill}`)
  const draw = (rows: number, columns: number, isLeft: boolean): Float32Array => {
    const at = make(random, rows, columns, isLeft)
    return Float32Array.from({ length: rows * columns }, (_, index) => at(Math.floor(index / columns), index % columns))
  }
  return { a: draw(m, k, true), b: draw(k, n, false), m, k, n }
}

/** Puts NaN, infinities and zeros into some places. */
export function sprinkle(random: Random, matrix: Float32Array, count: number): void {
  const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (let index = 0; index < count; index++) matrix[random.integer(0, matrix.length - 1)] = random.pick(specials)
}

/** 16 bytes of a seed. */
export function drawSeed(random: Random): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => random.integer(0, 255))
}
