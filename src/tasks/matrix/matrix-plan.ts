import { SwarmError } from '../../errors.ts'

/** A product C = A · B and how it is cut; the same for every peer of a job, since it fixes what a chunk is. */
export interface MatrixPlan {
  /** Rows of A and C. */
  readonly rows: number
  /** Columns of A and rows of B. */
  readonly inner: number
  /** Columns of B and C. */
  readonly columns: number
  /** Rows of a tile of C; the last row of tiles may be lower. */
  readonly tileRows: number
  /** Columns of a tile of C; the last column of tiles may be narrower. */
  readonly tileColumns: number
  /** Inner length of an operand block; the last one may be shorter. */
  readonly depth: number
}

/** Largest dimension that a job may have. */
export const DIMENSION_MAX = 2 ** 31 - 1
/** Bytes of A's rows and B's columns that one tile needs, at most: what a thread holds to compute or check it. */
export const TILE_OPERAND_BYTES_MAX = 24 * 1024 * 1024
/** Bytes of one operand block, at most: what peers fetch from each other and keep. */
export const OPERAND_BYTES_MAX = 4 * 1024 * 1024

const FLOAT_BYTES = 4
/** Columns of a tile when nothing asks for fewer: two operand blocks of it fit a second-level cache's reach. */
const TILE_COLUMNS_MAX = 512
/** Rows of a tile: more than columns, since what a check does with B it does once a tile. */
const TILE_ROWS_MAX = 1008
/** Edges and depths are multiples of this, a cache line of elements, unless they are the whole of a matrix or short. */
const EDGE_STEP = 16
const ROUNDED_MIN = 4 * EDGE_STEP
/**
 * Rows of a block that lie a multiple of so many elements apart share few sets of the first-level cache: the fast kernel, which
 * reads A where it lies, is 8 to 15 % slower by it (measured at 2048 and 4096 squared: test/bench/matrix-kernels.ts).
 */
const CONFLICT_DEPTH = 128
/** A shorter inner dimension is not cut for that alone. */
const CONFLICT_INNER_MIN = 2048
const TILE_EDGE_MIN = 64
/** Tiles that a job is cut into at least, as long as they keep {@link TILE_FLOPS_MIN}, so that several peers have work. */
const TILES_MIN = 32
/** Below this a tile costs more to hand out than to compute. */
const TILE_FLOPS_MIN = 2e7
/** For the exact kernel, inner lengths are cut at multiples of this, where it cuts its own blocks: so bits do not depend on it. */
const EXACT_DEPTH_STEP = 512
const PARAMS_VERSION = 1
const PARAMS_BYTES = 1 + 6 * 4

/** What a product is cut for. */
export interface MatrixPlanOptions {
  /** Bytes of a tile of C, at most; as memory allows unless given. */
  readonly tileBytesMax?: number | undefined
  /** For the exact kernel. */
  readonly isExact?: boolean
}

/**
 * Cuts a product: tiles as large as memory and `tileBytesMax` allow, but enough of them for several peers, and all of nearly the
 * same size.
 * @throws SwarmError MATRIX_TOO_LARGE
 */
export function planMatrix(
  { rows, inner, columns }: Pick<MatrixPlan, 'rows' | 'inner' | 'columns'>,
  { tileBytesMax = Number.POSITIVE_INFINITY, isExact = false }: MatrixPlanOptions = {}
): MatrixPlan {
  for (const [name, size] of Object.entries({ rows, inner, columns })) {
    if (Number.isSafeInteger(size) && size >= 1 && size <= DIMENSION_MAX) continue
    throw new SwarmError('MATRIX_TOO_LARGE', `${name} is ${size}, expected a whole number from 1 to ${DIMENSION_MAX}`)
  }
  let tileRows = cutEvenly(rows, TILE_ROWS_MAX)
  let tileColumns = cutEvenly(columns, TILE_COLUMNS_MAX)
  const operandBytes = () => (tileRows + tileColumns) * inner * FLOAT_BYTES
  const isTooDeep = () => operandBytes() > TILE_OPERAND_BYTES_MAX
  const isTooLarge = () => isTooDeep() || tileRows * tileColumns * FLOAT_BYTES > tileBytesMax
  const tiles = () => Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns)
  const halvedFlops = () => tileRows * tileColumns * inner
  const isWorthHalving = () => Math.max(tileRows, tileColumns) > TILE_EDGE_MIN && halvedFlops() >= TILE_FLOPS_MIN
  while (tileRows + tileColumns > 2 && (isTooLarge() || (tiles() < TILES_MIN && isWorthHalving()))) {
    // Columns first: what a check does with B it does once a tile.
    if (tileRows > tileColumns) tileRows = cutEvenly(rows, isTooDeep() ? littleLess(tileRows) : Math.ceil(tileRows / 2))
    else tileColumns = cutEvenly(columns, Math.ceil(tileColumns / 2))
  }
  if (isTooDeep()) throw tooDeep(inner)
  const depthMax = Math.floor(OPERAND_BYTES_MAX / FLOAT_BYTES / Math.max(tileRows, tileColumns))
  const depth = isExact ? exactDepth(inner, depthMax) : fastDepth(inner, depthMax)
  return { rows, inner, columns, tileRows, tileColumns, depth }
}

