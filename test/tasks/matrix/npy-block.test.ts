import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NPY_SCRATCH_BYTES, readNpyBlock } from '../../../src/tasks/matrix/npy-block.ts'
import { encodeNpyHeader, type NpyDtype, parseNpyHeader } from '../../../src/tasks/matrix/npy-header.ts'
import { NPY_SCRATCH_BYTES_MIN, type NpyBlock } from '../../../src/tasks/matrix/npy-layout.ts'
import { readNpyHeader } from '../../../src/tasks/matrix/npy-open.ts'
import { blockOf, npyBytes, npyFile, readerOf } from './npy-fixtures.ts'
import { goldenNpy } from './npy-golden.ts'

/** A matrix, its file's order and type, and a rectangle of it. */
function anyCase(extentMax: number) {
  const extent = fc.integer({ min: 1, max: extentMax })
  const span = fc.tuple(fc.nat(), fc.nat())
  return fc
    .record({
      rows: extent,
      cols: extent,
      dtype: fc.constantFrom<NpyDtype>('float32', 'float64'),
      fortranOrder: fc.boolean(),
      version: fc.constantFrom(1, 2, 3),
      rowSpan: span,
      colSpan: span,
      seed: fc.nat(),
      scratchBytes: fc.constantFrom(NPY_SCRATCH_BYTES_MIN, 200, 1_001, NPY_SCRATCH_BYTES)
    })
    .map(({ rowSpan, colSpan, ...rest }) => ({ ...rest, block: blockIn(rest.rows, rest.cols, rowSpan, colSpan) }))
}

function blockIn(rows: number, cols: number, rowSpan: [number, number], colSpan: [number, number]): NpyBlock {
  const rowStart = rowSpan[0] % rows
  const colStart = colSpan[0] % cols
  return { rowStart, rows: 1 + (rowSpan[1] % (rows - rowStart)), colStart, cols: 1 + (colSpan[1] % (cols - colStart)) }
}

/** Different at each place, and not exact in float32. */
function valuesOf(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (index + 1) / 3 + seed)
}

