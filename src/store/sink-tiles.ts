import type { MatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { encodeNpyHeader } from '../tasks/matrix/npy-header.ts'
import { type NpyRun, npyRuns } from '../tasks/matrix/npy-layout.ts'
import { type Tile, TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { FilePart, SinkFile } from './sink-file.ts'
import type { PlacedFile, Placement } from './sink-placement.ts'

/** Bytes that are joined for one write at most; within a second-level cache. */
const GATHER_BYTES = 256 * 1024
/** Bytes that are read back at a time. */
const BLOCK_BYTES = 1024 * 1024
const FLOAT_BYTES = 4

/**
 * C of a product as a C-order float32 .npy file: chunks hold tile after tile, the file row after row. The rows of tiles that
 * are neighbours go out in one write (measured beside vectored writes and found as quick; those cannot join whole rows).
 */
export class TilePlacement implements Placement {
  readonly header: Uint8Array
  readonly #grid: TileGrid
  #gather: Uint8Array | undefined

  /** @throws RangeError for a C of 2⁵³ bytes or more */
  constructor(plan: MatrixPlan) {
    this.header = encodeNpyHeader(plan.rows, plan.columns)
    this.#grid = new TileGrid(plan)
  }

  fileEnd(outputOffset: number, byteLength: number): number {
    const last = this.#grid.tilesOf({ outputOffset, outputBytes: byteLength }).at(-1)
    return last === undefined ? 0 : this.#position(last.row + last.rows - 1, last.column + last.columns)
  }

  async write(file: SinkFile, outputOffset: number, bytes: Uint8Array): Promise<void> {
    const tiles = this.#grid.tilesOf({ outputOffset, outputBytes: bytes.byteLength })
    const [only] = tiles
    const isOne = tiles.length === 1 && only !== undefined
    await file.writeParts(isOne ? this.#rowsOf(only, bytes) : this.#joinedRowsOf(tiles, bytes))
  }

  readBlocks(file: PlacedFile, outputOffset: number, byteLength: number, use: (block: Uint8Array) => void): boolean {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, byteLength))
    let filledBytes = 0
    for (const tile of this.#grid.tilesOf({ outputOffset, outputBytes: byteLength })) {
      for (const run of this.#runsOf(tile)) {
        for (let done = 0; done < run.byteLength; ) {
          const part = block.subarray(filledBytes, filledBytes + run.byteLength - done)
          if (!file.read(part, run.fileOffset + done)) return false
          done += part.byteLength
          filledBytes += part.byteLength
          if (filledBytes < block.byteLength) continue
          use(block)
          filledBytes = 0
        }
      }
    }
    if (filledBytes > 0) use(block.subarray(0, filledBytes))
    return true
  }

  *#rowsOf(tile: Tile, bytes: Uint8Array): Generator<FilePart> {
    for (const { blockOffset, byteLength, fileOffset } of this.#runsOf(tile)) {
      yield { bytes: bytes.subarray(blockOffset, blockOffset + byteLength), position: fileOffset }
    }
  }

  /** Neighbours' rows joined where they touch in the file. A part is good until the next one. */
  *#joinedRowsOf(tiles: readonly Tile[], bytes: Uint8Array): Generator<FilePart> {
    this.#gather ??= new Uint8Array(GATHER_BYTES)
    const gather = this.#gather
    const chunkStart = tiles[0]?.outputOffset ?? 0
    let start = 0
    let filledBytes = 0
    for (let row = 0; row < (tiles[0]?.rows ?? 0); row++) {
      for (const tile of tiles) {
        const rowBytes = tile.columns * FLOAT_BYTES
        const offset = tile.outputOffset - chunkStart + row * rowBytes
        const part = {
          bytes: bytes.subarray(offset, offset + rowBytes),
          position: this.#position(tile.row + row, tile.column)
        }
        if (filledBytes > 0 && (start + filledBytes !== part.position || filledBytes + rowBytes > GATHER_BYTES)) {
          yield { bytes: gather.subarray(0, filledBytes), position: start }
          filledBytes = 0
        }
        if (rowBytes > GATHER_BYTES) {
          yield part
          continue
        }
        if (filledBytes === 0) start = part.position
        gather.set(part.bytes, filledBytes)
        filledBytes += rowBytes
      }
    }
    if (filledBytes > 0) yield { bytes: gather.subarray(0, filledBytes), position: start }
  }

  #runsOf({ column, columns, row, rows }: Tile): Generator<NpyRun> {
    const { plan } = this.#grid
    const places = {
      dtype: 'float32',
      rows: plan.rows,
      cols: plan.columns,
      dataOffset: this.header.byteLength
    } as const
    return npyRuns(places, { rowStart: row, rows, colStart: column, cols: columns })
  }

  #position(row: number, column: number): number {
    return this.header.byteLength + (row * this.#grid.plan.columns + column) * FLOAT_BYTES
  }
}
