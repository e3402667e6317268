import type { MatrixPlan } from './matrix-plan.ts'

/** A rectangle of a matrix, in elements. */
export interface Rectangle {
  readonly row: number
  readonly rows: number
  readonly column: number
  readonly columns: number
}

/** A tile of C with where its bytes lie in the job's output, which holds tile after tile. */
export interface Tile extends Rectangle {
  /** Counts from the top. */
  readonly tileRow: number
  /** Counts from the left. */
  readonly tileColumn: number
  readonly outputOffset: number
  readonly byteLength: number
}

/** A block of A or B: what peers fetch, keep and name by its hash. Row-major without gaps wherever it goes. */
export interface Operand extends Rectangle {
  readonly index: number
  readonly matrix: 'a' | 'b'
  readonly byteLength: number
}

/** A run of bytes of the job's output: whole tiles of one row of tiles, left to right. */
export interface TileRun {
  readonly outputOffset: number
  readonly outputBytes: number
}

const FLOAT_BYTES = 4

/**
 * The geometry of a product. Its output, as chunks see it, is C tile after tile: rows of tiles from the top, tiles of a row
 * from the left, each tile row-major float32. A chunk is a run of whole tiles within one row of tiles.
 *
 * Operands are numbered: first the blocks of A, row of tiles by row of tiles and depth by depth, then the blocks of B,
 * column of tiles by column of tiles and depth by depth.
 */
export class TileGrid {
  readonly plan: MatrixPlan
  /** Rows of tiles. */
  readonly tileRowCount: number
  /** Columns of tiles. */
  readonly tileColumnCount: number
  /** Blocks that the inner dimension is cut into. */
  readonly depthCount: number

  constructor(plan: MatrixPlan) {
    this.plan = plan
    this.tileRowCount = Math.ceil(plan.rows / plan.tileRows)
    this.tileColumnCount = Math.ceil(plan.columns / plan.tileColumns)
    this.depthCount = Math.ceil(plan.inner / plan.depth)
  }

  /** Bytes of C. */
  get outputBytes(): number {
    return this.plan.rows * this.plan.columns * FLOAT_BYTES
  }

  get operandCount(): number {
    return (this.tileRowCount + this.tileColumnCount) * this.depthCount
  }

  /** @throws RangeError when there is no such tile */
  tile(tileRow: number, tileColumn: number): Tile {
    const { columns, tileRows, tileColumns } = this.plan
    if (!inRange(tileRow, this.tileRowCount) || !inRange(tileColumn, this.tileColumnCount)) {
      throw new RangeError(`there is no tile ${tileRow}, ${tileColumn}`)
    }
    const row = tileRow * tileRows
    const column = tileColumn * tileColumns
    const height = Math.min(tileRows, this.plan.rows - row)
    const width = Math.min(tileColumns, columns - column)
    const outputOffset = (row * columns + height * column) * FLOAT_BYTES
    const byteLength = height * width * FLOAT_BYTES
    return { tileRow, tileColumn, row, rows: height, column, columns: width, outputOffset, byteLength }
  }

  /** The tiles of a chunk, left to right. @throws RangeError when it is no run of whole tiles in one row of tiles */
  tilesOf({ outputOffset, outputBytes }: TileRun): readonly Tile[] {
    const first = this.#tileAt(outputOffset)
    const tiles: Tile[] = []
    let doneBytes = 0
    for (let tileColumn = first.tileColumn; doneBytes < outputBytes; tileColumn++) {
      if (tileColumn >= this.tileColumnCount) break
      const tile = this.tile(first.tileRow, tileColumn)
      tiles.push(tile)
      doneBytes += tile.byteLength
    }
    if (doneBytes === outputBytes && outputBytes > 0) return tiles
    throw new RangeError(`${outputBytes} bytes from ${outputOffset} are no run of whole tiles`)
  }

