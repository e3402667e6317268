import { SwarmError } from '../errors.ts'
import { TILE_OPERAND_BYTES_MAX } from '../tasks/matrix/matrix-plan.ts'
import type { TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { Cutter, CutWish } from './chunk-cutter.ts'
import type { PeerName } from './ids.ts'
import type { Chunk } from './job.ts'
import type { OperandHolders } from './operand-holders.ts'

/** Rows of tiles that are looked at for one cut, so that a claim takes microseconds however large C is. */
const ROWS_LOOK_MAX = 64

/** Tiles of one chunk, at most. */
export const RUN_TILES_MAX = 8

/** How good a tile is for a peer; lower is better, field by field. */
interface Score {
  /** Panels (rows of A, columns of B) that the peer would have to fetch: 0, 1 or 2. */
  readonly missing: number
  /** Holders of those panels: rare ones spread first. */
  readonly spread: number
  /** Free tiles that the peer could do next without fetching anything more; more is better. */
  readonly unlocked: number
}

/** A row panel of A or a column panel of B, as one peer sees it. */
interface Panel {
  readonly held: boolean
  readonly holders: number
}

interface Candidate extends Score {
  readonly tileRow: number
  readonly tileColumn: number
}

/**
 * Cuts a product into runs of tiles, for each peer where it holds the operands already: first tiles for which it has both
 * panels, then those that need one more and open most further tiles, and among these the panels that fewest peers hold.
 * So the tiles of a peer grow as a square, and what it fetches with the root of their number.
 *
 * Owns which tiles are cut; driven by the lease table.
 */
export class TileCutter implements Cutter {
  readonly inOrder = false
  readonly #grid: TileGrid
  readonly #holders: OperandHolders
  /** One byte a tile, 1 when it is cut; row of tiles by row of tiles. */
  readonly #isCut: Uint8Array
  /** Free tiles of each row of tiles. */
  readonly #freeInRow: Uint32Array
  /** …and of each column of tiles. */
  readonly #freeInColumn: Uint32Array
  #chunkCount = 0
  #cutBytes = 0
  /** Rows of tiles before this one have no free tile. */
  #firstRow = 0
  /** Columns of tiles before this one have no free tile. */
  #firstColumn = 0

  /** @throws SwarmError JOURNAL_CORRUPT when `cut` does not lie on the grid */
  constructor(grid: TileGrid, holders: OperandHolders, cut: readonly Chunk[] = []) {
    this.#grid = grid
    this.#holders = holders
    this.#isCut = new Uint8Array(grid.tileRowCount * grid.tileColumnCount)
    this.#freeInRow = new Uint32Array(grid.tileRowCount).fill(grid.tileColumnCount)
    this.#freeInColumn = new Uint32Array(grid.tileColumnCount).fill(grid.tileRowCount)
    for (const chunk of cut) this.#readmit(chunk)
  }

  get cutBytes(): number {
    return this.#cutBytes
  }

  get remainingBytes(): number {
    return this.#grid.outputBytes - this.#cutBytes
  }

  next({ byteLength, peer }: CutWish): Chunk | undefined {
    if (this.remainingBytes === 0) return undefined
    const start = peer === undefined ? this.#firstFree() : this.#choose(peer)
    const { outputOffset } = this.#grid.tile(start.tileRow, start.tileColumn)
    let outputBytes = 0
    const end = Math.min(start.tileColumn + RUN_TILES_MAX, this.#grid.tileColumnCount)
    for (let tileColumn = start.tileColumn; tileColumn < end; tileColumn++) {
      if (this.#cutAt(start.tileRow, tileColumn)) break
      const longer = outputBytes + this.#grid.tile(start.tileRow, tileColumn).byteLength
      const isFirst = outputBytes === 0
      const operandBytes = isFirst ? 0 : this.#grid.operandBytesOf({ outputOffset, outputBytes: longer })
      if (!isFirst && (longer > byteLength || operandBytes > TILE_OPERAND_BYTES_MAX)) break
      outputBytes = longer
    }
    const output = { outputOffset, outputBytes }
    return { chunkIndex: this.#chunkCount, inputOffset: outputOffset, inputBytes: outputBytes, ...output }
  }

  take(chunk: Chunk): void {
    for (const { tileRow, tileColumn } of this.#grid.tilesOf(chunk)) {
      this.#isCut[tileRow * this.#grid.tileColumnCount + tileColumn] = 1
      this.#freeInRow[tileRow] = at(this.#freeInRow, tileRow) - 1
      this.#freeInColumn[tileColumn] = at(this.#freeInColumn, tileColumn) - 1
    }
    this.#chunkCount++
    this.#cutBytes += chunk.outputBytes
    while (this.#firstRow < this.#grid.tileRowCount && at(this.#freeInRow, this.#firstRow) === 0) this.#firstRow++
  }

  /** What its kernel reads and what it gives. */
  footprint(chunk: Chunk): number {
    return this.#grid.operandBytesOf(chunk) + chunk.outputBytes
  }

  /**
   * Column by column, down and up: a column of B lies scattered in its file and is read at a fifth of the speed of rows, so
   * it is used for all rows of A while it is here.
   */
  #firstFree(): { tileRow: number; tileColumn: number } {
    const { tileRowCount } = this.#grid
    let tileColumn = this.#firstColumn
    while (at(this.#freeInColumn, tileColumn) === 0) tileColumn++
    this.#firstColumn = tileColumn
    const isUp = tileColumn % 2 === 1
    let step = 0
    while (this.#cutAt(isUp ? tileRowCount - 1 - step : step, tileColumn)) step++
    return { tileRow: isUp ? tileRowCount - 1 - step : step, tileColumn }
  }

  #choose(peer: PeerName): Candidate {
    const rows = this.#freeRows(peer)
    const heldRows = rows.filter(({ held }) => held)
    const columns = Array.from({ length: this.#grid.tileColumnCount }, (_, tileColumn) => {
      return { tileColumn, ...this.#panel(this.#grid.operandOfB(tileColumn, 0), peer) }
    })
    const heldColumns = columns.filter(({ held }) => held)
    let best: Candidate | undefined
    for (const row of rows) {
      const { tileRow } = row
      const freeInRow = heldColumns.filter(({ tileColumn }) => !this.#cutAt(tileRow, tileColumn)).length
      for (const column of columns) {
        const { tileColumn } = column
        if (this.#cutAt(tileRow, tileColumn)) continue
        const missing = Number(!row.held) + Number(!column.held)
        if (best !== undefined && missing > best.missing) continue
        const freeInColumn = heldRows.filter((other) => !this.#cutAt(other.tileRow, tileColumn)).length
        const candidate: Candidate = {
          tileRow,
          tileColumn,
          missing,
          spread: (row.held ? 0 : row.holders) + (column.held ? 0 : column.holders),
          unlocked: (row.held ? 0 : freeInRow) + (column.held ? 0 : freeInColumn)
        }
        if (missing === 0) return candidate
        if (best === undefined || compare(candidate, best) < 0) best = candidate
      }
    }
    if (best === undefined) throw new Error('there are free tiles, but none was found')
    return best
  }

  /** Rows with free tiles, as many as one look takes: those that the peer holds, then those that fewest peers hold. */
  #freeRows(peer: PeerName): readonly (Panel & { readonly tileRow: number })[] {
    const rows: (Panel & { readonly tileRow: number })[] = []
    for (let tileRow = this.#firstRow; tileRow < this.#grid.tileRowCount; tileRow++) {
      if (at(this.#freeInRow, tileRow) === 0) continue
      rows.push({ tileRow, ...this.#panel(this.#grid.operandOfA(tileRow, 0), peer) })
    }
    rows.sort((a, b) => Number(b.held) - Number(a.held) || a.holders - b.holders || a.tileRow - b.tileRow)
    return rows.slice(0, ROWS_LOOK_MAX)
  }

  /** A panel is known by its first block: the others are fetched with it. */
  #panel(operand: number, peer: PeerName): Panel {
    return { held: this.#holders.has(operand, peer), holders: this.#holders.count(operand) }
  }

  #cutAt(tileRow: number, tileColumn: number): boolean {
    return this.#isCut[tileRow * this.#grid.tileColumnCount + tileColumn] === 1
  }

  #readmit(chunk: Chunk): void {
    const { chunkIndex, inputBytes, inputOffset, outputBytes, outputOffset } = chunk
    const isSame = inputOffset === outputOffset && inputBytes === outputBytes && chunkIndex === this.#chunkCount
    if (!isSame || !this.#isFree(chunk)) {
      const message = `chunk ${chunkIndex} of the journal does not lie on the job's tiles; start the job anew`
      throw new SwarmError('JOURNAL_CORRUPT', message)
    }
    this.take(chunk)
  }

  #isFree(chunk: Chunk): boolean {
    try {
      return this.#grid.tilesOf(chunk).every(({ tileRow, tileColumn }) => !this.#cutAt(tileRow, tileColumn))
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }
}

function compare(left: Score, right: Score): number {
  return left.missing - right.missing || left.spread - right.spread || right.unlocked - left.unlocked
}

function at(counts: Uint32Array, index: number): number {
  return counts[index] ?? 0
}
