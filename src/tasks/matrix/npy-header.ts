import { excerpt, npyMalformed, npyUnsupported } from './npy-error.ts'
import { isTuple, type Literal, parseDict, showLiteral } from './npy-literal.ts'

/** Bytes that tell how long the header is, in every version. */
export const NPY_PRELUDE_BYTES = 12
/** Longest header that is read, with its prelude. NumPy's own are 128 bytes; a longer one is no matrix. */
export const NPY_HEADER_BYTES_MAX = 64 * 1024

const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** Magic, version, uint16 length. */
const PRELUDE_1_BYTES = 10
/** NumPy leaves room in a header for the first dimension to grow, so every matrix's takes two units of 64 bytes. */
const ENCODED_BYTES = 128
const KEYS = ['descr', 'fortran_order', 'shape'] as const
const DTYPES: ReadonlyMap<Literal | undefined, NpyDtype> = new Map([
  ['<f4', 'float32'],
  ['<f8', 'float64']
])

/** What one element is; both little-endian. */
export type NpyDtype = 'float32' | 'float64'

/** What a .npy header says of a matrix. */
export interface NpyHeader {
  /** Major version of the format; the minor one is 0. */
  readonly version: 1 | 2 | 3
  readonly dtype: NpyDtype
  /** Whether columns, not rows, lie contiguously. */
  readonly fortranOrder: boolean
  /** At least 1. */
  readonly rows: number
  /** At least 1. */
  readonly cols: number
  /** Bytes before the first element. */
  readonly dataOffset: number
}

/** @returns bytes of one element */
export function npyItemBytes(dtype: NpyDtype): 4 | 8 {
  return dtype === 'float32' ? 4 : 8
}

/** @returns bytes of the whole file; at most 2⁵³ − 1 for a header that {@link parseNpyHeader} gave */
export function npyFileBytes(header: Omit<NpyHeader, 'version'>): number {
  return header.dataOffset + header.rows * header.cols * npyItemBytes(header.dtype)
}

/**
 * Reads how long a header is, before any of it is fetched.
 * @param prelude the file's first {@link NPY_PRELUDE_BYTES} bytes, or more; untrusted. @param name of the file, for messages
 * @returns bytes of prelude and header, which is where the data begins; at most {@link NPY_HEADER_BYTES_MAX}
 * @throws SwarmError NPY_MALFORMED for another magic, too few bytes or too long a header; NPY_UNSUPPORTED for a version
 *   other than 1.0, 2.0 and 3.0
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npyDataOffset(prelude: Uint8Array, name: string): number {
  const magic = prelude.subarray(0, MAGIC.length)
  if (magic.length < MAGIC.length || MAGIC.some((byte, index) => byte !== magic[index])) {
    const found = magic.length === 0 ? 'nothing' : hexOf(magic)
    const advice = 'write the matrix with numpy.save, or make one with swarm generate A.npy --matrix'
    throw npyMalformed(name, `expected it to begin with ${hexOf(MAGIC)}, but found ${found}; ${advice}`)
  }
  if (prelude.byteLength < NPY_PRELUDE_BYTES) {
    throw npyMalformed(name, `expected at least ${NPY_PRELUDE_BYTES} bytes, but it has ${prelude.byteLength}`)
  }
  const version = versionOf(prelude, name)
  const view = new DataView(prelude.buffer, prelude.byteOffset)
  const dataOffset =
    version === 1 ? PRELUDE_1_BYTES + view.getUint16(8, true) : NPY_PRELUDE_BYTES + view.getUint32(8, true)
  if (dataOffset <= NPY_HEADER_BYTES_MAX) return dataOffset
  throw npyMalformed(name, `expected a header of at most ${NPY_HEADER_BYTES_MAX} bytes, but it tells ${dataOffset}`)
}

/**
 * Reads a whole header, of version 1.0, 2.0 or 3.0.
 * @param bytes the file's first {@link npyDataOffset} bytes, or more; untrusted. @param name of the file, for messages
 * @throws SwarmError NPY_MALFORMED for what breaks the format; NPY_UNSUPPORTED for what is no matrix of little-endian
 *   float32 or float64 with at least one row and column, or reaches beyond 2⁵³ − 1 bytes
 * @see https://numpy.org/neps/nep-0001-npy-format.html
 */
