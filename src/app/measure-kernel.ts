import { contentHash } from '../content-hash.ts'
import { partsByteLength } from '../domain/chunk-parts.ts'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool, MatrixFiles, TileCall } from '../domain/compute.ts'
import type { AudioSource } from '../domain/job.ts'
import type { KernelMeasure } from '../store/measure-store.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { type Tile, TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { JobShape } from './shaped-job.ts'

/** Longest that a kernel is measured, in ms. */
export const KERNEL_MEASURE_MS_MAX = 3_000
/** Rounds after the cold one, of which the best counts: these at least, */
const ROUNDS_MIN = 2
/** and more of them, since others use the machine too, */
const ROUNDS_MAX = 6
/** as long as they have not taken this long, in ms. */
const ROUNDS_MS = 200
/** Bytes of a range that one thread is given; a block of a kernel that runs at memory speed. */
const RANGE_BYTES = 1024 * 1024
const HASH_BYTES = 32

/** One piece of the job on one thread. */
interface Piece {
  readonly bytes: number
  run(): Promise<unknown>
}

/**
 * Runs a little of the job itself on all kernel threads at once, so that memory bandwidth and shared cores count: cold
 * once, then warm, of which the best counts. What is computed is thrown away.
 *
 * @throws SwarmError INPUT_UNREADABLE, KERNEL_FAILED; the signal's reason
 */
export async function measureKernel(
  shape: JobShape,
  inputPath: string,
  compute: ComputePool,
  { clock, signal }: { clock: Clock; signal: AbortSignal }
): Promise<KernelMeasure> {
  const { audio, operands } = shape
  if (audio !== undefined) {
    const pieces = await segmentPieces(shape, audio, compute, signal)
    return { ...(await timeRounds(pieces, clock)), checkNsPerByte: 0 }
  }
  if (operands === undefined) {
    const pieces = rangePieces(shape, inputPath, compute, signal)
    return { ...(await timeRounds(pieces, clock)), checkNsPerByte: 0 }
  }
  const call = { kernelId: shape.kernelId, params: shape.params }
  const product: Product = { call, files: { a: operands.a.path, b: operands.b.path }, compute, signal }
  const tiles = await Promise.all(someTiles(shape.params, compute.threads).map((tile) => loadTile(tile, product)))
  const kernel = await timeRounds(
    tiles.map((tile) => ({ bytes: tile.run.outputBytes, run: () => computeTile(tile, product) })),
    clock
  )
  const [first] = tiles
  return { ...kernel, checkNsPerByte: first === undefined ? 0 : await timeCheck(first, product, clock) }
}

