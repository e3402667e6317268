import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SwarmError } from '../../../src/errors.ts'
import {
  type ClaimedBlocks,
  type ClaimedTile,
  checkTile,
  type TileVerdict
} from '../../../src/tasks/matrix/freivalds.ts'
import { judgeElement } from '../../../src/tasks/matrix/freivalds-element.ts'
import { recomputeRowExact } from '../../../src/tasks/matrix/freivalds-exact.ts'
import { Random } from '../../sim/random.ts'
import { KERNELS, multiplyNaive } from './freivalds-kernels.ts'
import { drawOperands, drawSeed, FILLS, sprinkle } from './freivalds-tiles.ts'

const { NaN: NAN, POSITIVE_INFINITY: INFINITY } = Number

function honestTile(random: Random, fill: string, m: number, k: number, n: number): ClaimedTile {
  const operands = drawOperands(random, fill, m, k, n)
  return { ...operands, c: multiplyNaive(operands.a, operands.b, m, k, n) }
}

function check(random: Random, tile: ClaimedTile): TileVerdict {
  return checkTile({ ...tile, seed: drawSeed(random) })
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof SwarmError) return error.code
    throw error
  }
  return 'nothing thrown'
}

describe('a check of honest tiles', () => {
  test('passes every content in every order of summation', () => {
    const fills = fc.constantFrom(...Object.keys(FILLS))
    const kernels = fc.constantFrom(...Object.keys(KERNELS))
    const side = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(
        fc.nat(),
        fills,
        kernels,
        side,
        fc.integer({ min: 1, max: 120 }),
        side,
        (seed, fill, kernel, m, k, n) => {
          const random = new Random(seed)
          const operands = drawOperands(random, fill, m, k, n)
          sprinkle(random, operands.a, random.chance(0.2) ? 2 : 0)
          sprinkle(random, operands.b, random.chance(0.2) ? 2 : 0)
          const c = KERNELS[kernel]?.(operands.a, operands.b, m, k, n) ?? new Float32Array(0)
          expect(check(random, { ...operands, c })).toMatchObject({ passed: true })
        }
      ),
      { numRuns: 300 }
    )
  })

  test.each(['constant', 'alternating', 'rising then falling', 'ramp'])(
    'passes a long inner dimension of %s content, whose rounding errors are no accident',
    (fill) => {
      const random = new Random(7)
      for (const kernel of Object.values(KERNELS)) {
        const operands = drawOperands(random, fill, 3, 9000, 2)
        const c = kernel(operands.a, operands.b, 3, 9000, 2)
        expect(check(random, { ...operands, c })).toMatchObject({ passed: true })
      }
    }
  )

  test('tells rounds, tolerance and what was recomputed', () => {
    const random = new Random(3)
    const verdict = check(random, honestTile(random, 'uniform', 64, 100, 600))
    expect(verdict).toMatchObject({ passed: true, rounds: 2, groupColumns: 256, odd: 0 })
    expect(verdict.recomputed).toBeGreaterThanOrEqual(4 * 24)
    expect(verdict.recomputed).toBeLessThanOrEqual(4 * 64)
    expect(verdict.tolerance).toBeCloseTo(100 * 2 ** -24, 9)
    expect(verdict.worstShare).toBeLessThan(1)
  })

  test('comes to the same under the same seed', () => {
    const tile = honestTile(new Random(4), 'normal', 60, 50, 70)
    expect(check(new Random(5), tile)).toEqual(check(new Random(5), tile))
  })
})

/** The same tile with its operands in blocks of these depths. */
function cutOperands(tile: ClaimedTile, depths: readonly number[]): ClaimedBlocks {
  const { a, b, c, m, k, n } = tile
  let start = 0
  const blocks = depths.map((depth) => {
    const from = start
    start += depth
    const at = (_: unknown, index: number): number =>
      a[Math.floor(index / depth) * k + from + (index % depth)] as number
    return { a: Float32Array.from({ length: m * depth }, at), b: b.slice(from * n, start * n) }
  })
  return { aBlocks: blocks.map((block) => block.a), bBlocks: blocks.map((block) => block.b), c, m, k, n }
}

