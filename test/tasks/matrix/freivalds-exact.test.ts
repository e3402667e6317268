import { describe, expect, test } from 'vitest'
import { multiplyExact } from '../../../src/tasks/matrix/exact-kernel.ts'
import { pickRow, recomputeRowExact } from '../../../src/tasks/matrix/freivalds-exact.ts'
import { Random } from '../../sim/random.ts'
import { KERNELS } from './freivalds-kernels.ts'
import { drawOperands, drawSeed, sprinkle } from './freivalds-tiles.ts'

describe('a row recomputed bit for bit', () => {
  const random = new Random(17)

  test('has the bits of the exact kernel, denormals, overflow and NaN included', () => {
    for (const fill of ['uniform', 'any scale', 'denormals', 'near overflow']) {
      const operands = drawOperands(random, fill, 9, 700, 13)
      sprinkle(random, operands.a, 3)
      const tile = { ...operands, c: new Float32Array(9 * 13) }
      multiplyExact(tile)
      for (let row = 0; row < 9; row++) expect(recomputeRowExact(tile, row)).toBeUndefined()
    }
  })

  test('is refused when its last bit differs, naming both', () => {
    const operands = drawOperands(random, 'uniform', 2, 2, 3)
    const tile = { ...operands, c: new Float32Array(6) }
    multiplyExact(tile)
    const words = new Uint32Array(tile.c.buffer)
    words[4] = (words[4] as number) ^ 1
    expect(recomputeRowExact(tile, 0)).toBeUndefined()
    expect(recomputeRowExact(tile, 1)).toMatch(/^row 1, column 1 of the tile has the bits [0-9a-f]{8} instead of/)
  })

  test('tells other orders of summation', () => {
    const { a, b } = drawOperands(random, 'uniform', 4, 300, 20)
    for (const name of ['reversed', '8 lanes', 'blocks of 37', 'pairwise', 'naive with FMA']) {
      const c = KERNELS[name]?.(a, b, 4, 300, 20) ?? new Float32Array(0)
      expect(recomputeRowExact({ a, b, c, m: 4, k: 300, n: 20 }, 2)).toMatch('row 2')
    }
  })

  test('is any of the rows, as the seed picks', () => {
    const picked = new Set(Array.from({ length: 200 }, () => pickRow(drawSeed(random), 5)))
    expect([...picked].sort()).toEqual([0, 1, 2, 3, 4])
  })
})
