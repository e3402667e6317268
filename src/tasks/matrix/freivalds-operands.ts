import { SwarmError } from '../../errors.ts'
import { type ClaimedTile, requireShapes } from './freivalds-tile.ts'

/** A claimed tile whose operands came in blocks of the inner dimension, in order: A · B = Σ of their products. */
export interface ClaimedBlocks {
  /** [m × depth] each, row-major without gaps, as hashed on arrival. */
  readonly aBlocks: readonly Float32Array[]
  /** [depth × n] each, row-major without gaps, of the same depths as those of A, as hashed on arrival. */
  readonly bBlocks: readonly Float32Array[]
  /** [m × n], not believed. */
  readonly c: Float32Array
  /** Rows of A and C, from 1. */
  readonly m: number
  /** Columns of A and rows of B in all, from 1. */
  readonly k: number
  /** Columns of B and C, from 1. */
  readonly n: number
}

/** A run of the inner dimension with what both operands have there. */
export interface DepthBlock {
  /** First inner index. */
  readonly start: number
  /** Inner indexes. */
  readonly depth: number
  /** [m × depth] */
  readonly a: Float32Array
  /** [depth × n] */
  readonly b: Float32Array
}

/**
 * @returns the tile as blocks; whole operands are one block
 * @throws SwarmError with code MATRIX_SHAPE when a dimension is no whole number from 1, a length does not fit, or blocks of
 *   A and B differ in number or depth
 */
export function toBlocks(tile: ClaimedTile | ClaimedBlocks): ClaimedBlocks {
  const { m, k, n, c } = tile
  if ('a' in tile) {
    requireShapes(tile)
    return { aBlocks: [tile.a], bBlocks: [tile.b], m, k, n, c }
  }
  const { aBlocks, bBlocks } = tile
  if (aBlocks.length !== bBlocks.length) {
    const counts = `${aBlocks.length} blocks of A and ${bBlocks.length} of B`
    throw new SwarmError('MATRIX_SHAPE', `a tile has ${counts}: they must be as many`)
  }
  for (const [index, b] of bBlocks.entries()) {
    const found = aBlocks[index]?.length ?? 0
    const depth = b.length / n
    if (Number.isSafeInteger(depth) && depth >= 1 && found === m * depth) continue
    const lengths = `${found} elements of A and ${b.length} of B`
    throw new SwarmError('MATRIX_SHAPE', `block ${index} of a tile has ${lengths}: no depth fits m ${m} and n ${n}`)
  }
  const sum = (blocks: readonly Float32Array[]): number => blocks.reduce((total, { length }) => total + length, 0)
  requireShapes({ a: { length: sum(aBlocks) }, b: { length: sum(bBlocks) }, c, m, k, n })
  return { aBlocks, bBlocks, m, k, n, c }
}

/** The blocks in order. */
export function* depthBlocks({ aBlocks, bBlocks, n }: ClaimedBlocks): Generator<DepthBlock> {
  let start = 0
  for (const [index, b] of bBlocks.entries()) {
    const depth = b.length / n
    yield { start, depth, a: aBlocks[index] as Float32Array, b }
    start += depth
  }
}

/** @returns the tile with whole operands; copies them unless they are one block */
export function joinBlocks(tile: ClaimedBlocks): ClaimedTile {
  const { m, k, n, c } = tile
  const [onlyA, onlyB] = [tile.aBlocks[0], tile.bBlocks[0]]
  if (tile.bBlocks.length === 1 && onlyA !== undefined && onlyB !== undefined) return { a: onlyA, b: onlyB, c, m, k, n }
  const a = new Float32Array(m * k)
  const b = new Float32Array(k * n)
  for (const block of depthBlocks(tile)) {
    b.set(block.b, block.start * n)
    for (let row = 0; row < m; row++) {
      a.set(block.a.subarray(row * block.depth, (row + 1) * block.depth), row * k + block.start)
    }
  }
  return { a, b, c, m, k, n }
}

/** @returns row `row` of A, [k] */
export function rowOfA(tile: ClaimedBlocks, row: number): Float32Array {
  const values = new Float32Array(tile.k)
  for (const { start, depth, a } of depthBlocks(tile)) values.set(a.subarray(row * depth, (row + 1) * depth), start)
  return values
}

/** @returns a tile of one element, with copies of what it is made of */
export function cutElement(tile: ClaimedBlocks, row: number, column: number): ClaimedTile {
  const { k, n, c } = tile
  const values = new Float32Array(k)
  for (const { start, depth, b } of depthBlocks(tile)) {
    for (let inner = 0; inner < depth; inner++) values[start + inner] = b[inner * n + column] as number
  }
  const at = row * n + column
  return { a: rowOfA(tile, row), b: values, c: c.subarray(at, at + 1), m: 1, k, n: 1 }
}
