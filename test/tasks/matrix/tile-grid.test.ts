import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeMatrixPlan,
  type MatrixPlan,
  OPERAND_BYTES_MAX,
  parseMatrixPlan,
  planMatrix,
  TILE_OPERAND_BYTES_MAX
} from '../../../src/tasks/matrix/matrix-plan.ts'
import { TileGrid } from '../../../src/tasks/matrix/tile-grid.ts'

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 3000 }),
  inner: fc.integer({ min: 1, max: 20_000 }),
  columns: fc.integer({ min: 1, max: 3000 })
})

const smallPlans: fc.Arbitrary<MatrixPlan> = fc
  .record({
    rows: fc.integer({ min: 1, max: 20 }),
    inner: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 1, max: 20 })
  })
  .chain(({ rows, inner, columns }) =>
    fc
      .record({
        tileRows: fc.integer({ min: 1, max: rows }),
        tileColumns: fc.integer({ min: 1, max: columns }),
        depth: fc.integer({ min: 1, max: inner })
      })
      .map((cut) => ({ rows, inner, columns, ...cut }))
  )

describe('planMatrix', () => {
  test('keeps every tile and operand within what memory allows', () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, isExact) => {
        const plan = planMatrix(shape, { isExact })
        expect((plan.tileRows + plan.tileColumns) * plan.inner * 4).toBeLessThanOrEqual(TILE_OPERAND_BYTES_MAX)
        expect(Math.max(plan.tileRows, plan.tileColumns) * plan.depth * 4).toBeLessThanOrEqual(OPERAND_BYTES_MAX)
        expect(parseMatrixPlan(encodeMatrixPlan(plan))).toEqual(plan)
      })
    )
  })

  test('cuts into nearly even tiles, and a product that one peer does at once into few', () => {
    const square = (size: number) => planMatrix({ rows: size, inner: size, columns: size })
    expect(square(4096)).toMatchObject({ tileRows: 688, tileColumns: 512, depth: 1376 })
    expect(square(2048)).toMatchObject({ tileRows: 512, tileColumns: 256, depth: 1040 })
    expect(square(8192)).toMatchObject({ tileRows: 512, tileColumns: 256, depth: 1648 })
    const grid = new TileGrid(square(64))
    expect(grid.tileRowCount * grid.tileColumnCount).toBe(1)
  })

  test('leaves no row of a block in the way of others in the cache, nor a sliver at the end', () => {
    const inners = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(inners, (inner) => {
        const { depth } = planMatrix({ rows: 3000, inner, columns: 3000 })
        if (inner >= 2048) expect(depth % 128).not.toBe(0)
        const last = inner % depth || depth
        expect(depth - last).toBeLessThanOrEqual(Math.ceil(inner / depth) * 32)
      })
    )
  })

  test('cuts the inner dimension for the exact kernel where that cuts its own blocks', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { depth, inner, tileRows, tileColumns } = planMatrix(shape, { isExact: true })
        if (depth < inner && Math.max(tileRows, tileColumns) <= 2048) expect(depth % 512).toBe(0)
      })
    )
  })

  test('keeps tiles within the size that was asked for, down to a single element', () => {
    const shape = { rows: 1000, inner: 700, columns: 1300 }
    for (const bytes of [1, 4, 5_000, 100_000]) {
      const { tileRows, tileColumns } = planMatrix(shape, { tileBytesMax: bytes })
      expect(tileRows * tileColumns * 4).toBeLessThanOrEqual(Math.max(4, bytes))
    }
    expect(planMatrix(shape, { tileBytesMax: 1e9 })).toEqual(planMatrix(shape))
  })

  test('refuses an inner dimension of which not even one row and one column fit memory', () => {
    expect(() => planMatrix({ rows: 1, inner: 5_000_000, columns: 1 })).toThrow(/one row of A and one column of B/)
    expect(() => planMatrix({ rows: 0, inner: 5, columns: 1 })).toThrow(/rows is 0/)
  })

  test('refuses parameters of another length or version, and dimensions that contradict each other', () => {
    const bytes = encodeMatrixPlan(planMatrix({ rows: 8, inner: 8, columns: 8 }))
    expect(() => parseMatrixPlan(bytes.subarray(1))).toThrow(/24 bytes/)
    expect(() => parseMatrixPlan(Uint8Array.from(bytes, (byte, index) => (index === 0 ? 9 : byte)))).toThrow(
      /version 9/
    )
    expect(() =>
      parseMatrixPlan(encodeMatrixPlan({ rows: 8, inner: 8, columns: 8, tileRows: 9, tileColumns: 8, depth: 8 }))
    ).toThrow(/tileRows is 9/)
    const huge = { rows: 4096, inner: 1_000_000, columns: 4096, tileRows: 4096, tileColumns: 4096, depth: 1 }
    expect(() => parseMatrixPlan(encodeMatrixPlan(huge))).toThrow(/a tile needs/)
  })
})

