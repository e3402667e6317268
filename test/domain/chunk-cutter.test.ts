import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChunkCutter, type Grid } from '../../src/domain/chunk-cutter.ts'
import type { Chunk } from '../../src/domain/job.ts'

function cutAll(cutter: ChunkCutter, sizes: readonly number[]): Chunk[] {
  const chunks: Chunk[] = []
  for (let i = 0; ; i++) {
    const chunk = cutter.cut(sizes[i % sizes.length] ?? 1)
    if (chunk === undefined) return chunks
    chunks.push(chunk)
  }
}

const grids: fc.Arbitrary<Grid> = fc
  .record({
    blocks: fc.integer({ min: 0, max: 40 }),
    blockBytes: fc.integer({ min: 1, max: 64 }),
    reverse: fc.boolean()
  })
  .chain(({ blocks, blockBytes, reverse }) =>
    fc
      .integer({ min: 1, max: blockBytes })
      .map((tail) => ({ inputBytes: blocks * blockBytes + tail, blockBytes, reverse }))
  )
const wishes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 10 })

describe('ChunkCutter', () => {
  test('cuts whole blocks from the start, the last one short', () => {
    const chunks = cutAll(new ChunkCutter({ inputBytes: 25, blockBytes: 10, reverse: false }), [15])
    expect(chunks.map(({ inputOffset, inputBytes }) => [inputOffset, inputBytes])).toEqual([
      [0, 10],
      [10, 10],
      [20, 5]
    ])
  })

  test('cuts from the end when the job reverses, so chunk 0 is the first of the result', () => {
    const chunks = cutAll(new ChunkCutter({ inputBytes: 25, blockBytes: 10, reverse: true }), [20])
    expect(chunks).toEqual([
      { chunkIndex: 0, inputOffset: 10, inputBytes: 15, outputOffset: 0, outputBytes: 15 },
      { chunkIndex: 1, inputOffset: 0, inputBytes: 10, outputOffset: 15, outputBytes: 10 }
    ])
  })

  test('tells the length of the next cut without cutting', () => {
    const cutter = new ChunkCutter({ inputBytes: 25, blockBytes: 10, reverse: false })
    expect(cutter.measure(29)).toBe(20)
    expect(cutter.chunkCount).toBe(0)
    expect(cutter.remainingBytes).toBe(25)
  })

  test('covers input and output without gap or overlap, in blocks, in output order', () => {
    fc.assert(
      fc.property(grids, wishes, (grid, sizes) => {
        const chunks = cutAll(new ChunkCutter(grid), sizes)
        let outputOffset = 0
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.chunkIndex).toBe(index)
          expect(chunk.outputOffset).toBe(outputOffset)
          const mirrored = grid.inputBytes - chunk.outputOffset - chunk.outputBytes
          expect(chunk.inputOffset).toBe(grid.reverse ? mirrored : chunk.outputOffset)
          expect(chunk.inputOffset % grid.blockBytes).toBe(0)
          const atEnd = chunk.inputOffset + chunk.inputBytes === grid.inputBytes
          if (!atEnd) expect(chunk.inputBytes % grid.blockBytes).toBe(0)
          outputOffset += chunk.outputBytes
        }
        expect(outputOffset).toBe(grid.inputBytes)
      })
    )
  })

  test('goes on behind restored chunks as if it had never stopped', () => {
    fc.assert(
      fc.property(grids, wishes, fc.nat(20), (grid, sizes, kept) => {
        const restored = cutAll(new ChunkCutter(grid), sizes).slice(0, kept)
        const cutter = new ChunkCutter(grid, restored)
        expect(cutter.chunkCount).toBe(restored.length)
        const all = [...restored, ...cutAll(cutter, [7])]
        expect(all.reduce((sum, chunk) => sum + chunk.inputBytes, 0)).toBe(grid.inputBytes)
        expect(all.map(({ chunkIndex }) => chunkIndex)).toEqual(all.map((_, index) => index))
      })
    )
  })

  test.each([
    ['has a gap', { outputOffset: 20, inputOffset: 20 }],
    ['is out of order', { chunkIndex: 2 }],
    ['is off the grid', { inputBytes: 7, outputBytes: 7 }],
    ['is too long', { inputBytes: 30, outputBytes: 30 }],
    ['is empty', { inputBytes: 0, outputBytes: 0 }]
  ])('refuses a journal that %s', (_, wrong) => {
    const first = { chunkIndex: 0, inputOffset: 0, inputBytes: 10, outputOffset: 0, outputBytes: 10 }
    const second = { chunkIndex: 1, inputOffset: 10, inputBytes: 10, outputOffset: 10, outputBytes: 10, ...wrong }
    const grid = { inputBytes: 25, blockBytes: 10, reverse: false }
    expect(() => new ChunkCutter(grid, [first, second])).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }))
  })

  test('refuses a grid without bytes', () => {
    expect(() => new ChunkCutter({ inputBytes: 0, blockBytes: 10, reverse: false })).toThrow(RangeError)
    expect(() => new ChunkCutter({ inputBytes: 10, blockBytes: 0, reverse: false })).toThrow(RangeError)
  })
})
