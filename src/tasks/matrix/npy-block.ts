import type { NpyHeader } from './npy-header.ts'
import {
  checkNpyBlock,
  isStraight,
  NPY_SCRATCH_BYTES_MIN,
  type NpyBlock,
  type NpyPiece,
  npyPieces,
  npyRuns
} from './npy-layout.ts'

/** Scratch memory of a reader. With it, reading takes this much beside the caller's own memory, whatever the file's size. */
export const NPY_SCRATCH_BYTES = 1024 * 1024

/** Fills `bytes` from a file. Throws when the file does not have them all. */
export type ReadAt = (bytes: Uint8Array, fileOffset: number) => void

/** What was noticed while a block was read. */
export interface NpyBlockRead {
  /** Finite float64 elements that float32 cannot hold, and that became infinite. 0 for a float32 file. */
  readonly overflowCount: number
}

/**
 * Reads a rectangle of a matrix, of either order and type. float64 is rounded to the nearest float32; float32 keeps its
 * bits, also those of NaNs.
 * @param into [rows × cols] of the block, row-major f32
 * @param scratch at least {@link NPY_SCRATCH_BYTES_MIN} bytes; nothing of it is kept
 * @throws RangeError when the block is not within the matrix or `into` has another size; what `readAt` throws
 */
export function readNpyBlock(
  header: NpyHeader,
  block: NpyBlock,
  into: Float32Array,
  readAt: ReadAt,
  scratch: ArrayBuffer = new ArrayBuffer(NPY_SCRATCH_BYTES)
): NpyBlockRead {
  checkNpyBlock(header, block, into.length)
  if (isStraight(header, block)) {
    for (const { blockOffset, byteLength, fileOffset } of npyRuns(header, block)) {
      readAt(new Uint8Array(into.buffer, into.byteOffset + blockOffset, byteLength), fileOffset)
    }
    return { overflowCount: 0 }
  }
  if (scratch.byteLength < NPY_SCRATCH_BYTES_MIN) {
    throw new RangeError(
      `expected at least ${NPY_SCRATCH_BYTES_MIN} bytes of scratch memory, not ${scratch.byteLength}`
    )
  }
  let overflowCount = 0
  for (const piece of npyPieces(header, block, scratch.byteLength)) {
    for (let read = 0; read < piece.readCount; read++) {
      readAt(new Uint8Array(scratch, read * piece.readBytes, piece.readBytes), piece.fileOffset + read * piece.readStep)
    }
    const walk = walkOf(piece, header.fortranOrder, block.cols)
    if (header.dtype === 'float32') place(walk, scratch, into)
    else overflowCount += convert(walk, scratch, into)
  }
  return { overflowCount }
}

/** How a piece is carried over, row by row of the block, so that each row is written in one go. All in elements. */
interface Walk {
  readonly rowCount: number
  readonly colCount: number
  /** Steps in scratch memory. */
  readonly fromRow: number
  readonly fromCol: number
  /** Where the block's memory takes the first one, and its step from row to row. */
  readonly toStart: number
  readonly toRow: number
}

function walkOf(piece: NpyPiece, fortranOrder: boolean, blockCols: number): Walk {
  const { elementCount, elementStart, laneCount, laneStart, laneStride } = piece
  return fortranOrder
    ? {
        rowCount: elementCount,
        colCount: laneCount,
        fromRow: 1,
        fromCol: laneStride,
        toStart: elementStart * blockCols + laneStart,
        toRow: blockCols
      }
    : {
        rowCount: laneCount,
        colCount: elementCount,
        fromRow: laneStride,
        fromCol: 1,
        toStart: laneStart * blockCols + elementStart,
        toRow: blockCols
      }
}

/** Moves integers: a Float32Array may quieten signalling NaNs. */
function place(walk: Walk, scratch: ArrayBuffer, into: Float32Array): void {
  const { colCount, fromCol, fromRow, rowCount, toRow, toStart } = walk
  const from = new Uint32Array(scratch, 0, scratch.byteLength >> 2)
  const to = new Uint32Array(into.buffer, into.byteOffset, into.length)
  for (let row = 0; row < rowCount; row++) {
    const start = toStart + row * toRow
    for (let col = 0; col < colCount; col++) to[start + col] = from[row * fromRow + col * fromCol] as number
  }
}

/** @returns how many became infinite */
function convert(walk: Walk, scratch: ArrayBuffer, into: Float32Array): number {
  const { colCount, fromCol, fromRow, rowCount, toRow, toStart } = walk
  const from = new Float64Array(scratch, 0, scratch.byteLength >> 3)
  let overflowCount = 0
  for (let row = 0; row < rowCount; row++) {
    const start = toStart + row * toRow
    for (let col = 0; col < colCount; col++) {
      const value = from[row * fromRow + col * fromCol] as number
      const rounded = Math.fround(value)
      if (rounded !== value && Math.abs(rounded) === Infinity) overflowCount += 1
      into[start + col] = rounded
    }
  }
  return overflowCount
}
