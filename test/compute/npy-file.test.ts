import { execFileSync } from 'node:child_process'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openNpy } from '../../src/compute/npy-file.ts'
import { EXIT_CODES } from '../../src/errors.ts'
import type { NpyDtype } from '../../src/tasks/matrix/npy-header.ts'
import { makeFolder } from '../store/sink-support.ts'
import { blockOf, npyBytes, npyFile } from '../tasks/matrix/npy-fixtures.ts'
import { goldenNpy } from '../tasks/matrix/npy-golden.ts'

function written(bytes: Uint8Array): string {
  const path = join(makeFolder(), 'A.npy')
  writeFileSync(path, bytes)
  return path
}

const LINUX = process.platform === 'linux'

describe('reading a matrix from a file', () => {
  test('gives any rectangle, whatever order and type it has', () => {
    const extent = fc.integer({ min: 1, max: 30 })
    const path = join(makeFolder(), 'A.npy')
    fc.assert(
      fc.property(
        extent,
        extent,
        fc.boolean(),
        fc.constantFrom<NpyDtype>('float32', 'float64'),
        fc.nat(),
        (...args) => {
          const [rows, cols, fortranOrder, dtype, pick] = args
          const values = Float64Array.from({ length: rows * cols }, (_, index) => Math.sin(index + pick))
          writeFileSync(path, npyFile(values, rows, cols, { dtype, fortranOrder }))
          using npy = openNpy(path)
          const rowStart = pick % rows
          const colStart = (pick >> 5) % cols
          const block = { rowStart, rows: rows - rowStart, colStart, cols: cols - colStart }
          const into = new Float32Array(block.rows * block.cols)
          expect(npy.readBlock(block, into)).toEqual({ overflowCount: 0 })
          expect(into).toEqual(blockOf(values, cols, block))
          expect(npy.converted).toBe(dtype === 'float64')
        }
      )
    )
  })

  test('tells path, length and time of the file', () => {
    const path = written(goldenNpy('float64, 3 by 2'))
    using npy = openNpy(path)
    expect(npy).toMatchObject({ path, byteLength: 176, converted: true })
    expect(npy.modifiedMs).toBeGreaterThan(0)
  })

  test('fills shared memory too', () => {
    for (const name of ['float32, 2 by 3', 'float32, column-major'] as const) {
      using npy = openNpy(written(goldenNpy(name)))
      const into = new Float32Array(new SharedArrayBuffer(24))
      npy.readBlock({ rowStart: 0, rows: 2, colStart: 0, cols: 3 }, into)
      expect([...into]).toEqual([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    }
  })

  test('counts what float32 cannot hold', () => {
    const path = written(
      npyFile(Float64Array.of(1, 1e39, -1e300, Infinity), 2, 2, { dtype: 'float64', fortranOrder: true })
    )
    using npy = openNpy(path)
    const into = new Float32Array(4)
    expect(npy.readBlock({ rowStart: 0, rows: 2, colStart: 0, cols: 2 }, into)).toEqual({ overflowCount: 2 })
    expect([...into]).toEqual([1, Infinity, -Infinity, Infinity])
  })

  // Elsewhere the file would not be sparse.
  test.skipIf(process.platform === 'win32')('takes memory for the block alone, not for the file', () => {
    const header = npyBytes("{'descr': '<f8', 'fortran_order': True, 'shape': (1048576, 131072)}")
    const path = written(header)
    truncateSync(path, header.byteLength + 2 ** 40)
    using npy = openNpy(path)
    const into = new Float32Array(64 * 64).fill(Number.NaN)
    const before = process.memoryUsage().arrayBuffers
    npy.readBlock({ rowStart: 500_000, rows: 64, colStart: 100_000, cols: 64 }, into)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024)
    expect(into.every((value) => value === 0)).toBe(true)
  })

  test('works on a worker thread', async () => {
    const path = written(goldenNpy('float64, column-major'))
    const source = `
      const { parentPort, workerData } = await import('node:worker_threads')
      const { openNpy } = await import(workerData.module)
      const npy = openNpy(workerData.path)
      const into = new Float32Array(2)
      npy.readBlock({ rowStart: 1, rows: 1, colStart: 0, cols: 2 }, into)
      npy.close()
      parentPort.postMessage(into)`
    const module = new URL('../../src/compute/npy-file.ts', import.meta.url).href
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: { path, module },
      execArgv: ['--experimental-transform-types', '--disable-warning=ExperimentalWarning']
    })
    const into = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    expect(into).toEqual(Float32Array.of(2 / 7, 3 / 7))
  })
})

describe('refusals', () => {
  test('names file, expected and found bytes of a file that is cut or too long', () => {
    const file = goldenNpy('float32, 2 by 3')
    for (const bytes of [file.subarray(0, 140), Buffer.concat([file, file])]) {
      const path = written(bytes)
      expect(() => openNpy(path)).toThrow(expect.objectContaining({ code: 'NPY_LENGTH', exitCode: EXIT_CODES.usage }))
      expect(() => openNpy(path)).toThrow(`${path} should have 152 bytes`)
      expect(() => openNpy(path)).toThrow(`but has ${bytes.byteLength}`)
    }
  })

  test('names the file whose header is no good', () => {
    for (const [bytes, code] of [
      [new Uint8Array(0), 'NPY_MALFORMED'],
      [new Uint8Array(100), 'NPY_MALFORMED'],
      [goldenNpy('int32'), 'NPY_UNSUPPORTED']
    ] as const) {
      const path = written(bytes)
      expect(() => openNpy(path)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(path) }))
    }
  })

  test('says when there is no such file', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'file'), '')
    for (const path of [join(folder, 'gone'), join(folder, 'file', 'below')]) {
      expect(() => openNpy(path)).toThrow(expect.objectContaining({ code: 'INPUT_MISSING' }))
    }
  })

  test.skipIf(process.platform === 'win32')('refuses folders and pipes, without waiting for them', () => {
    const folder = makeFolder()
    execFileSync('mkfifo', [join(folder, 'pipe')])
    for (const path of [folder, join(folder, 'pipe')]) {
      expect(() => openNpy(path)).toThrow(expect.objectContaining({ code: 'INPUT_NOT_A_FILE' }))
    }
  })

  test('says when the file was cut after it was opened', () => {
    const path = written(goldenNpy('float32, 2 by 3'))
    using npy = openNpy(path)
    truncateSync(path, 140)
    const block = { rowStart: 0, rows: 2, colStart: 0, cols: 3 }
    expect(() => npy.readBlock(block, new Float32Array(6))).toThrow(
      expect.objectContaining({
        code: 'INPUT_UNREADABLE',
        message: expect.stringContaining('ended at 140 bytes, but 152')
      })
    )
  })

  test.skipIf(!LINUX)('leaves no descriptor behind, refused or not', () => {
    const refused = written(goldenNpy('int32'))
    const taken = written(goldenNpy('float32, 2 by 3'))
    const count = (): number => readdirSync('/proc/self/fd').length
    const before = count()
    for (let time = 0; time < 20; time++) {
      expect(() => openNpy(refused)).toThrow()
      openNpy(taken).close()
    }
    expect(count()).toBeLessThanOrEqual(before)
  })
})