/** As it travels in adverts and lies in the journal: a version byte and six uint32, little-endian. */
export function encodeMatrixPlan(plan: MatrixPlan): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PARAMS_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, PARAMS_VERSION)
  const { rows, inner, columns, tileRows, tileColumns, depth } = plan
  for (const [index, value] of [rows, inner, columns, tileRows, tileColumns, depth].entries()) {
    view.setUint32(1 + index * 4, value, true)
  }
  return bytes
}

/** Takes untrusted bytes. @throws SwarmError PARAMS_INVALID */
export function parseMatrixPlan(bytes: Uint8Array): MatrixPlan {
  if (bytes.byteLength !== PARAMS_BYTES || bytes[0] !== PARAMS_VERSION) {
    throw invalid(`${bytes.byteLength} bytes of version ${bytes[0]}, expected ${PARAMS_BYTES} of ${PARAMS_VERSION}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const field = (index: number) => view.getUint32(1 + index * 4, true)
  const plan: MatrixPlan = {
    rows: field(0),
    inner: field(1),
    columns: field(2),
    tileRows: field(3),
    tileColumns: field(4),
    depth: field(5)
  }
  checkPlan(plan)
  return plan
}

function checkPlan({ rows, inner, columns, tileRows, tileColumns, depth }: MatrixPlan): void {
  const bounds = [
    ['rows', rows, DIMENSION_MAX],
    ['inner', inner, DIMENSION_MAX],
    ['columns', columns, DIMENSION_MAX],
    ['tileRows', tileRows, rows],
    ['tileColumns', tileColumns, columns],
    ['depth', depth, inner]
  ] as const
  for (const [name, size, max] of bounds) {
    if (size < 1 || size > max) throw invalid(`${name} is ${size}, expected 1 to ${max}`)
  }
  const blockBytes = Math.max(tileRows, tileColumns) * depth * FLOAT_BYTES
  if (blockBytes > OPERAND_BYTES_MAX) throw invalid(`an operand block has ${blockBytes} bytes`)
  const operandBytes = (tileRows + tileColumns) * inner * FLOAT_BYTES
  if (operandBytes > TILE_OPERAND_BYTES_MAX) throw invalid(`a tile needs ${operandBytes} bytes of operands`)
}

/**
 * @returns the length of parts of `size` that are nearly even, about `most` or less (rounding may add up to {@link EDGE_STEP}), and
 *   even in number, so that two or four peers find as much to do each
 */
function cutEvenly(size: number, most: number): number {
  if (size <= most) return size
  const part = Math.ceil(size / (2 * Math.ceil(size / most / 2)))
  return part < ROUNDED_MIN ? part : roundUp(part)
}

/** The next lower edge: for the check, higher tiles are cheaper. */
function littleLess(tileRows: number): number {
  return tileRows > ROUNDED_MIN ? tileRows - EDGE_STEP : Math.ceil(tileRows / 2)
}

/** Nearly even parts whose rows do not lie in each other's way in the cache. */
function fastDepth(inner: number, most: number): number {
  const conflicts = (depth: number): boolean => depth % CONFLICT_DEPTH === 0
  const isKept = inner < CONFLICT_INNER_MIN || !conflicts(inner)
  if (inner <= most && isKept) return inner
  for (let count = Math.max(2, Math.ceil(inner / most)); ; count++) {
    const even = roundUp(Math.ceil(inner / count))
    const depth = conflicts(even) ? even + EDGE_STEP : even
    if (depth <= most) return depth
  }
}

function exactDepth(inner: number, most: number): number {
  if (inner <= most) return inner
  return most < EXACT_DEPTH_STEP ? most : most - (most % EXACT_DEPTH_STEP)
}

function roundUp(size: number): number {
  return Math.ceil(size / EDGE_STEP) * EDGE_STEP
}

function tooDeep(inner: number): SwarmError {
  const most = Math.floor(TILE_OPERAND_BYTES_MAX / FLOAT_BYTES / 2)
  return new SwarmError(
    'MATRIX_TOO_LARGE',
    `an inner dimension of ${inner} is too long: one row of A and one column of B must fit memory, which ${most} do. ` +
      'Split A by columns and B by rows, and add the products'
  )
}

function invalid(problem: string): SwarmError {
  return new SwarmError('PARAMS_INVALID', `the parameters of a matrix job are wrong: ${problem}`)
}