describe('TileGrid', () => {
  test('tiles cover C once, and their bytes lie one behind the other', () => {
    fc.assert(
      fc.property(smallPlans, (plan) => {
        const grid = new TileGrid(plan)
        const seen = new Uint8Array(plan.rows * plan.columns)
        let offset = 0
        for (let tileRow = 0; tileRow < grid.tileRowCount; tileRow++) {
          for (let tileColumn = 0; tileColumn < grid.tileColumnCount; tileColumn++) {
            const tile = grid.tile(tileRow, tileColumn)
            expect(tile.outputOffset).toBe(offset)
            expect(tile.byteLength).toBe(tile.rows * tile.columns * 4)
            expect(grid.tilesOf({ outputOffset: offset, outputBytes: tile.byteLength })).toEqual([tile])
            offset += tile.byteLength
            for (let row = tile.row; row < tile.row + tile.rows; row++) {
              for (let column = tile.column; column < tile.column + tile.columns; column++) {
                const element = row * plan.columns + column
                seen[element] = (seen[element] ?? 0) + 1
              }
            }
          }
        }
        expect(offset).toBe(grid.outputBytes)
        expect(seen.every((count) => count === 1)).toBe(true)
      })
    )
  })

  test('operands cover A and B once', () => {
    fc.assert(
      fc.property(smallPlans, (plan) => {
        const grid = new TileGrid(plan)
        const operands = Array.from({ length: grid.operandCount }, (_, index) => grid.operand(index))
        const elements = (matrix: 'a' | 'b') =>
          operands
            .filter((operand) => operand.matrix === matrix)
            .reduce((sum, { byteLength }) => sum + byteLength / 4, 0)
        expect(elements('a')).toBe(plan.rows * plan.inner)
        expect(elements('b')).toBe(plan.inner * plan.columns)
        expect(() => grid.operand(grid.operandCount)).toThrow(RangeError)
      })
    )
  })

  test("a run's operands are A's row panel and the column panels of its tiles, by depth", () => {
    const grid = new TileGrid({ rows: 4, inner: 5, columns: 6, tileRows: 2, tileColumns: 2, depth: 3 })
    const run = { outputOffset: grid.tile(1, 1).outputOffset, outputBytes: 2 * grid.tile(1, 1).byteLength }
    expect(grid.operandsOf(run)).toEqual([2, 3, 6, 7, 8, 9])
    expect(grid.operandsOf(run).map((index) => grid.operand(index))).toMatchObject([
      { matrix: 'a', row: 2, rows: 2, column: 0, columns: 3 },
      { matrix: 'a', row: 2, rows: 2, column: 3, columns: 2 },
      { matrix: 'b', row: 0, rows: 3, column: 2, columns: 2 },
      { matrix: 'b', row: 3, rows: 2, column: 2, columns: 2 },
      { matrix: 'b', row: 0, rows: 3, column: 4, columns: 2 },
      { matrix: 'b', row: 3, rows: 2, column: 4, columns: 2 }
    ])
    const bytes = grid.operandsOf(run).reduce((sum, index) => sum + grid.operand(index).byteLength, 0)
    expect(grid.operandBytesOf(run)).toBe(bytes)
  })

  test('refuses what is no run of whole tiles in one row of tiles', () => {
    const grid = new TileGrid({ rows: 4, inner: 5, columns: 6, tileRows: 2, tileColumns: 2, depth: 3 })
    const { byteLength } = grid.tile(0, 0)
    expect(() => grid.tilesOf({ outputOffset: 4, outputBytes: byteLength })).toThrow(RangeError)
    expect(() => grid.tilesOf({ outputOffset: 0, outputBytes: byteLength + 4 })).toThrow(RangeError)
    expect(() => grid.tilesOf({ outputOffset: 2 * byteLength, outputBytes: 2 * byteLength })).toThrow(RangeError)
    expect(() => grid.tilesOf({ outputOffset: grid.outputBytes, outputBytes: byteLength })).toThrow(RangeError)
    expect(() => grid.tilesOf({ outputOffset: 0, outputBytes: 0 })).toThrow(RangeError)
  })
})