describe('a check of operands in blocks', () => {
  test.each(['normal', 'any scale', 'products that underflow', 'near overflow'])(
    'passes honest tiles of %s',
    (fill) => {
      const random = new Random(19)
      const tile = honestTile(random, fill, 70, 300, 90)
      const blocks = cutOperands(tile, [128, 1, 128, 43])
      expect(checkTile({ ...blocks, seed: drawSeed(random) })).toMatchObject({ passed: true })
    }
  )

  test('refuses a lie, NaN in the operands or not, and names its place', () => {
    const random = new Random(23)
    for (const special of [0, NAN, INFINITY]) {
      for (const isLeft of [true, false]) {
        const operands = drawOperands(random, 'normal', 70, 300, 90)
        const matrix = isLeft ? operands.a : operands.b
        matrix[matrix.length - 1] = special
        const tile = { ...operands, c: multiplyNaive(operands.a, operands.b, 70, 300, 90) }
        tile.c[33 * 90 + 70] = (tile.c[33 * 90 + 70] as number) + 1
        const verdict = checkTile({ ...cutOperands(tile, [100, 200]), seed: drawSeed(random) })
        expect(verdict.passed || verdict.reason).toMatch(/^row 33, column 70: expected /)
      }
    }
  })

  test('recomputes a row bit for bit across blocks', () => {
    const random = new Random(29)
    const operands = drawOperands(random, 'normal', 6, 50, 9)
    const tile = { ...operands, c: multiplyNaive(operands.a, operands.b, 6, 50, 9) }
    const blocks = cutOperands(tile, [13, 30, 7])
    expect(recomputeRowExact(blocks, 4)).toBeUndefined()
    tile.c[4 * 9] = 0
    expect(recomputeRowExact(blocks, 4)).toMatch('row 4, column 0')
  })

  test('refuses to start with blocks that do not fit each other', () => {
    const blocks = cutOperands(honestTile(new Random(1), 'normal', 4, 10, 3), [4, 6])
    const seed = new Uint8Array(16).fill(1)
    expect(codeOf(() => checkTile({ ...blocks, seed }))).toBe('nothing thrown')
    for (const wrong of [
      { aBlocks: blocks.aBlocks.slice(1) },
      { aBlocks: blocks.aBlocks.toReversed() },
      { bBlocks: blocks.bBlocks.slice(1) },
      { aBlocks: blocks.aBlocks.slice(0, 1), bBlocks: blocks.bBlocks.slice(0, 1) },
      { bBlocks: [new Float32Array(13), new Float32Array(17)] },
      { n: 0 }
    ]) {
      expect(codeOf(() => checkTile({ ...blocks, ...wrong, seed }))).toBe('MATRIX_SHAPE')
    }
  })
})