describe('reading a block', () => {
  test('gives what a plain loop gives, for any shape, order, type and rectangle', () => {
    fc.assert(
      fc.property(anyCase(40), ({ block, cols, dtype, fortranOrder, rows, scratchBytes, seed, version }) => {
        const values = valuesOf(rows * cols, seed)
        const file = npyFile(values, rows, cols, { dtype, fortranOrder, version })
        const { readAt } = readerOf(file)
        const header = readNpyHeader('A.npy', file.byteLength, readAt)
        const into = new Float32Array(block.rows * block.cols).fill(Number.NaN)
        const read = readNpyBlock(header, block, into, readAt, new ArrayBuffer(scratchBytes))
        expect(into).toEqual(blockOf(values, cols, block))
        expect(read).toEqual({ overflowCount: 0 })
      }),
      { numRuns: 500 }
    )
  })

  test('does so where rows and columns are too far apart to be read in one go', () => {
    const shapes = [
      [3, 5_000, { rowStart: 0, rows: 3, colStart: 17, cols: 40 }],
      [5_000, 3, { rowStart: 4_000, rows: 900, colStart: 0, cols: 3 }],
      [5, 5_000, { rowStart: 1, rows: 4, colStart: 10, cols: 4_900 }],
      [40, 2_100, { rowStart: 1, rows: 38, colStart: 2_000, cols: 99 }],
      [2_100, 40, { rowStart: 5, rows: 2, colStart: 3, cols: 30 }]
    ] as const
    for (const [rows, cols, block] of shapes) {
      for (const dtype of ['float32', 'float64'] as const) {
        for (const fortranOrder of [false, true]) {
          for (const scratchBytes of [NPY_SCRATCH_BYTES_MIN, 4_096, NPY_SCRATCH_BYTES]) {
            const values = valuesOf(rows * cols, 0)
            const file = npyFile(values, rows, cols, { dtype, fortranOrder })
            const { readAt } = readerOf(file)
            const into = new Float32Array(block.rows * block.cols)
            readNpyBlock(parseNpyHeader(file, 'A.npy'), block, into, readAt, new ArrayBuffer(scratchBytes))
            expect(into).toEqual(blockOf(values, cols, block))
          }
        }
      }
    }
  })

  test('never asks for more than its scratch memory at a time, nor for more than the span of the block', () => {
    fc.assert(
      fc.property(anyCase(60), ({ block, cols, dtype, fortranOrder, rows, scratchBytes }) => {
        const file = npyFile(new Float64Array(rows * cols), rows, cols, { dtype, fortranOrder })
        const { mostBytes, readAt } = readerOf(file)
        const into = new Float32Array(block.rows * block.cols)
        readNpyBlock(parseNpyHeader(file, 'A.npy'), block, into, readAt, new ArrayBuffer(scratchBytes))
        const straight = dtype === 'float32' && !fortranOrder
        expect(mostBytes()).toBeLessThanOrEqual(straight ? Math.max(scratchBytes, into.byteLength) : scratchBytes)
      })
    )
  })

  test('reads whole rows straight into the memory it is given, in one call', () => {
    const file = npyFile(valuesOf(600, 0), 20, 30, { dtype: 'float32', fortranOrder: false })
    const { calls, mostBytes, readAt } = readerOf(file)
    const block = { rowStart: 3, rows: 15, colStart: 0, cols: 30 }
    readNpyBlock(parseNpyHeader(file, 'A.npy'), block, new Float32Array(450), readAt, new ArrayBuffer(0))
    expect([calls(), mostBytes()]).toEqual([1, 1_800])
  })

  test('gives what NumPy stored', () => {
    const whole = { rowStart: 0, rows: 2, colStart: 0, cols: 3 }
    for (const name of ['float32, 2 by 3', 'float32, column-major', 'version 2.0', 'version 3.0'] as const) {
      const into = new Float32Array(6)
      const file = goldenNpy(name)
      readNpyBlock(parseNpyHeader(file, 'A.npy'), whole, into, readerOf(file).readAt)
      expect([...into]).toEqual([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    }
    for (const name of ['float64, 3 by 2', 'float64, column-major'] as const) {
      const into = new Float32Array(6)
      const file = goldenNpy(name)
      const block = { rowStart: 0, rows: 3, colStart: 0, cols: 2 }
      readNpyBlock(parseNpyHeader(file, 'A.npy'), block, into, readerOf(file).readAt)
      expect(into).toEqual(Float32Array.from([0, 1, 2, 3, 4, 5], (value) => value / 7))
    }
  })
})

describe('values at the edge', () => {
  test('float64 becomes the nearest float32, and what overflows is counted', () => {
    const max = 2 ** 128 - 2 ** 104
    const edges = [
      max,
      max + 2 ** 102,
      max + 2 ** 103,
      -1e39,
      1e308,
      1e-46,
      -1e-45,
      Infinity,
      -Infinity,
      Number.NaN,
      -0
    ]
    for (const fortranOrder of [false, true]) {
      const file = npyFile(Float64Array.from(edges), 1, edges.length, { dtype: 'float64', fortranOrder })
      const into = new Float32Array(edges.length)
      const block = { rowStart: 0, rows: 1, colStart: 0, cols: edges.length }
      const read = readNpyBlock(parseNpyHeader(file, 'A.npy'), block, into, readerOf(file).readAt)
      expect([...into]).toEqual(edges.map(Math.fround))
      expect([...into].slice(1, 5)).toEqual([max, Infinity, -Infinity, Infinity])
      expect(read.overflowCount).toBe(3)
    }
  })

  test('float32 keeps its bits, also those of signalling NaNs', () => {
    const words = Uint32Array.of(0x7f800001, 0xff812345, 0x7fc00000, 0x00000001, 0x80000000, 0x7f7fffff)
    const text = (fortranOrder: string, shape: string): string =>
      `{'descr': '<f4', 'fortran_order': ${fortranOrder}, 'shape': ${shape}}`
    for (const header of [text('True', '(1, 6)'), text('True', '(6, 1)'), text('False', '(6, 1)')]) {
      const file = npyBytes(header, 1, new Uint8Array(words.buffer))
      const parsed = parseNpyHeader(file, 'A.npy')
      const into = new Float32Array(6)
      const block = { rowStart: 0, rows: parsed.rows, colStart: 0, cols: parsed.cols }
      readNpyBlock(parsed, block, into, readerOf(file).readAt)
      expect(new Uint32Array(into.buffer)).toEqual(words)
    }
  })
})

describe('refusals', () => {
  const header = parseNpyHeader(encodeNpyHeader(4, 5), 'A.npy')
  const { readAt } = readerOf(new Uint8Array(0))

  test.each([
    { rowStart: 0, rows: 5, colStart: 0, cols: 1 },
    { rowStart: 4, rows: 1, colStart: 0, cols: 1 },
    { rowStart: -1, rows: 1, colStart: 0, cols: 1 },
    { rowStart: 0, rows: 0, colStart: 0, cols: 1 },
    { rowStart: 0, rows: 1, colStart: 5, cols: 1 },
    { rowStart: 0, rows: 1, colStart: 2, cols: 4 },
    { rowStart: 0.5, rows: 1, colStart: 0, cols: 1 },
    { rowStart: 0, rows: Number.NaN, colStart: 0, cols: 1 }
  ])('refuses the block %j of 4 by 5', (block) => {
    const into = new Float32Array(Math.max(block.rows * block.cols, 0) || 0)
    expect(() => readNpyBlock(header, block, into, readAt)).toThrow('expected a block within 4 by 5')
  })

  test('refuses memory of another size, and too little scratch', () => {
    const block = { rowStart: 0, rows: 2, colStart: 0, cols: 2 }
    expect(() => readNpyBlock(header, block, new Float32Array(5), readAt)).toThrow('has 4 elements, not 5')
    const scratch = new ArrayBuffer(NPY_SCRATCH_BYTES_MIN - 1)
    expect(() => readNpyBlock(header, block, new Float32Array(4), readAt, scratch)).toThrow('128 bytes of scratch')
  })
})
