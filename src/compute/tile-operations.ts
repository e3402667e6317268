// The operations of a kernel thread on matrix tiles, by export name. Owns the thread's scratch for operands.

import { randomBytes } from 'node:crypto'
import { contentHash, createContentHasher } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import { SwarmError } from '../errors.ts'
import { checkTile } from '../tasks/matrix/freivalds.ts'
import { pickRow, recomputeRowExact } from '../tasks/matrix/freivalds-exact.ts'
import { SEED_BYTES } from '../tasks/matrix/freivalds-random.ts'
import { isExact } from '../tasks/matrix/matrix.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { type Operand, type Tile, TileGrid, type TileRun } from '../tasks/matrix/tile-grid.ts'
import { answerAsync } from './answer.ts'
import type {
  CheckTilesReply,
  CheckTilesRequest,
  HashSharedReply,
  HashSharedRequest,
  ReadOperandsReply,
  ReadOperandsRequest,
  RunLocalTilesRequest,
  RunTilesReply,
  RunTilesRequest,
  TilesReply
} from './kernel-messages.ts'
import { type NpyFile, openNpy } from './npy-file.ts'
import { threadTimeMs } from './thread-time.ts'
import { computeTile, type OperandReader } from './tile-kernel.ts'

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT

/** Grown as needed, and kept while the thread lives: touching fresh memory costs more than most of what is done here. */
const scratch: { a: Float32Array; b: Float32Array } = { a: new Float32Array(0), b: new Float32Array(0) }

/** Hashes shared memory. */
export function hashShared({ buffer, byteLength }: HashSharedRequest): unknown {
  return answerAsync<HashSharedReply>(async () => ({ hash: contentHash(new Uint8Array(buffer, 0, byteLength)) }))
}

/** Reads and hashes operands from the submitter's files. */
export function readOperands({ files, params, operands }: ReadOperandsRequest): unknown {
  return answerAsync<ReadOperandsReply>(
    async () => {
      const grid = new TileGrid(parseMatrixPlan(params))
      using matrices = new Matrices(files)
      const read = operands.map(({ index, buffer }) => {
        const operand = grid.operand(index)
        const elements = new Float32Array(buffer, 0, operand.byteLength / FLOAT_BYTES)
        matrices.read(operand, elements)
        return { buffer, hash: contentHash(bytesOf(elements)) }
      })
      return { operands: read }
    },
    (reply) => reply.operands.map(({ buffer }) => buffer)
  )
}

/** A worker's tiles, from operands in shared memory. */
export function runTiles(request: RunTilesRequest): unknown {
  return answerAsync<RunTilesReply>(
    async () => {
      const grid = new TileGrid(parseMatrixPlan(request.call.params))
      const order = grid.operandsOf(request.run)
      const blocks = new Map(order.map((index, position) => [index, request.operands[position]]))
      const read: OperandReader = ({ index, byteLength }) => {
        const block = blocks.get(index)
        if (block?.byteLength !== byteLength) throw new SwarmError('KERNEL_FAILED', `operand ${index} is not there`)
        return new Float32Array(block.buffer, 0, byteLength / FLOAT_BYTES)
      }
      const { progress } = request
      const done = await compute(request, grid, read, (bytes) => Atomics.store(progress, 0, bytes >>> 10))
      return { ...done, outputHash: contentHash(new Uint8Array(done.buffer, 0, done.byteLength)) }
    },
    ({ buffer }) => [buffer]
  )
}

/** The submitter's own tiles, from its files. */
export function runLocalTiles(request: RunLocalTilesRequest): unknown {
  return answerAsync<TilesReply>(
    async () => {
      const grid = new TileGrid(parseMatrixPlan(request.call.params))
      using matrices = new Matrices(request.files)
      const read: OperandReader = (operand) => {
        const elements = scratchOf(operand.matrix, operand.byteLength / FLOAT_BYTES)
        matrices.read(operand, elements)
        return elements
      }
      return await compute(request, grid, read, () => undefined)
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
      using matrices = new Matrices(request.files)
      const startedMs = threadTimeMs()
      const reason = refusalOf(request, grid, matrices)
      if (reason === undefined) return { buffer, verdict: 'passed', checkMs: threadTimeMs() - startedMs }
      if (!sameBytes(hashOperands(grid, run, matrices), request.inputHash)) {
        const changed = `${request.files.a} or ${request.files.b} has changed since the chunk was granted`
        return { buffer, verdict: 'input-changed', reason: changed }
      }
      return { buffer, verdict: 'refused', reason, proof: true }
    },
    ({ buffer }) => [buffer]
  )
}

async function compute(
  { call, run, buffer }: RunLocalTilesRequest | RunTilesRequest,
  grid: TileGrid,
  read: OperandReader,
  onProgress: (bytesDone: number) => void
): Promise<TilesReply> {
  const own = buffer.byteLength >= run.outputBytes ? buffer : new ArrayBuffer(run.outputBytes)
  const startedMs = threadTimeMs()
  let doneBytes = 0
  for (const tile of grid.tilesOf(run)) {
    const into = new Float32Array(own, doneBytes, tile.byteLength / FLOAT_BYTES)
    const before = doneBytes
    await computeTile({ grid, tile, kernelId: call.kernelId }, read, into, (bytes) => onProgress(before + bytes))
    doneBytes += tile.byteLength
  }
  return { buffer: own, byteLength: doneBytes, computeMs: threadTimeMs() - startedMs }
}

/** @returns why a run of tiles is refused, tile by tile, or undefined */
function refusalOf({ call, run, buffer }: CheckTilesRequest, grid: TileGrid, matrices: Matrices): string | undefined {
  const { inner } = grid.plan
  let doneBytes = 0
  let panelOfA: Float32Array | undefined
  for (const tile of grid.tilesOf(run)) {
    panelOfA ??= matrices.readPanel('a', tile, inner)
    const b = matrices.readPanel('b', tile, inner)
    const c = new Float32Array(buffer, doneBytes, tile.byteLength / FLOAT_BYTES)
    const claimed = { a: panelOfA, b, c, m: tile.rows, k: inner, n: tile.columns }
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

/** The hash of a run's input: over the hashes of its operands, in their order. */
function hashOperands(grid: TileGrid, run: TileRun, matrices: Matrices): Uint8Array {
  const hasher = createContentHasher()
  for (const index of grid.operandsOf(run)) {
    const operand = grid.operand(index)
    const elements = scratchOf(operand.matrix, operand.byteLength / FLOAT_BYTES)
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

  /** All of A's rows, or of B's columns, that a tile needs; in scratch. */
  readPanel(matrix: 'a' | 'b', tile: Tile, inner: number): Float32Array {
    const rectangle =
      matrix === 'a'
        ? { row: tile.row, rows: tile.rows, column: 0, columns: inner }
        : { row: 0, rows: inner, column: tile.column, columns: tile.columns }
    const into = scratchOf(matrix, rectangle.rows * rectangle.columns)
    this.read({ matrix, ...rectangle }, into)
    return into
  }

  [Symbol.dispose](): void {
    this.#a.close()
    this.#b.close()
  }
}

function scratchOf(matrix: 'a' | 'b', length: number): Float32Array {
  if (scratch[matrix].length < length) scratch[matrix] = new Float32Array(length)
  return scratch[matrix].subarray(0, length)
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