describe('a check of false tiles', () => {
  const random = new Random(11)
  const tile = honestTile(random, 'normal', 90, 300, 70)
  const { a, b, c, m, k, n } = tile

  test('refuses single elements off by 1e-3 of themselves, and names them', () => {
    let lies = 0
    for (let turn = 0; turn < 200; turn++) {
      const place = random.integer(0, m * n - 1)
      const [row, column] = [Math.floor(place / n), place % n]
      const changed = { ...tile, c: c.slice() }
      changed.c[place] = (c[place] as number) * (1 + random.pick([-1e-3, 1e-3]))
      // What an honest kernel may give for this very element is no lie.
      if (judgeElement(changed, row, column).fault === undefined) continue
      lies++
      const verdict = check(random, changed)
      expect(verdict).toMatchObject({ passed: false })
      expect(verdict.passed || verdict.reason).toMatch(`row ${row}, column ${column}: expected `)
    }
    expect(lies).toBeGreaterThan(180)
  })

  test('refuses swapped rows, zeros and the product of other panels', () => {
    const rowSwapped = c.slice()
    rowSwapped.set(c.subarray(0, n), n)
    rowSwapped.set(c.subarray(n, 2 * n), 0)
    const other = drawOperands(random, 'normal', m, k, n)
    const otherA = multiplyNaive(other.a, b, m, k, n)
    const otherB = multiplyNaive(a, other.b, m, k, n)
    for (const claim of [rowSwapped, new Float32Array(m * n), otherA, otherB]) {
      expect(check(random, { ...tile, c: claim })).toMatchObject({ passed: false })
    }
  })

  test('refuses two changes in a row that cancel in its sum', () => {
    const changed = c.slice()
    for (let turn = 0; turn < 50; turn++) {
      changed.set(c)
      changed[0] = (c[0] as number) + 0.1
      changed[1] = (c[1] as number) - 0.1
      expect(check(random, { ...tile, c: changed })).toMatchObject({ passed: false })
    }
  })

  test('refuses a product in reduced precision', () => {
    const reduce = (matrix: Float32Array): Float32Array => {
      const words = new Uint32Array(matrix.slice().buffer).map((word) => word & 0xffffe000)
      return new Float32Array(words.buffer)
    }
    const reduced = multiplyNaive(reduce(a), reduce(b), m, k, n)
    expect(check(random, { ...tile, c: reduced })).toMatchObject({ passed: false })
  })

  test('refuses a lie in a column of 1e-15 beside columns of 1e15', () => {
    const scaled = drawOperands(random, 'normal', m, k, n)
    for (let index = 0; index < scaled.b.length; index++) {
      scaled.b[index] = (scaled.b[index] as number) * (index % n === 5 ? 1e-15 : 1e15)
    }
    const claim = multiplyNaive(scaled.a, scaled.b, m, k, n)
    claim[3 * n + 5] = (claim[3 * n + 5] as number) + 1e-15
    expect(check(random, { ...scaled, c: claim })).toMatchObject({ passed: false })
  })

  test('refuses a lie where what was guessed of a column from a few of its rows was wrong', () => {
    const sparse = drawOperands(random, 'normal', m, k, n)
    // Rows that are looked at first are a 1e-6th as large as the others, in one column.
    for (let inner = 0; inner < k; inner += 4) sparse.b[inner * n + 9] = (sparse.b[inner * n + 9] as number) * 1e-6
    const claim = multiplyNaive(sparse.a, sparse.b, m, k, n)
    expect(check(random, { ...sparse, c: claim })).toMatchObject({ passed: true, rounds: 2 })
    claim[44 * n + 3] = (claim[44 * n + 3] as number) + 0.1
    expect(check(random, { ...sparse, c: claim })).toMatchObject({ passed: false })
  })

  test('refuses a lie in a tile so small or so narrow that all of it is recomputed', () => {
    for (const [rows, inner, columns] of [
      [1, 4096, 1],
      [1, 50, 900],
      [900, 50, 1],
      [800, 1, 5]
    ] as const) {
      const small = honestTile(random, 'positive', rows, inner, columns)
      expect(check(random, small)).toMatchObject({ passed: true, rounds: 0, recomputed: rows * columns })
      small.c[small.c.length - 1] = (small.c.at(-1) as number) * 1.001
      expect(check(random, small)).toMatchObject({ passed: false })
    }
  })
})

