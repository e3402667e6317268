import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../src/domain/job.ts'
import { SegmentCutter } from '../../src/domain/segment-cutter.ts'
import { SegmentGrid } from '../../src/tasks/wav/segments/segment-grid.ts'
import { grids } from '../support/audio-grids.ts'
import { ada, bob, claimOf, finish, grantTo, localClaimOf, makeTable } from './lease-table-fixture.ts'

const wishes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 })

/** Cuts what is open. */
function cutOpen(cutter: SegmentCutter, lengths: readonly number[]): Chunk[] {
  const chunks: Chunk[] = []
  for (;;) {
    const byteLength = lengths[chunks.length % lengths.length] ?? 1
    const chunk = cutter.next({ byteLength, peer: undefined })
    if (chunk === undefined) return chunks
    cutter.take(chunk)
    chunks.push(chunk)
  }
}

function cutAll(grid: SegmentGrid, lengths: readonly number[]): Chunk[] {
  const cutter = new SegmentCutter(grid, () => 0)
  const chunks: Chunk[] = []
  for (let pass = 0; pass < grid.passCount; pass++) {
    if (pass > 0) cutter.openNext()
    chunks.push(...cutOpen(cutter, lengths))
  }
  return chunks
}

describe('cutting segments', () => {
  test('goes in order, over all bytes, in whole runs', () => {
    fc.assert(
      fc.property(grids, wishes, (grid, lengths) => {
        let offset = 0
        for (const [index, chunk] of cutAll(grid, lengths).entries()) {
          const { outputBytes } = chunk
          const place = { inputOffset: offset, inputBytes: outputBytes, outputOffset: offset, outputBytes }
          expect(chunk).toEqual({ chunkIndex: index, ...place })
          expect(grid.runOf(offset, outputBytes).count).toBeGreaterThan(0)
          offset += outputBytes
        }
        expect(offset).toBe(grid.byteLength)
      })
    )
  })

  test('gives a claimant no more than it has room for, but always a segment', () => {
    const pass = { segmentCount: 10, audioBytes: () => 90, reportBytes: () => 10 }
    const cutter = new SegmentCutter(new SegmentGrid([pass]), ({ outputBytes }) => 2 * outputBytes)
    expect(cutter.next({ byteLength: 800 })?.outputBytes).toBe(800)
    const next = cutter.next({ byteLength: 800, roomBytes: 1_200 })
    expect(next?.outputBytes).toBeGreaterThanOrEqual(200)
    expect(next?.outputBytes).toBeLessThanOrEqual(400)
    expect(cutter.next({ byteLength: 800, roomBytes: 10 })?.outputBytes).toBe(100)
  })

  test('stops before each pass until it is opened', () => {
    fc.assert(
      fc.property(grids, wishes, (grid, lengths) => {
        const cutter = new SegmentCutter(grid, () => 0)
        for (let pass = 0; pass < grid.passCount; pass++) {
          expect(cutter.openPasses).toBe(pass + 1)
          expect(cutOpen(cutter, lengths).length).toBeGreaterThan(0)
          expect(cutter.cutBytes).toBe(grid.passOffset(pass + 1))
          expect(cutter.remainingBytes).toBe(grid.byteLength - cutter.cutBytes)
          expect(cutter.next({ byteLength: 1, peer: undefined })).toBeUndefined()
          cutter.openNext()
        }
        expect(cutter.next({ byteLength: 1, peer: undefined })).toBeUndefined()
      })
    )
  })

  test('goes on behind what a former incarnation cut', () => {
    fc.assert(
      fc.property(grids, wishes, wishes, fc.double({ min: 0, max: 1, noNaN: true }), (grid, before, after, share) => {
        const chunks = cutAll(grid, before)
        const kept = chunks.slice(0, Math.floor(share * chunks.length))
        const cutter = new SegmentCutter(grid, () => 0, kept)
        for (let pass = 1; pass < grid.passCount; pass++) cutter.openNext()
        const rest = cutOpen(cutter, after)
        expect(rest[0]?.chunkIndex ?? kept.length).toBe(kept.length)
        const bytes = [...kept, ...rest].reduce((sum, { outputBytes }) => sum + outputBytes, 0)
        expect(bytes).toBe(grid.byteLength)
      })
    )
  })

  test('waits for the passes before, though chunks of a later one were cut', () => {
    fc.assert(
      fc.property(grids, wishes, (grid, lengths) => {
        const cutter = new SegmentCutter(grid, () => 0, cutAll(grid, lengths).slice(0, -1))
        const isOpen = grid.passCount === 1
        expect(cutter.next({ byteLength: 1, peer: undefined }) !== undefined).toBe(isOpen)
      })
    )
  })

  test('counts what a chunk reads and gives', () => {
    const [grid] = fc.sample(grids, 1)
    if (grid === undefined) throw new Error('no grid')
    const cutter = new SegmentCutter(grid, ({ inputOffset }) => inputOffset + 1000)
    const chunk = { chunkIndex: 0, inputOffset: 0, inputBytes: 7, outputOffset: 0, outputBytes: 7 }
    expect(cutter.footprint(chunk)).toBe(1007)
  })

  test('gives nobody a chunk of a pass that is not open, though a former incarnation cut it', () => {
    const pass = { segmentCount: 3, audioBytes: () => 0, reportBytes: () => 100 }
    const grid = new SegmentGrid([pass, pass])
    const former = cutAll(grid, [100]).slice(0, 5)
    const restored = former.map((chunk) => ({ ...chunk, epoch: 1, attempts: 0 }))
    const cutter = new SegmentCutter(grid, () => 0, former)
    const table = makeTable(6, { grid: { inputBytes: 600, blockBytes: 100, reverse: false }, cutter, restored })
    const granted = () => table.claim(claimOf(ada, { count: 9 })).grants.map(({ chunk }) => chunk.chunkIndex)
    expect(granted()).toEqual([0, 1, 2])
    expect(granted()).toEqual([])
    expect(table.claimLocal(localClaimOf()).grants).toEqual([])
    cutter.openNext()
    expect(granted()).toEqual([3, 4, 5])
  })

  test('lets others go on while a slow peer holds the first chunk, within the bytes that may be under way', () => {
    const pass = { segmentCount: 10, audioBytes: () => 0, reportBytes: () => 100 }
    const cutter = new SegmentCutter(new SegmentGrid([pass]), () => 0)
    const table = makeTable(10, {
      grid: { inputBytes: 1000, blockBytes: 100, reverse: false },
      cutter,
      windowBytes: 200
    })
    expect(grantTo(table, ada).chunk.chunkIndex).toBe(0)
    for (let chunkIndex = 1; chunkIndex < 10; chunkIndex++) {
      const grant = grantTo(table, bob)
      expect(grant.chunk.chunkIndex).toBe(chunkIndex)
      expect(table.claim(claimOf(bob)).grants).toEqual([])
      finish(table, grant, 1)
      table.consumed(chunkIndex)
    }
    expect(table.counters.consumedBytes).toBe(0)
  })

  test.each<[string, (chunk: Chunk, grid: SegmentGrid) => Chunk]>([
    ['another index', (chunk) => ({ ...chunk, chunkIndex: 1 })],
    ['another place', (chunk) => ({ ...chunk, outputOffset: chunk.outputOffset + 1 })],
    ['an input apart from its output', (chunk) => ({ ...chunk, inputOffset: chunk.inputOffset + 1 })],
    ['bytes that are no run', (chunk) => ({ ...chunk, inputBytes: 0, outputBytes: 0 })],
    ['more than there is', (_, grid) => ({ ...bytesOf(grid.byteLength + 1) })],
    ['no number', () => ({ ...bytesOf(Number.NaN) })]
  ])('refuses a journal with a chunk of %s', (_, change) => {
    fc.assert(
      fc.property(grids, wishes, (grid, lengths) => {
        const [chunk] = cutAll(grid, lengths)
        if (chunk === undefined) throw new Error('nothing was cut')
        expect(() => new SegmentCutter(grid, () => 0, [change(chunk, grid)])).toThrow(
          expect.objectContaining({ name: 'SwarmError', code: 'JOURNAL_CORRUPT' })
        )
      }),
      { numRuns: 10 }
    )
  })
})

function bytesOf(byteLength: number): Chunk {
  return { chunkIndex: 0, inputOffset: 0, inputBytes: byteLength, outputOffset: 0, outputBytes: byteLength }
}
