import { type NpyHeader, npyItemBytes } from './npy-header.ts'

/** Most bytes of a run or a read that goes straight into the caller's memory. */
const RUN_BYTES_MAX = 16 * 1024 * 1024
/**
 * Bytes that are read over, or moved from scratch memory, in less time than another call takes (measured from the page
 * cache: 2 µs a call; with 16 KiB instead, C order took twice as long).
 */
const CALL_COST_BYTES = 4 * 1024
/** Lanes that are turned together, so that both sides of the turn use whole cache lines. */
const TURN_LANES = 16

/** Smallest scratch memory of {@link npyPieces}: one element of each lane that is turned. */
export const NPY_SCRATCH_BYTES_MIN = TURN_LANES * 8

/** A rectangle of a matrix, in elements. */
export interface NpyBlock {
  readonly rowStart: number
  /** At least 1. */
  readonly rows: number
  readonly colStart: number
  /** At least 1. */
  readonly cols: number
}

/** What places elements in a file. */
export type NpyPlaces = Pick<NpyHeader, 'dtype' | 'fortranOrder' | 'rows' | 'cols' | 'dataOffset'>

/** Bytes that lie contiguously both in a C-order file and in a row-major block. */
export interface NpyRun {
  readonly fileOffset: number
  /** Bytes from the block's first element. */
  readonly blockOffset: number
  /** At most 16 MiB. */
  readonly byteLength: number
}

/** What is read into scratch memory before it is brought into order. Lanes are rows in C order, columns in Fortran order. */
export interface NpyPiece {
  /** First lane, counted in the block. */
  readonly laneStart: number
  readonly laneCount: number
  /** First element of each lane, counted in the block. */
  readonly elementStart: number
  readonly elementCount: number
  /** Elements from one lane's first to the next one's, in scratch memory. */
  readonly laneStride: number
  /** Of the first read. */
  readonly fileOffset: number
  readonly readCount: number
  /** Bytes of each read; in scratch memory they lie one behind the other. */
  readonly readBytes: number
  /** Bytes in the file from one read's start to the next one's. */
  readonly readStep: number
}

/**
 * Refuses a block outside of the matrix, and memory of another size.
 * @param sampleCount elements of the caller's memory, which has to be [rows × cols] of the block
 * @throws RangeError
 */
export function checkNpyBlock(matrix: Pick<NpyHeader, 'rows' | 'cols'>, block: NpyBlock, sampleCount: number): void {
  const { colStart, cols, rowStart, rows } = block
  if (!isWithin(rowStart, rows, matrix.rows) || !isWithin(colStart, cols, matrix.cols)) {
    const found = `rows ${rowStart} + ${rows} and columns ${colStart} + ${cols}`
    throw new RangeError(`expected a block within ${matrix.rows} by ${matrix.cols}, not ${found}`)
  }
  if (sampleCount === rows * cols) return
  throw new RangeError(`a block of ${rows} by ${cols} has ${rows * cols} elements, not ${sampleCount}`)
}

/** Whether whole runs of the file can go straight into the block: C order, no conversion, and runs that are worth a call each. */
export function isStraight(places: NpyPlaces, block: NpyBlock): boolean {
  if (places.fortranOrder || places.dtype !== 'float32') return false
  const { gapBytes, itemBytes, laneCount, laneLength } = lanesOf(places, block)
  return laneCount === 1 || gapBytes > CALL_COST_BYTES || laneLength * itemBytes > CALL_COST_BYTES
}

/** Runs of a block in a C-order matrix, in the order of the file. */
export function* npyRuns(places: Omit<NpyPlaces, 'fortranOrder'>, block: NpyBlock): Generator<NpyRun> {
  const { first, itemBytes, laneCount, laneLength, stride } = lanesOf({ ...places, fortranOrder: false }, block)
  const laneBytes = laneLength * itemBytes
  for (let lane = 0; lane < laneCount; lane++) {
    for (let done = 0; done < laneBytes; done += RUN_BYTES_MAX) {
      yield {
        fileOffset: first + lane * stride * itemBytes + done,
        blockOffset: lane * laneBytes + done,
        byteLength: Math.min(RUN_BYTES_MAX, laneBytes - done)
      }
    }
  }
}

/**
 * Pieces that make a block of any order, each within `scratchBytes`. Lanes with little between them are read in one go,
 * others one by one.
 * @param scratchBytes at least {@link NPY_SCRATCH_BYTES_MIN}
 */
export function* npyPieces(places: NpyPlaces, block: NpyBlock, scratchBytes: number): Generator<NpyPiece> {
  const lanes = lanesOf(places, block)
  const { itemBytes, laneCount, laneLength, stride } = lanes
  const room = Math.floor(scratchBytes / itemBytes)
  const together = places.fortranOrder ? Math.min(TURN_LANES, laneCount) : 1
  const spanned = laneLength > room ? 0 : Math.min(laneCount, Math.floor((room - laneLength) / stride) + 1)
  const spans = lanes.gapBytes <= CALL_COST_BYTES && spanned >= together
  const elementsMost = spans ? laneLength : Math.min(laneLength, Math.floor(room / together))
  const lanesMost = spans ? spanned : Math.min(laneCount, Math.floor(room / elementsMost))
  for (let laneStart = 0; laneStart < laneCount; laneStart += lanesMost) {
    const count = Math.min(lanesMost, laneCount - laneStart)
    for (let elementStart = 0; elementStart < laneLength; elementStart += elementsMost) {
      const elementCount = Math.min(elementsMost, laneLength - elementStart)
      const fileOffset = lanes.first + (laneStart * stride + elementStart) * itemBytes
      const reads = spans
        ? { laneStride: stride, readCount: 1, readBytes: ((count - 1) * stride + elementCount) * itemBytes }
        : { laneStride: elementCount, readCount: count, readBytes: elementCount * itemBytes }
      yield {
        laneStart,
        laneCount: count,
        elementStart,
        elementCount,
        fileOffset,
        readStep: stride * itemBytes,
        ...reads
      }
    }
  }
}

/** Rows or columns of a block as they lie in the file; `first` in bytes, the others in elements. */
function lanesOf(places: NpyPlaces, block: NpyBlock) {
  const { dataOffset, fortranOrder } = places
  const itemBytes = npyItemBytes(places.dtype)
  const stride = fortranOrder ? places.rows : places.cols
  const [laneFrom, elementFrom] = fortranOrder ? [block.colStart, block.rowStart] : [block.rowStart, block.colStart]
  const [laneCount, laneLength] = fortranOrder ? [block.cols, block.rows] : [block.rows, block.cols]
  const first = dataOffset + (laneFrom * stride + elementFrom) * itemBytes
  // Whole rows are one long row; whole columns still have to be turned.
  if (!fortranOrder && laneLength === stride) {
    return {
      first,
      gapBytes: 0,
      itemBytes,
      laneCount: 1,
      laneLength: laneCount * laneLength,
      stride: laneCount * stride
    }
  }
  return { first, gapBytes: (stride - laneLength) * itemBytes, itemBytes, laneCount, laneLength, stride }
}

function isWithin(start: number, count: number, extent: number): boolean {
  return (
    Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 && count > 0 && start + count <= extent
  )
}