export function parseNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const dataOffset = npyDataOffset(bytes, name)
  if (bytes.byteLength < dataOffset) {
    throw npyMalformed(name, `expected a header of ${dataOffset} bytes, but the file ends after ${bytes.byteLength}`)
  }
  const version = versionOf(bytes, name)
  const start = version === 1 ? PRELUDE_1_BYTES : NPY_PRELUDE_BYTES
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, dataOffset - start)
  const entries = parseDict(text.toString(version === 3 ? 'utf8' : 'latin1'), name)
  const keys = [...entries.keys()].sort()
  if (keys.join() !== KEYS.join()) {
    throw npyMalformed(
      name,
      `expected the keys ${KEYS.join(', ')} in its header, but found ${excerpt(keys.join(', '))}`
    )
  }
  const fortranOrder = entries.get('fortran_order')
  if (typeof fortranOrder !== 'boolean') {
    throw npyMalformed(name, `expected fortran_order to be True or False, but found ${showLiteral(fortranOrder)}`)
  }
  const { rows, cols } = shapeOf(entries.get('shape'), name)
  const header = { version, dtype: dtypeOf(entries.get('descr'), name), fortranOrder, rows, cols, dataOffset }
  if (Number.isSafeInteger(npyFileBytes(header))) return header
  throw npyUnsupported(name, `expected at most 2^53 − 1 bytes, but its shape is (${rows}, ${cols}) of ${header.dtype}`)
}

/**
 * Writes the header that numpy.save writes for a C-order float32 matrix: version 1.0, data at a multiple of 64 bytes.
 * @param rows at least 1. @param cols at least 1
 * @returns 128 bytes. @throws RangeError for another shape, or one of 2⁵³ bytes or more
 */
export function encodeNpyHeader(rows: number, cols: number): Uint8Array {
  const header = { dtype: 'float32', fortranOrder: false, rows, cols, dataOffset: ENCODED_BYTES } as const
  if (!isExtent(rows) || !isExtent(cols) || !Number.isSafeInteger(npyFileBytes(header))) {
    throw new RangeError(`a matrix cannot be ${rows} by ${cols}`)
  }
  const bytes = new Uint8Array(ENCODED_BYTES).fill(0x20)
  bytes.set(MAGIC)
  bytes.set([1, 0, ENCODED_BYTES - PRELUDE_1_BYTES, 0], MAGIC.length)
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`
  bytes.set(Buffer.from(text, 'latin1'), PRELUDE_1_BYTES)
  bytes[ENCODED_BYTES - 1] = 0x0a
  return bytes
}

function versionOf(prelude: Uint8Array, name: string): 1 | 2 | 3 {
  const [major, minor] = prelude.subarray(MAGIC.length)
  if ((major === 1 || major === 2 || major === 3) && minor === 0) return major
  throw npyUnsupported(name, `expected version 1.0, 2.0 or 3.0 of the .npy format, but found ${major}.${minor}`)
}

function dtypeOf(descr: Literal | undefined, name: string): NpyDtype {
  const dtype = DTYPES.get(descr)
  if (dtype !== undefined) return dtype
  const expected = "expected elements of type '<f4' or '<f8' (little-endian float32 or float64)"
  throw npyUnsupported(name, `${expected}, but found ${showLiteral(descr)}; save A.astype('<f4') instead`)
}

function shapeOf(shape: Literal | undefined, name: string): { rows: number; cols: number } {
  const found = showLiteral(shape)
  if (!isTuple(shape)) throw npyMalformed(name, `expected its shape to be a tuple, but found ${found}`)
  if (!shape.items.every((extent) => extent === 0 || isExtent(extent))) {
    throw npyMalformed(name, `expected whole numbers from 0 to 2^53 − 1 in its shape, but found ${found}`)
  }
  const [rows, cols, ...more] = shape.items
  if (!isExtent(rows) || !isExtent(cols) || more.length > 0) {
    const expected = 'expected two dimensions with at least one row and one column'
    throw npyUnsupported(name, `${expected}, but its shape is ${found}; save A.reshape(ROWS, COLUMNS) instead`)
  }
  return { rows, cols }
}

function isExtent(value: Literal | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function hexOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
