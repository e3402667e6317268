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
/** Edge of a tile when nothing asks for a smaller one: two operand blocks of it fit a second-level cache's reach. */
const TILE_COLUMNS_MAX = 512
/** Rows of a tile: more than columns, since what a check does with B it does once a tile. */
const TILE_ROWS_MAX = 1024
const TILE_EDGE_MIN = 64
/** Tiles that a job is cut into at least, as long as they keep {@link TILE_FLOPS_MIN}, so that several peers have work. */
const TILES_MIN = 32
/** Below this a tile costs more to hand out than to compute. */
const TILE_FLOPS_MIN = 2e7
/** Inner lengths are cut at multiples of this, where the exact kernel cuts its own blocks. */
const DEPTH_STEP = 512
const PARAMS_VERSION = 1
const PARAMS_BYTES = 1 + 6 * 4

/**
 * Cuts a product: tiles as large as memory and `tileBytesMax` allow, but enough of them for several peers.
 * @throws SwarmError MATRIX_TOO_LARGE
 */
export function planMatrix(
  { rows, inner, columns }: Pick<MatrixPlan, 'rows' | 'inner' | 'columns'>,
  tileBytesMax: number = Number.POSITIVE_INFINITY
): MatrixPlan {
  for (const [name, size] of Object.entries({ rows, inner, columns })) {
    if (Number.isSafeInteger(size) && size >= 1 && size <= DIMENSION_MAX) continue
    throw new SwarmError('MATRIX_TOO_LARGE', `${name} is ${size}, expected a whole number from 1 to ${DIMENSION_MAX}`)
  }
  let tileRows = Math.min(rows, TILE_ROWS_MAX)
  let tileColumns = Math.min(columns, TILE_COLUMNS_MAX)
  const operandBytes = () => (tileRows + tileColumns) * inner * FLOAT_BYTES
  const isTooLarge = () =>
    operandBytes() > TILE_OPERAND_BYTES_MAX || tileRows * tileColumns * FLOAT_BYTES > tileBytesMax
  const tiles = () => Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns)
  const halvedFlops = () => tileRows * tileColumns * inner
  const isWorthHalving = () => Math.max(tileRows, tileColumns) > TILE_EDGE_MIN && halvedFlops() >= TILE_FLOPS_MIN
  while (tileRows + tileColumns > 2 && (isTooLarge() || (tiles() < TILES_MIN && isWorthHalving()))) {
    // Columns first: what a check does with B it does once a tile.
    if (tileRows > tileColumns) tileRows = Math.ceil(tileRows / 2)
    else tileColumns = Math.ceil(tileColumns / 2)
  }
  if (operandBytes() > TILE_OPERAND_BYTES_MAX) throw tooDeep(inner)
  return { rows, inner, columns, tileRows, tileColumns, depth: depthOf(inner, Math.max(tileRows, tileColumns)) }
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

function depthOf(inner: number, edge: number): number {
  const most = Math.floor(OPERAND_BYTES_MAX / FLOAT_BYTES / edge)
  if (inner <= most) return inner
  return most < DEPTH_STEP ? most : most - (most % DEPTH_STEP)
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
