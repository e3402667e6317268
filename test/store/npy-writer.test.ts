import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { NpyWriter } from '../../src/store/npy-writer.ts'
import { encodeNpyHeader } from '../../src/tasks/matrix/npy-header.ts'
import { goldenNpy } from '../tasks/matrix/npy-golden.ts'
import { makeFolder } from './sink-support.ts'

const disk = mkdtempSync(join(tmpdir(), 'swarm-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'swarm-test', disk]).status === 0

afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  rmdirSync(disk)
})

describe('writing a matrix', () => {
  test('gives the file that numpy.save gives', () => {
    const path = join(makeFolder(), 'C.npy')
    using npy = new NpyWriter(path, 2, 3)
    npy.writeBlock({ rowStart: 0, rows: 2, colStart: 0, cols: 3 }, Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))
    npy.sync()
    expect(new Uint8Array(readFileSync(path))).toEqual(goldenNpy('float32, 2 by 3'))
    expect(npy.byteLength).toBe(152)
  })

  test('puts tiles of any size in any order to their place', () => {
    const folder = makeFolder()
    const extent = fc.integer({ min: 1, max: 30 })
    let run = 0
    fc.assert(
      fc.property(extent, extent, extent, extent, fc.boolean(), (rows, cols, tileRows, tileCols, backwards) => {
        const path = join(folder, `${run++}.npy`)
        using npy = new NpyWriter(path, rows, cols)
        const tiles = []
        for (let rowStart = 0; rowStart < rows; rowStart += tileRows) {
          for (let colStart = 0; colStart < cols; colStart += tileCols) {
            const count = Math.min(tileRows, rows - rowStart)
            tiles.push({ rowStart, rows: count, colStart, cols: Math.min(tileCols, cols - colStart) })
          }
        }
        for (const tile of backwards ? tiles.reverse() : tiles) {
          const samples = Float32Array.from(
            { length: tile.rows * tile.cols },
            (_, index) => (tile.rowStart + Math.floor(index / tile.cols)) * cols + tile.colStart + (index % tile.cols)
          )
          npy.writeBlock(tile, samples)
        }
        const bytes = new Uint8Array(readFileSync(path))
        expect(bytes.subarray(0, 128)).toEqual(encodeNpyHeader(rows, cols))
        expect(new Float32Array(bytes.buffer, 128)).toEqual(Float32Array.from({ length: rows * cols }, (_, at) => at))
      })
    )
  })

  test('writes the bits of the samples, from a part of an array too', () => {
    const path = join(makeFolder(), 'C.npy')
    const words = Uint32Array.of(1, 0x7f800001, 0xffc12345, 2)
    using npy = new NpyWriter(path, 1, 2)
    npy.writeBlock({ rowStart: 0, rows: 1, colStart: 0, cols: 2 }, new Float32Array(words.buffer, 4, 2))
    expect([...new Uint32Array(new Uint8Array(readFileSync(path)).buffer, 128)]).toEqual([0x7f800001, 0xffc12345])
  })

  test('has its length and zeros from the start', () => {
    const path = join(makeFolder(), 'C.npy')
    using _npy = new NpyWriter(path, 3, 3)
    expect(readFileSync(path)).toEqual(Buffer.concat([encodeNpyHeader(3, 3), new Uint8Array(36)]))
  })
})

describe('refusals', () => {
  test('overwrites nothing', () => {
    const path = join(makeFolder(), 'C.npy')
    writeFileSync(path, 'precious')
    expect(() => new NpyWriter(path, 2, 2)).toThrow(expect.objectContaining({ code: 'OUTPUT_EXISTS' }))
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })

  test('says when it cannot write', () => {
    const file = join(makeFolder(), 'file')
    writeFileSync(file, '')
    const code = 'OUTPUT_WRITE_FAILED'
    expect(() => new NpyWriter(join(file, 'C.npy'), 2, 2)).toThrow(expect.objectContaining({ code }))
  })

  test('makes no file for an impossible shape', () => {
    const path = join(makeFolder(), 'C.npy')
    expect(() => new NpyWriter(path, 0, 2)).toThrow(RangeError)
    expect(() => readFileSync(path)).toThrow('ENOENT')
  })

  test.runIf(mounted)('says when the disk is full, and leaves no file that it could not begin', () => {
    const path = join(disk, 'C.npy')
    const ballast = join(disk, 'ballast')
    const code = 'OUTPUT_WRITE_FAILED'
    {
      using npy = new NpyWriter(path, 1_024, 1_024)
      const samples = new Float32Array(1_024 * 1_024)
      const block = { rowStart: 0, rows: 1_024, colStart: 0, cols: 1_024 }
      expect(() => npy.writeBlock(block, samples)).toThrow(expect.objectContaining({ code }))
    }
    rmSync(path)
    expect(() => writeFileSync(ballast, new Uint8Array(2 ** 20 + 1))).toThrow('ENOSPC')
    expect(() => new NpyWriter(path, 2, 2)).toThrow(expect.objectContaining({ code }))
    expect(existsSync(path)).toBe(false)
    rmSync(ballast)
  })

  test('refuses a block outside of the matrix, and samples of another size', () => {
    using npy = new NpyWriter(join(makeFolder(), 'C.npy'), 2, 3)
    const block = { rowStart: 1, rows: 1, colStart: 1, cols: 2 }
    expect(() => npy.writeBlock({ ...block, colStart: 2 }, new Float32Array(2))).toThrow('within 2 by 3')
    expect(() => npy.writeBlock(block, new Float32Array(3))).toThrow('has 2 elements, not 3')
  })
})
