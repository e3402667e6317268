// The operations of a kernel thread on matrix tiles, by export name.

import { randomBytes } from 'node:crypto'
import { contentHash, createContentHasher } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import { SwarmError } from '../errors.ts'
import { checkTile } from '../tasks/matrix/freivalds.ts'
import { pickRow, recomputeRowExact } from '../tasks/matrix/freivalds-exact.ts'
import { SEED_BYTES } from '../tasks/matrix/freivalds-random.ts'
import { isExact } from '../tasks/matrix/matrix.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { type Operand, TileGrid, type TileRun } from '../tasks/matrix/tile-grid.ts'
import { answerAsync } from './answer.ts'
import type {
  CheckTilesReply,
  CheckTilesRequest,
  HashSharedReply,
  HashSharedRequest,
  ReadOperandsReply,
  ReadOperandsRequest,
  RunTilesReply,
  RunTilesRequest
} from './kernel-messages.ts'
import { type NpyFile, openNpy } from './npy-file.ts'
import { threadTimeMs } from './thread-time.ts'
import { computeTile, type OperandReader, operandBlocks } from './tile-kernel.ts'

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT

/** Hashes shared memory. */
export function hashShared({ buffer, byteLength }: HashSharedRequest): unknown {
  return answerAsync<HashSharedReply>(async () => ({ hash: contentHash(new Uint8Array(buffer, 0, byteLength)) }))
}

/** Reads and hashes operands from the submitter's files. */
export function readOperands({ files, params, operands }: ReadOperandsRequest): unknown {
  return answerAsync<ReadOperandsReply>(async () => {
    const grid = new TileGrid(parseMatrixPlan(params))
    using matrices = new Matrices(files)
    const hashes = operands.map(({ index, buffer, hashes: isHashed }) => {
      const operand = grid.operand(index)
      const elements = new Float32Array(buffer, 0, operand.byteLength / FLOAT_BYTES)
      matrices.read(operand, elements)
      return isHashed ? contentHash(bytesOf(elements)) : undefined
    })
    return { hashes }
  })
}

/** Computes tiles from operands in shared memory. */
export function runTiles(request: RunTilesRequest): unknown {
  return answerAsync<RunTilesReply>(
    async () => {
      const { call, run, buffer, progress } = request
      const grid = new TileGrid(parseMatrixPlan(call.params))
      const read = readerOf(grid, request)
      const own = buffer.byteLength >= run.outputBytes ? buffer : new ArrayBuffer(run.outputBytes)
      const startedMs = threadTimeMs()
      let doneBytes = 0
      for (const tile of grid.tilesOf(run)) {
        const into = new Float32Array(own, doneBytes, tile.byteLength / FLOAT_BYTES)
        const before = doneBytes
        await computeTile({ grid, tile, kernelId: call.kernelId, device: request.device }, read, into, (bytes) => {
          Atomics.store(progress, 0, (before + bytes) >>> 10)
        })
        doneBytes += tile.byteLength
      }
      const computeMs = threadTimeMs() - startedMs
      const outputHash = request.hashes ? contentHash(new Uint8Array(own, 0, doneBytes)) : new Uint8Array(0)
      return { buffer: own, byteLength: doneBytes, outputHash, computeMs }
    },
    ({ buffer }) => [buffer]
  )
}

/** Checks a peer's tiles against its claimed hash and against the operands, which are read again. */
export function checkTiles(request: CheckTilesRequest): unknown {
  return answerAsync<CheckTilesReply>(
    async () => {
      const { buffer, run } = request
      const result = new Uint8Array(buffer, 0, run.outputBytes)
      if (!sameBytes(contentHash(result), request.outputHash)) {
        const reason = 'the result does not have the hash that was claimed'
        return { buffer, verdict: 'refused', reason, proof: false }
      }
      const grid = new TileGrid(parseMatrixPlan(request.call.params))
      const startedMs = threadTimeMs()
      const reason = refusalOf(request, grid)
      if (reason === undefined) return { buffer, verdict: 'passed', checkMs: threadTimeMs() - startedMs }
      using matrices = new Matrices(request.files)
      if (!sameBytes(hashOperands(grid, run, matrices), request.inputHash)) {
        const changed = `${request.files.a} or ${request.files.b} has changed since the chunk was granted`
        return { buffer, verdict: 'input-changed', reason: changed }
      }
      return { buffer, verdict: 'refused', reason, proof: true }
    },
    ({ buffer }) => [buffer]
  )
}

/** @returns why a run of tiles is refused, tile by tile, or undefined */
function refusalOf(request: CheckTilesRequest, grid: TileGrid): string | undefined {
  const { call, run, buffer } = request
  const read = readerOf(grid, request)
  let doneBytes = 0
  for (const tile of grid.tilesOf(run)) {
    const { a: aBlocks, b: bBlocks } = operandBlocks(grid, tile, read)
    const claimed = {
      aBlocks,
      bBlocks,
      c: new Float32Array(buffer, doneBytes, tile.byteLength / FLOAT_BYTES),
      m: tile.rows,
      k: grid.plan.inner,
      n: tile.columns
    }
    const seed = new Uint8Array(randomBytes(SEED_BYTES))
    const verdict = checkTile({ ...claimed, seed })
    const where = `in the tile at row ${tile.row}, column ${tile.column}`
    if (!verdict.passed) return `${where}: ${verdict.reason}`
    const inexact = isExact(call.kernelId) ? recomputeRowExact(claimed, pickRow(seed, tile.rows)) : undefined
    if (inexact !== undefined) return `${where}: ${inexact}`
    doneBytes += tile.byteLength
  }
  return undefined
}

/** Finds a run's operands among the blocks that came with it. */
function readerOf(grid: TileGrid, { run, operands }: Pick<RunTilesRequest, 'run' | 'operands'>): OperandReader {
  const order = grid.operandsOf(run)
  const blocks = new Map(order.map((index, position) => [index, operands[position]]))
  return ({ index, byteLength }) => {
    const block = blocks.get(index)
    if (block?.byteLength !== byteLength) throw new SwarmError('KERNEL_FAILED', `operand ${index} is not there`)
    return new Float32Array(block.buffer, 0, byteLength / FLOAT_BYTES)
  }
}

/** The hash of a run's input: over the hashes of its operands, in their order. */
function hashOperands(grid: TileGrid, run: TileRun, matrices: Matrices): Uint8Array {
  const hasher = createContentHasher()
  for (const index of grid.operandsOf(run)) {
    const operand = grid.operand(index)
    const elements = new Float32Array(operand.byteLength / FLOAT_BYTES)
    matrices.read(operand, elements)
    hasher.update(contentHash(bytesOf(elements)))
  }
  return hasher.digest()
}

/** Both files of a product, open for one operation. */
class Matrices implements Disposable {
  readonly #a: NpyFile
  readonly #b: NpyFile

  constructor(files: { readonly a: string; readonly b: string }) {
    this.#a = openNpy(files.a)
    try {
      this.#b = openNpy(files.b)
    } catch (error) {
      this.#a.close()
      throw error
    }
  }

  read({ matrix, row, rows, column, columns }: Omit<Operand, 'index' | 'byteLength'>, into: Float32Array): void {
    const file = matrix === 'a' ? this.#a : this.#b
    file.readBlock({ rowStart: row, rows, colStart: column, cols: columns }, into)
  }

  [Symbol.dispose](): void {
    this.#a.close()
    this.#b.close()
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
