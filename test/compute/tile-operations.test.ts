import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import { fastKernelId } from '../../src/compute/onnx-runtime.ts'
import { contentHash } from '../../src/content-hash.ts'
import { EXACT_KERNEL_ID } from '../../src/tasks/matrix/exact-kernel.ts'
import { encodeMatrixPlan, type MatrixPlan } from '../../src/tasks/matrix/matrix-plan.ts'
import { TileGrid, type TileRun } from '../../src/tasks/matrix/tile-grid.ts'
import { type MatrixPair, npyOf, writeMatrices } from '../support/matrix-files.ts'

const plan: MatrixPlan = { rows: 50, inner: 70, columns: 60, tileRows: 20, tileColumns: 25, depth: 32 }
const grid = new TileGrid(plan)
const params = encodeMatrixPlan(plan)
const exact = { kernelId: EXACT_KERNEL_ID, params }
const fast = { kernelId: fastKernelId(), params }
/** The first two tiles of the second row of tiles. */
const run: TileRun = {
  outputOffset: grid.tile(1, 0).outputOffset,
  outputBytes: grid.tile(1, 0).byteLength + grid.tile(1, 1).byteLength
}
const { signal } = new AbortController()
const pool = new KernelPool(2)
let folder = ''
let pair: MatrixPair

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-tiles-'))
  pair = await writeMatrices(folder, { m: plan.rows, k: plan.inner, n: plan.columns })
})

afterAll(async () => {
  await pool.close()
  await rm(folder, { recursive: true })
})

/** The run's tiles, one after the other, of a whole C. */
function tilesOf(c: Float32Array): Float32Array {
  return Float32Array.from(
    grid.tilesOf(run).flatMap((tile) =>
      Array.from({ length: tile.rows * tile.columns }, (_, index) => {
        const row = tile.row + Math.floor(index / tile.columns)
        return c[row * plan.columns + tile.column + (index % tile.columns)] ?? Number.NaN
      })
    )
  )
}

function bytesOf(floats: Float32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(floats.slice().buffer)
}

/** The run's operands in shared memory, with their hashes. */
async function operandsOf(files = pair.files) {
  const operands = grid.operandsOf(run).map((index) => {
    const { byteLength } = grid.operand(index)
    return { index, byteLength, buffer: new SharedArrayBuffer(byteLength), hashes: true }
  })
  const hashes = await pool.readOperands({ files, params, operands }, { signal })
  return operands.map(({ byteLength, buffer }, at) => ({ byteLength, buffer, hash: hashes[at] ?? new Uint8Array(0) }))
}

async function runHere(kernelId: string, buffer = new ArrayBuffer(run.outputBytes)) {
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const request = { run, operands: await blocksOf(), buffer, progress, hashes: true }
  const done = await pool.runTiles({ call: { kernelId, params }, ...request }, { signal })
  return { ...done, progress, floats: new Float32Array(done.buffer, 0, done.byteLength / 4) }
}

async function blocksOf() {
  return (await operandsOf()).map(({ buffer, byteLength }) => ({ buffer, byteLength }))
}

async function inputHash(): Promise<Uint8Array> {
  return contentHash(Buffer.concat((await operandsOf()).map(({ hash }) => hash)))
}

describe('tile operations', () => {
  test('tiles from shared operands have the bits of the definition, and the hash of what they are', async () => {
    const done = await runHere(exact.kernelId)
    expect(bytesOf(done.floats)).toEqual(bytesOf(tilesOf(pair.c)))
    expect(done.outputHash).toEqual(contentHash(new Uint8Array(done.buffer, 0, done.byteLength)))
    expect(done.progress[0]).toBe(run.outputBytes >>> 10)
  })

  test('the fast kernel comes near, and makes room when it was given too little', async () => {
    const { floats } = await runHere(fast.kernelId, new ArrayBuffer(4))
    for (const [index, value] of tilesOf(pair.c).entries()) expect(floats[index]).toBeCloseTo(value, 4)
  })

  test('reads and hashes operands as the files hold them', async () => {
    const first = grid.operand(grid.operandsOf(run)[0] ?? -1)
    const [read] = await operandsOf()
    const expected = Float32Array.from({ length: first.rows * first.columns }, (_, index) => {
      const row = first.row + Math.floor(index / first.columns)
      return pair.a[row * plan.inner + first.column + (index % first.columns)] ?? Number.NaN
    })
    expect(new Uint8Array(read?.buffer ?? new ArrayBuffer(0)).slice()).toEqual(bytesOf(expected))
    expect(read?.hash).toEqual(contentHash(bytesOf(expected)))
    const shared = new SharedArrayBuffer(expected.byteLength)
    new Uint8Array(shared).set(bytesOf(expected))
    expect(await pool.hashShared({ buffer: shared, byteLength: expected.byteLength }, { signal })).toEqual(read?.hash)
  })

  test('an honest result passes, a false one is refused and proven', async () => {
    const honest = bytesOf(tilesOf(pair.c))
    const wrong = tilesOf(pair.c).map((value, index) => (index === 777 ? value * 2 + 1 : value))
    const check = async (bytes: Uint8Array<ArrayBuffer>, call = exact, files = pair.files) => {
      const request = {
        call,
        files,
        run,
        operands: await blocksOf(),
        inputHash: await inputHash(),
        buffer: bytes.slice().buffer
      }
      return pool.checkTiles({ ...request, outputHash: contentHash(bytes) }, { signal })
    }
    expect(await check(honest)).toMatchObject({ verdict: 'passed', checkMs: expect.any(Number) })
    expect(await check(bytesOf(wrong))).toMatchObject({
      verdict: 'refused',
      proof: true,
      reason: expect.stringContaining('in the tile at row 20, column 25')
    })
    // Bits of another order of summing: within the bound, so `fast` takes it, but `exact` does not.
    const otherOrder = bytesOf((await runHere(fast.kernelId)).floats)
    expect((await check(otherOrder, fast)).verdict).toBe('passed')
    expect(await check(otherOrder, exact)).toMatchObject({
      verdict: 'refused',
      reason: expect.stringContaining('bits')
    })
  })

  test('a result of another hash is refused without proof, and changed files are told apart from lies', async () => {
    const honest = bytesOf(tilesOf(pair.c))
    const request = { call: exact, run, operands: await blocksOf(), inputHash: await inputHash(), files: pair.files }
    const other = await pool.checkTiles(
      { ...request, buffer: honest.slice().buffer, outputHash: new Uint8Array(32) },
      { signal }
    )
    expect(other).toMatchObject({ verdict: 'refused', proof: false })
    const files = { ...pair.files, a: join(folder, 'changed.npy') }
    await writeFile(
      files.a,
      npyOf(
        pair.a.map((value) => -value),
        plan.rows,
        plan.inner
      )
    )
    const wrong = honest.map((byte, index) => (index === 7 ? byte ^ 0x40 : byte))
    const changed = await pool.checkTiles(
      { ...request, files, buffer: wrong.slice().buffer, outputHash: contentHash(wrong) },
      { signal }
    )
    expect(changed).toMatchObject({ verdict: 'input-changed', reason: expect.stringContaining('changed.npy') })
  })

  test('says which kernel is missing, and which file', async () => {
    await expect(runHere('matrix-fast-f32-ort-0.0.1')).rejects.toMatchObject({
      code: 'KERNEL_MISSING',
      message: expect.stringContaining('ort-0.0.1')
    })
    const files = { ...pair.files, b: join(folder, 'gone.npy') }
    await expect(operandsOf(files)).rejects.toMatchObject({ code: 'INPUT_MISSING' })
  })
})