async function timeRounds(
  pieces: readonly Piece[],
  clock: Clock
): Promise<Pick<KernelMeasure, 'nsPerByte' | 'startMs'>> {
  const round = async () => {
    const startedMs = clock.nowMs()
    await Promise.all(pieces.map((piece) => piece.run()))
    return clock.nowMs() - startedMs
  }
  const coldMs = await round()
  let bestMs = coldMs
  const warmMs = clock.nowMs()
  for (let count = 0; count < ROUNDS_MAX; count++) {
    if (count >= ROUNDS_MIN && clock.nowMs() - warmMs >= ROUNDS_MS) break
    bestMs = Math.min(bestMs, await round())
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  return { nsPerByte: (bestMs * 1e6 * pieces.length) / bytes, startMs: coldMs - bestMs }
}

function rangePieces(shape: JobShape, path: string, compute: ComputePool, signal: AbortSignal): Piece[] {
  const { inputBytes, kind, params } = shape
  const sampleBytes = kind.takes === 'ranges' ? kind.sampleBytes : 1
  const call = { kind: kind.kind, params, reverse: false }
  const each = Math.min(RANGE_BYTES, inputBytes / compute.threads)
  const byteLength = Math.max(sampleBytes, Math.floor(each / sampleBytes) * sampleBytes)
  const count = Math.max(1, Math.min(compute.threads, Math.floor(inputBytes / byteLength)))
  return Array.from({ length: count }, (_, index) => {
    // One for all rounds: the buffers of a running job are used again too.
    let buffer = new ArrayBuffer(byteLength)
    const run = async () => {
      const input = [{ path, offset: index * byteLength, byteLength }]
      const done = await compute.runLocal({ call, input, buffer }, { signal })
      buffer = done.buffer
    }
    return { bytes: byteLength, run }
  })
}

/** Segments of the first pass, which is where the work is, from the middle of the file. */
async function segmentPieces(
  { kind, params }: JobShape,
  audio: AudioSource,
  compute: ComputePool,
  signal: AbortSignal
): Promise<Piece[]> {
  const [{ firstPassParts }, { segmentJob }] = await Promise.all([
    import('../submitter/segment-passes.ts'),
    import('../tasks/wav/segment-jobs.ts')
  ])
  const job = segmentJob(kind.kind, params)
  const call = { kind: kind.kind, params, reverse: false }
  const segmentCount = job.grid.segmentCount(0)
  const count = Math.min(compute.threads, segmentCount)
  const first = Math.floor((segmentCount - count) / 2)
  return Array.from({ length: count }, (_, index) => {
    const { audioBytes, reportBytes } = job.grid.segment(0, first + index)
    const input = firstPassParts(job, { first: first + index, count: 1 }, audio)
    let buffer = new ArrayBuffer(Math.max(partsByteLength(input), audioBytes + reportBytes))
    const run = async () => {
      buffer = (await compute.runLocal({ call, input, buffer }, { signal })).buffer
    }
    return { bytes: audioBytes + reportBytes, run }
  })
}

/** Tiles for all threads, which do not share their operands where the grid has enough of them. */
function someTiles(params: Uint8Array, threads: number): Tile[] {
  const grid = new TileGrid(parseMatrixPlan(params))
  const { tileRowCount: rows, tileColumnCount: columns } = grid
  return Array.from({ length: Math.min(threads, rows * columns) }, (_, index) => {
    return rows >= columns
      ? grid.tile(index % rows, Math.floor(index / rows))
      : grid.tile(Math.floor(index / columns), index % columns)
  })
}

interface Product {
  readonly call: TileCall
  readonly files: MatrixFiles
  readonly compute: ComputePool
  readonly signal: AbortSignal
}

/** A tile with its operands in memory, as they are in a running job. */
interface LoadedTile {
  readonly run: { readonly outputOffset: number; readonly outputBytes: number }
  readonly operands: readonly { readonly buffer: SharedArrayBuffer; readonly byteLength: number }[]
}

async function loadTile(tile: Tile, { call, files, compute, signal }: Product): Promise<LoadedTile> {
  const grid = new TileGrid(parseMatrixPlan(call.params))
  const run = { outputOffset: tile.outputOffset, outputBytes: tile.byteLength }
  const operands = grid.operandsOf(run).map((index) => {
    const { byteLength } = grid.operand(index)
    return { index, byteLength, buffer: new SharedArrayBuffer(byteLength), hashes: false }
  })
  await compute.readOperands({ files, params: call.params, operands }, { signal })
  return { run, operands: operands.map(({ byteLength, buffer }) => ({ byteLength, buffer })) }
}

function computeTile({ run, operands }: LoadedTile, { call, compute, signal }: Product) {
  const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const buffer = new ArrayBuffer(run.outputBytes)
  return compute.runTiles({ call, run, operands, buffer, progress, hashes: false }, { signal })
}

/** The better of two checks: the first one's code is cold. */
async function timeCheck(tile: LoadedTile, product: Product, clock: Clock): Promise<number> {
  const { run, operands } = tile
  const { call, files, compute, signal } = product
  let { buffer } = await computeTile(tile, product)
  const outputHash = contentHash(new Uint8Array(buffer, 0, run.outputBytes))
  let bestMs = Number.POSITIVE_INFINITY
  for (let count = 0; count < ROUNDS_MIN; count++) {
    const startedMs = clock.nowMs()
    // The hash of the input is only looked at when the result is refused.
    const claim = { inputHash: new Uint8Array(HASH_BYTES), outputHash, buffer }
    const checked = await compute.checkTiles({ call, files, run, operands, ...claim }, { signal })
    bestMs = Math.min(bestMs, clock.nowMs() - startedMs)
    buffer = checked.buffer
  }
  return (bestMs * 1e6) / run.outputBytes
}
