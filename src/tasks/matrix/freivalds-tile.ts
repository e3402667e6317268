import { SwarmError } from '../../errors.ts'

/** A tile of a product as somebody claims it: C = A · B. All row-major without gaps. */
export interface ClaimedTile {
  /** [m × k], as hashed on arrival. */
  readonly a: Float32Array
  /** [k × n], as hashed on arrival. */
  readonly b: Float32Array
  /** [m × n], not believed. */
  readonly c: Float32Array
  /** Rows of A and C, from 1. */
  readonly m: number
  /** Columns of A and rows of B, from 1. */
  readonly k: number
  /** Columns of B and C, from 1. */
  readonly n: number
}

/** What {@link requireShapes} looks at. */
type TileLengths = Pick<ClaimedTile, 'm' | 'k' | 'n'> & Record<'a' | 'b' | 'c', { readonly length: number }>

/** @throws SwarmError with code MATRIX_SHAPE when a dimension is no whole number from 1 or an array has another length */
export function requireShapes({ a, b, c, m, k, n }: TileLengths): void {
  for (const [name, size] of Object.entries({ m, k, n })) {
    if (Number.isSafeInteger(size) && size >= 1) continue
    throw new SwarmError('MATRIX_SHAPE', `the dimension ${name} of a tile must be a whole number from 1, not ${size}`)
  }
  const expected = { a: [a, m, k], b: [b, k, n], c: [c, m, n] } as const
  for (const [name, [matrix, rows, columns]] of Object.entries(expected)) {
    if (matrix.length === rows * columns) continue
    const found = `has ${matrix.length} elements instead of ${rows} × ${columns} = ${rows * columns}`
    throw new SwarmError('MATRIX_SHAPE', `the matrix ${name} of a tile ${found}`)
  }
}