describe('a check with NaN and infinity', () => {
  const random = new Random(13)
  const [m, k, n] = [80, 60, 70]

  test.each([NAN, INFINITY, -INFINITY])('is not blinded by %s in A or in B', (special) => {
    for (const isLeft of [true, false]) {
      const { a, b } = drawOperands(random, 'normal', m, k, n)
      if (isLeft) a[4 * k + 9] = special
      else b[9 * n + 4] = special
      const tile = { a, b, c: multiplyNaive(a, b, m, k, n), m, k, n }
      expect(check(random, tile)).toMatchObject({ passed: true, odd: isLeft ? n : m })
      const lie = { ...tile, c: tile.c.slice() }
      lie.c[50 * n + 50] = (lie.c[50 * n + 50] as number) + 1
      expect(check(random, lie)).toMatchObject({ passed: false })
    }
  })

  test('refuses a finite element, the wrong infinity and NaN where an infinity must be', () => {
    const { a, b } = drawOperands(random, 'positive', m, k, n)
    a[4 * k + 9] = INFINITY
    const c = multiplyNaive(a, b, m, k, n)
    expect(c[4 * n]).toBe(INFINITY)
    for (const [found, reason] of [
      [1, 'row 4, column 0: expected an infinity or NaN, found 1'],
      [-INFINITY, 'row 4, column 0: expected Infinity, found -Infinity'],
      [NAN, 'row 4, column 0: expected Infinity, found NaN']
    ] as const) {
      const lie = c.slice()
      lie[4 * n] = found
      expect(check(random, { a, b, c: lie, m, k, n })).toMatchObject({ passed: false, reason })
    }
  })

  test('refuses an infinity where NaN must be', () => {
    const { a, b } = drawOperands(random, 'positive', m, k, n)
    b[4 * n + 9] = NAN
    const c = multiplyNaive(a, b, m, k, n)
    c[9] = INFINITY
    const reason = 'row 0, column 9: expected NaN, since its row of A or column of B has one, found Infinity'
    expect(check(random, { a, b, c, m, k, n })).toMatchObject({ passed: false, reason })
  })

  test('refuses NaN and infinity where nothing can overflow', () => {
    for (const found of [NAN, INFINITY, -INFINITY]) {
      const tile = honestTile(random, 'normal', m, k, n)
      tile.c[7 * n + 3] = found
      const verdict = check(random, tile)
      expect(verdict.passed || verdict.reason).toMatch(/^row 7, column 3: expected .* cannot overflow, found /)
    }
  })

  test('accepts what overflows in some order, and still finds a lie in the columns that do not', () => {
    const { a, b } = drawOperands(random, 'normal', m, k, n)
    for (let inner = 0; inner < k; inner++) b[inner * n] = 3e38
    const c = multiplyNaive(a, b, m, k, n)
    expect(c.some((value) => !Number.isFinite(value))).toBe(true)
    expect(check(random, { a, b, c, m, k, n })).toMatchObject({ passed: true })
    const place = c.findIndex((value, index) => index % n !== 0 && Math.abs(value) > 1)
    c[place] = (c[place] as number) * 1.001
    expect(check(random, { a, b, c, m, k, n })).toMatchObject({ passed: false })
  })

  test('passes a tile of nothing but NaN', () => {
    const a = new Float32Array(m * k).fill(NAN)
    const b = new Float32Array(k * n).fill(NAN)
    const c = new Float32Array(m * n).fill(NAN)
    expect(check(random, { a, b, c, m, k, n })).toMatchObject({ passed: true })
    c[5] = 0
    expect(check(random, { a, b, c, m, k, n })).toMatchObject({ passed: false })
  })
})

describe('a check refuses to start', () => {
  const tile = { a: new Float32Array(6), b: new Float32Array(12), c: new Float32Array(8), m: 2, k: 3, n: 4 }
  const seed = new Uint8Array(16).fill(1)

  test('with shapes that do not fit', () => {
    expect(codeOf(() => checkTile({ ...tile, seed, c: new Float32Array(7) }))).toBe('MATRIX_SHAPE')
    expect(codeOf(() => checkTile({ ...tile, seed, a: new Float32Array(0), m: 0 }))).toBe('MATRIX_SHAPE')
    expect(codeOf(() => checkTile({ ...tile, seed }))).toBe('nothing thrown')
  })

  test('with a seed that is no secret', () => {
    expect(codeOf(() => checkTile({ ...tile, seed: new Uint8Array(16) }))).toBe('SEED_INVALID')
    expect(codeOf(() => checkTile({ ...tile, seed: new Uint8Array(8).fill(1) }))).toBe('SEED_INVALID')
  })
})