  /** @throws RangeError when there is no such operand */
  operand(index: number): Operand {
    if (!inRange(index, this.operandCount)) throw new RangeError(`there is no operand ${index}`)
    const { rows, inner, columns, tileRows, tileColumns, depth } = this.plan
    const inA = index < this.tileRowCount * this.depthCount
    const position = inA ? index : index - this.tileRowCount * this.depthCount
    const panel = Math.floor(position / this.depthCount)
    const start = (position % this.depthCount) * depth
    const length = Math.min(depth, inner - start)
    const rectangle = inA
      ? { row: panel * tileRows, rows: Math.min(tileRows, rows - panel * tileRows), column: start, columns: length }
      : {
          row: start,
          rows: length,
          column: panel * tileColumns,
          columns: Math.min(tileColumns, columns - panel * tileColumns)
        }
    const byteLength = rectangle.rows * rectangle.columns * FLOAT_BYTES
    return { index, matrix: inA ? 'a' : 'b', ...rectangle, byteLength }
  }

  /** Index of a block of A. */
  operandOfA(tileRow: number, depthIndex: number): number {
    return tileRow * this.depthCount + depthIndex
  }

  /** Index of a block of B. */
  operandOfB(tileColumn: number, depthIndex: number): number {
    return (this.tileRowCount + tileColumn) * this.depthCount + depthIndex
  }

  /** Indexes of what a chunk's kernel reads: the blocks of A by depth, then those of B tile by tile, each by depth. */
  operandsOf(run: TileRun): readonly number[] {
    const tiles = this.tilesOf(run)
    const depths = Array.from({ length: this.depthCount }, (_, depthIndex) => depthIndex)
    const ofA = depths.map((depthIndex) => this.operandOfA(tiles[0]?.tileRow ?? 0, depthIndex))
    const ofB = tiles.flatMap(({ tileColumn }) => depths.map((depthIndex) => this.operandOfB(tileColumn, depthIndex)))
    return [...ofA, ...ofB]
  }

  /** The run whose operands these are. @throws RangeError when there is none */
  runOf(operands: readonly number[]): TileRun {
    const [firstOfA, firstOfB] = [operands[0] ?? -1, operands[this.depthCount] ?? -1]
    const tileRow = Math.floor(firstOfA / this.depthCount)
    const tileColumn = Math.floor(firstOfB / this.depthCount) - this.tileRowCount
    const tileCount = operands.length / this.depthCount - 1
    const { outputOffset } = this.tile(tileRow, tileColumn)
    let outputBytes = 0
    for (let index = 0; index < tileCount; index++) outputBytes += this.tile(tileRow, tileColumn + index).byteLength
    const run = { outputOffset, outputBytes }
    const expected = this.operandsOf(run)
    if (operands.length === expected.length && expected.every((index, at) => index === operands[at])) return run
    throw new RangeError('these are not the operands of a run of tiles')
  }

  /** Bytes of all operands that a chunk's kernel reads. */
  operandBytesOf(run: TileRun): number {
    const tiles = this.tilesOf(run)
    const columns = tiles.reduce((sum, tile) => sum + tile.columns, 0)
    return ((tiles[0]?.rows ?? 0) + columns) * this.plan.inner * FLOAT_BYTES
  }

  #tileAt(outputOffset: number): Tile {
    const { columns, tileRows, tileColumns } = this.plan
    const tileRow = Math.floor(outputOffset / (tileRows * columns * FLOAT_BYTES))
    if (inRange(tileRow, this.tileRowCount)) {
      const { outputOffset: rowStart, rows } = this.tile(tileRow, 0)
      const tileColumn = Math.floor((outputOffset - rowStart) / (rows * tileColumns * FLOAT_BYTES))
      if (inRange(tileColumn, this.tileColumnCount)) {
        const tile = this.tile(tileRow, tileColumn)
        if (tile.outputOffset === outputOffset) return tile
      }
    }
    throw new RangeError(`no tile begins at byte ${outputOffset}`)
  }
}

function inRange(index: number, count: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index < count
}
