import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PeerName, peerName } from '../../src/domain/ids.ts'
import type { Chunk } from '../../src/domain/job.ts'
import { OperandHolders } from '../../src/domain/operand-holders.ts'
import { TileCutter } from '../../src/domain/tile-cutter.ts'
import { planMatrix } from '../../src/tasks/matrix/matrix-plan.ts'
import { TileGrid } from '../../src/tasks/matrix/tile-grid.ts'

const plans = fc
  .record({ rows: fc.integer({ min: 1, max: 40 }), columns: fc.integer({ min: 1, max: 40 }) })
  .map(({ rows, columns }) => ({
    rows,
    inner: 3,
    columns,
    tileRows: Math.min(rows, 7),
    tileColumns: Math.min(columns, 6),
    depth: 2
  }))
const peers = ['p0', 'p1', 'p2', 'p3'].map(peerName)

function cutAll(
  grid: TileGrid,
  holders: OperandHolders,
  turns: readonly (PeerName | undefined)[],
  byteLength: number
): Chunk[] {
  const cutter = new TileCutter(grid, holders)
  const chunks: Chunk[] = []
  for (let turn = 0; ; turn++) {
    const peer = turns[turn % turns.length]
    const chunk = cutter.next({ byteLength, peer })
    if (chunk === undefined) return chunks
    cutter.take(chunk)
    if (peer !== undefined) holders.expect(peer, grid.operandsOf(chunk))
    chunks.push(chunk)
  }
}

describe('TileCutter', () => {
  test('cuts every tile once, whoever asks for however much, and takes back what was cut before', () => {
    const turns = fc.array(fc.option(fc.constantFrom(...peers), { nil: undefined }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(plans, turns, fc.integer({ min: 1, max: 2000 }), (plan, order, byteLength) => {
        const grid = new TileGrid(plan)
        const chunks = cutAll(grid, new OperandHolders(), order, byteLength)
        const tiles = chunks.flatMap((chunk) => grid.tilesOf(chunk)).map(({ outputOffset }) => outputOffset)
        expect(new Set(tiles).size).toBe(tiles.length)
        expect(tiles.length).toBe(grid.tileRowCount * grid.tileColumnCount)
        expect(chunks.map(({ chunkIndex }) => chunkIndex)).toEqual(chunks.map((_, index) => index))
        const half = chunks.slice(0, chunks.length >> 1)
        const resumed = new TileCutter(grid, new OperandHolders(), half)
        const restBytes = chunks.slice(half.length).reduce((sum, { outputBytes }) => sum + outputBytes, 0)
        expect(resumed.remainingBytes).toBe(restBytes)
      })
    )
  })

  test('what four peers fetch together stays near twice the operands, not four times', () => {
    const grid = new TileGrid(planMatrix({ rows: 4096, inner: 4096, columns: 4096 }))
    const holders = new OperandHolders()
    cutAll(grid, holders, peers, 1)
    const fetched = Array.from({ length: grid.operandCount }, (_, index) => holders.count(index))
    const ratio = fetched.reduce((sum, count) => sum + count, 0) / grid.operandCount
    expect(ratio).toBeLessThan(2.8)
    expect(Math.max(...fetched)).toBeLessThan(4)
  })

  test('a peer goes on where it has both panels, and another starts elsewhere', () => {
    const grid = new TileGrid({ rows: 8, inner: 2, columns: 8, tileRows: 2, tileColumns: 2, depth: 2 })
    const holders = new OperandHolders()
    const cutter = new TileCutter(grid, holders)
    const [first, second] = peers
    holders.change(first as PeerName, { added: [0, 1, 4, 5], dropped: [] })
    const cuts = [first, first, first, first, second].map((peer) => {
      const chunk = cutter.next({ byteLength: 1, peer }) as Chunk
      cutter.take(chunk)
      return grid.tilesOf(chunk).map(({ tileRow, tileColumn }) => [tileRow, tileColumn])[0]
    })
    expect(cuts.slice(0, 4)).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1]
    ])
    expect(cuts[4]).toEqual([2, 2])
  })

  test('runs no longer than memory allows', () => {
    const grid = new TileGrid(planMatrix({ rows: 4096, inner: 2048, columns: 4096 }))
    const chunk = new TileCutter(grid, new OperandHolders()).next({ byteLength: 64 * 1024 * 1024 }) as Chunk
    expect(grid.operandBytesOf(chunk)).toBeLessThanOrEqual(24 * 1024 * 1024)
    expect(grid.tilesOf(chunk).length).toBe(4)
  })

  test('refuses a journal whose chunks do not lie on the tiles', () => {
    const grid = new TileGrid({ rows: 4, inner: 2, columns: 4, tileRows: 2, tileColumns: 2, depth: 2 })
    const chunk = { chunkIndex: 0, inputOffset: 0, inputBytes: 16, outputOffset: 0, outputBytes: 16 }
    const corrupt = expect.objectContaining({ code: 'JOURNAL_CORRUPT' })
    for (const cut of [
      [{ ...chunk, chunkIndex: 1 }],
      [{ ...chunk, outputBytes: 12, inputBytes: 12 }],
      [chunk, { ...chunk, chunkIndex: 1 }]
    ]) {
      expect(() => new TileCutter(grid, new OperandHolders(), cut)).toThrow(corrupt)
    }
  })
})

describe('OperandHolders', () => {
  test('names whoever has the block before whoever is fetching it, and takes turns', () => {
    const holders = new OperandHolders()
    const [a, b, c, asker] = peers as [PeerName, PeerName, PeerName, PeerName]
    holders.expect(a, [7])
    holders.change(b, { added: [7], dropped: [] })
    holders.change(c, { added: [7], dropped: [] })
    holders.change(asker, { added: [7], dropped: [] })
    expect(holders.sources(7, asker, 3)).toEqual([b, c, a])
    expect(holders.sources(7, asker, 2)).toEqual([c, b])
    holders.unexpect(a, [7])
    holders.unexpect(b, [7])
    holders.change(c, { added: [], dropped: [7] })
    expect(holders.sources(7, asker, 3)).toEqual([b])
    holders.forget(b)
    expect(holders.count(7)).toBe(1)
  })
})
