import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXACT_KERNEL_ID, multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { exactRows, largestErrorShare, readMatrix, writeMatrix } from '../support/matrix-product.ts'
import { type Operands, refusedProduct, submitProduct, writeOperands } from '../support/matrix-swarm.ts'
import { hashFile } from '../support/reference-invert.ts'
import { type Done, eventsOf, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { noise } from '../tasks/matrix/exact-reference.ts'

/** Nothing a power of two. */
const SHAPE = { m: 1000, k: 700, n: 1300 }
const TWO_PEERS = ['--local', 'never', '--min-peers', '2']

const world = new SwarmWorld()
let operands: Operands
let studio: JoinedPeer

beforeAll(async () => {
  operands = await writeOperands(world, SHAPE)
  studio = await world.join('studio')
  await world.joinWith(studio, 'attic')
  await world.joinWith(studio, 'laptop')
}, 60_000)

afterAll(async () => {
  expect(await world.close()).toEqual([])
}, 30_000)

function product(out: string, args: readonly string[], of: Pick<Operands, 'files'> = operands): Promise<Done> {
  return world.done(submitProduct(world, 'studio', of, out, args))
}

test('multiplies over two peers within the bound of float32 sums', { timeout: 60_000 }, async () => {
  const done = await product('fast', TWO_PEERS)
  const { rows, cols, elements } = await readMatrix(done.outputs.result)
  expect([rows, cols]).toEqual([1000, 1300])
  const share = largestErrorShare(elements, operands, SHAPE)
  console.error(`largest error: ${(100 * share).toFixed(2)} % of the bound`)
  expect(share).toBeLessThanOrEqual(1)
  expect(done.localChunks).toBe(0)
  expect(done.peers.every(({ chunks }) => chunks > 0)).toBe(true)
  expect(kernelOf(done)).toMatch(/^matrix-fast-f32-ort-\d/)
})

describe('with --exact', () => {
  let expected: string
  let original: Done

  beforeAll(async () => {
    const { m, k, n } = SHAPE
    const c = new Float32Array(m * n)
    multiplyExact({ a: operands.a, b: operands.b, c, m, k, n })
    for (const { row, expected: wanted } of exactRows(operands, SHAPE, 8)) {
      expect(Buffer.compare(bytesOf(c.subarray(row * n, (row + 1) * n)), bytesOf(wanted))).toBe(0)
    }
    expected = await hashFile(await writeMatrix(world.path('expected.npy'), c, { rows: m, cols: n }))
  })

  test.for([
    ['over two peers', 'exact-two', TWO_PEERS],
    ['on this machine alone', 'exact-only', ['--local', 'only']],
    ['with all who are there', 'exact-auto', ['--local', 'auto']],
    ['in chunks of one tile', 'exact-small', ['--local', 'never', '--chunk-size', '4KiB']],
    ['in long chunks', 'exact-large', ['--local', 'never', '--chunk-size', '16MiB']]
  ] as const)('gives the same bytes %s', { timeout: 60_000 }, async ([, out, args]) => {
    const done = await product(out, ['--exact', ...args])
    expect(await hashFile(done.outputs.result)).toBe(expected)
    expect(kernelOf(done)).toBe(EXACT_KERNEL_ID)
    if (out === 'exact-two') original = done
  })

  test('a replay is equal', { timeout: 60_000 }, async () => {
    const args = ['jobs', 'replay', original.jobId, '--out', world.path('replayed'), '--no-mdns', '--json']
    const { exitCode, said } = await world.run('studio', args)
    expect(exitCode).toBe(0)
    expect(said.at(-1)).toMatchObject({ event: 'replayed', mustBeEqual: true, result: { compared: true, equal: true } })
    expect(await hashFile(`${world.path('replayed')}/result.npy`)).toBe(expected)
  })

  test('an encrypted result opens to the same file', { timeout: 60_000 }, async () => {
    const done = await product('sealed', ['--exact', '--encrypt', ...TWO_PEERS])
    expect(done.outputs.result).toMatch(/result\.npy\.enc$/)
    const opened = world.path('opened.npy')
    expect(await world.run('studio', ['decrypt', world.path('sealed'), '--out', opened])).toMatchObject({ exitCode: 0 })
    expect(await hashFile(opened)).toBe(expected)
  })
})

describe('operands of other shapes and layouts', () => {
  test.for([
    ['a row by a column', { m: 1, k: 3001, n: 1 }],
    ['a column by a row', { m: 1201, k: 1, n: 901 }]
  ] as const)('%s', { timeout: 60_000 }, async ([, shape]) => {
    const thin = await writeOperands(world, shape)
    const done = await product(`thin-${shape.m}`, TWO_PEERS, thin)
    const { rows, cols, elements } = await readMatrix(done.outputs.result)
    expect([rows, cols]).toEqual([shape.m, shape.n])
    expect(largestErrorShare(elements, thin, shape)).toBeLessThanOrEqual(1)
  })

  test('float64 is rounded with a notice, columns may lie contiguously', { timeout: 60_000 }, async () => {
    const shape = { m: 130, k: 270, n: 190 }
    const [a, b] = [noise(shape.m * shape.k, 5), noise(shape.k * shape.n, 6)]
    const files = {
      a: await writeMatrix(world.path('a64.npy'), a, { rows: 130, cols: 270, dtype: 'float64', fortran: true }),
      b: await writeMatrix(world.path('bf.npy'), b, { rows: 270, cols: 190, fortran: true })
    }
    const job = submitProduct(world, 'studio', { files }, 'layouts', TWO_PEERS)
    const done = await world.done(job)
    const notices = eventsOf(job.said, 'notice').map(({ message }) => String(message))
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain(`${files.a} is float64`)
    const { elements } = await readMatrix(done.outputs.result)
    expect(largestErrorShare(elements, { a, b }, shape)).toBeLessThanOrEqual(1)
  })
})

describe('what cannot be multiplied is refused by name', () => {
  const small = noise(12, 9)
  let [square, tall, whole, cut] = ['', '', '', '']

  beforeAll(async () => {
    square = await writeMatrix(world.path('square.npy'), small.subarray(0, 9), { rows: 3, cols: 3 })
    tall = await writeMatrix(world.path('tall.npy'), small, { rows: 4, cols: 3 })
    whole = await writeMatrix(world.path('whole.npy'), small, { rows: 3, cols: 4, dtype: 'int32' })
    cut = world.path('cut.npy')
    writeFileSync(cut, readFileSync(tall).subarray(0, -5))
  })

  test.for([
    ['shapes that do not fit', () => [square, '--b', tall], ['square.npy has 3 columns', 'tall.npy has 4 rows']],
    ['a missing second operand', () => [square], ['--b']],
    ['a second operand that is not there', () => [square, '--b', '/none/b.npy'], ['/none/b.npy', 'no file']],
    ['a truncated file', () => [cut, '--b', square], ['cut.npy', '176', '171']],
    ['integers', () => [tall, '--b', whole], ['whole.npy', '<i4', 'float32']],
    ['--reverse', () => [tall, '--b', square, '--reverse'], ['--reverse']]
  ] as const)('%s', { timeout: 30_000 }, async ([, make, words]) => {
    const [a = '', ...args] = make()
    const { exitCode, stderr } = await refusedProduct(world, 'studio', a, args)
    expect(exitCode).toBe(2)
    for (const word of words) expect(stderr).toContain(word)
  })
})

function kernelOf({ outputs }: Done): string {
  return (JSON.parse(readFileSync(outputs.manifest, 'utf8')) as { kernel: string }).kernel
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
