import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PROJECTION_WASM_BASE64 } from '../../../src/tasks/matrix/freivalds/projection-wasm.ts'
import { depthBlocks, toBlocks } from '../../../src/tasks/matrix/freivalds-operands.ts'
import {
  multiplyA,
  multiplyStrip,
  projectB,
  projectC,
  STRIP_COLUMNS
} from '../../../src/tasks/matrix/freivalds-wasm.ts'
import { Random } from '../../sim/random.ts'
import { compileProjection, MODULE_FILE, moduleText, WASM_FILE } from './freivalds/build-wasm.ts'
import { drawOperands } from './freivalds-tiles.ts'

const COMPILE_MS_MAX = 60_000
const shapes = fc.record({
  m: fc.integer({ min: 1, max: 40 }),
  k: fc.integer({ min: 1, max: 700 }),
  n: fc.integer({ min: 1, max: 200 })
})

test(
  'the committed WebAssembly of the check is the build of its source, byte for byte',
  async () => {
    const wasm = await compileProjection()
    expect(Buffer.compare(wasm, readFileSync(WASM_FILE))).toBe(0)
    expect(readFileSync(MODULE_FILE, 'utf8')).toBe(moduleText(wasm))
    expect(Buffer.compare(wasm, Buffer.from(PROJECTION_WASM_BASE64, 'base64'))).toBe(0)
  },
  COMPILE_MS_MAX
)

function near(found: number, expected: number, magnitude: number): boolean {
  return Math.abs(found - expected) <= 160 * 2 ** -24 * magnitude
}

describe('the passes in WebAssembly', () => {
  test.each([
    [3, 40, 2100],
    [5, 9000, 70],
    [2, 17, 1]
  ])('agree with plain sums for %i × %i × %i', (m, k, n) => {
    comparePasses(new Random(m), m, k, n)
  })

  test('agree with plain sums for any shape', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, { m, k, n }) => comparePasses(new Random(seed), m, k, n)),
      { numRuns: 40 }
    )
  })
})

function comparePasses(random: Random, m: number, k: number, n: number): void {
  const operands = drawOperands(random, 'normal', m, k, n)
  const { a, b } = operands
  const tile = toBlocks({ ...operands, c: drawOperands(random, 'normal', m, n, 1).a })
  const entries = (): Float64Array =>
    Float64Array.from({ length: n }, () => random.pick([-1, 1]) * (1 + random.integer(0, 255) / 1024))
  const weights = { first: entries(), second: entries(), scale: new Float64Array(n).fill(1) }
  const ofB = projectB(tile, weights)
  const ofC = projectC(tile, weights)
  for (const inner of [0, k >> 1, k - 1]) {
    let [sum, magnitude] = [0, 0]
    for (let column = 0; column < n; column++) {
      const term = (b[inner * n + column] as number) * (weights.second[column] as number)
      sum += term
      magnitude += Math.abs((b[inner * n + column] as number) * (weights.first[column] as number))
    }
    const found = ofB.planes
      .filter((_, index) => index % 2 === 1)
      .reduce((total, plane) => total + (plane[inner] as number), 0)
    expect(near(found, sum, 1.25 * magnitude)).toBe(true)
    expect(Math.abs((ofB.magnitudes[inner] as number) - magnitude)).toBeLessThan(1e-4 * magnitude)
  }
  const last = n - 1
  const columnSum = Array.from({ length: k }, (_, inner) => Math.abs(b[inner * n + last] as number)).reduce(
    (x, y) => x + y
  )
  expect(Math.abs((ofB.columnSums[last] as number) - columnSum)).toBeLessThan(1e-4 * columnSum)
  compareC(tile.c, m, n, weights.first, ofC)
  const { products, rowMagnitudes } = multiplyA(depthBlocks(tile), m, ofB.planes.slice(0, 2), ofB.magnitudes)
  const row = a.subarray((m - 1) * k)
  let [product, magnitude] = [0, 0]
  for (const [inner, value] of row.entries()) {
    product += value * (ofB.planes[1]?.[inner] as number)
    magnitude += Math.abs(value) * (ofB.magnitudes[inner] as number)
  }
  expect(near(products[2 * m - 1] as number, product, 1.25 * magnitude)).toBe(true)
  expect(Math.abs((rowMagnitudes[m - 1] as number) - magnitude)).toBeLessThan(1e-4 * magnitude)
  compareStrip(tile, row, n, k, b)
}

function compareC(c: Float32Array, m: number, n: number, first: Float64Array, planes: readonly Float64Array[]): void {
  const start = STRIP_COLUMNS * Math.floor((n - 1) / STRIP_COLUMNS)
  let [sum, magnitude] = [0, 0]
  for (let column = start; column < n; column++) {
    const term = (c[(m - 1) * n + column] as number) * (first[column] as number)
    sum += term
    magnitude += Math.abs(term)
  }
  expect(planes.at(-3)?.[m - 1]).toBeCloseTo(sum, 9)
  expect(planes.at(-1)?.[m - 1]).toBeCloseTo(magnitude, 9)
}

function compareStrip(
  tile: ReturnType<typeof toBlocks>,
  row: Float32Array,
  n: number,
  k: number,
  b: Float32Array
): void {
  const count = Math.min(n, STRIP_COLUMNS)
  const { sums, lowest, highest } = multiplyStrip(tile, row, { start: n - count, count })
  let sum = 0
  for (let inner = 0; inner < k; inner++) sum += (row[inner] as number) * (b[inner * n + n - 1] as number)
  expect(sums[count - 1]).toBeCloseTo(sum, 9)
  expect(lowest[count - 1]).toBeLessThanOrEqual(Math.min(0, sums[count - 1] as number))
  expect(highest[count - 1]).toBeGreaterThanOrEqual(Math.max(0, sums[count - 1] as number))
}
