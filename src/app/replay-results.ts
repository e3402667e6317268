import { PLAIN_BLOCK_BYTES, type ResultFiles, readPlainResult } from '../store/history-result.ts'
import { NPY_PRELUDE_BYTES, parseNpyHeader } from '../tasks/matrix/npy-header.ts'
import type { ElementDifferences, ResultComparison, Waiting } from './api-types.ts'

const FLOAT_BYTES = 4
const NPY_MAGIC = Buffer.from('\u0093NUMPY', 'latin1')
const NOTHING = new Uint8Array(0)

/**
 * Compares two results byte by byte, and element by element where both are matrices of one shape. Reads both to their end,
 * so that the tags of sealed ones are checked.
 *
 * @throws SwarmError as {@link readPlainResult}
 */
export async function compareResults(
  original: ResultFiles,
  replay: ResultFiles,
  { signal }: Waiting
): Promise<ResultComparison> {
  await using ours = readPlainResult(original, { signal })
  await using theirs = readPlainResult(replay, { signal })
  let offset = 0
  let [originalBytes, replayBytes] = [0, 0]
  let firstDifferenceByte: number | undefined
  let elements: Elements | undefined
  for (;;) {
    const a = (await ours.next()).value ?? NOTHING
    const b = (await theirs.next()).value ?? NOTHING
    if (a.byteLength === 0 && b.byteLength === 0) break
    if (offset === 0) elements = elementsOf(a, b)
    if (Buffer.compare(a, b) !== 0) firstDifferenceByte ??= offset + firstDifference(a, b)
    elements?.add(a, b, offset)
    originalBytes += a.byteLength
    replayBytes += b.byteLength
    offset += PLAIN_BLOCK_BYTES
  }
  const lengths = { originalBytes, replayBytes }
  if (firstDifferenceByte === undefined) return { compared: true, equal: true, ...lengths }
  const found = elements === undefined || originalBytes !== replayBytes ? {} : { elements: elements.found() }
  return { compared: true, equal: false, ...lengths, firstDifferenceByte, ...found }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.byteLength, b.byteLength)
  let index = 0
  while (index < shorter && a[index] === b[index]) index++
  return index
}

/** @returns undefined unless both results begin with the same header of a float32 matrix. */
function elementsOf(a: Uint8Array, b: Uint8Array): Elements | undefined {
  if (a.byteLength < NPY_PRELUDE_BYTES || NPY_MAGIC.compare(a, 0, NPY_MAGIC.length) !== 0) return undefined
  const { dataOffset, dtype } = parseNpyHeader(a, 'the result')
  const sameHeader = Buffer.compare(a.subarray(0, dataOffset), b.subarray(0, dataOffset)) === 0
  return sameHeader && dtype === 'float32' && dataOffset % FLOAT_BYTES === 0 ? new Elements(dataOffset) : undefined
}

/** Adds up how the elements of two matrices differ, block by block. */
class Elements {
  readonly #dataOffset: number
  #compared = 0
  #differing = 0
  #notFinite = 0
  #largestAbsolute = 0
  #largestRelative = 0

  /** @param dataOffset bytes before the first element */
  constructor(dataOffset: number) {
    this.#dataOffset = dataOffset
  }

  /** @param offset of both blocks in their files, in bytes */
  add(a: Uint8Array, b: Uint8Array, offset: number): void {
    const start = Math.max(0, this.#dataOffset - offset)
    const count = Math.floor((Math.min(a.byteLength, b.byteLength) - start) / FLOAT_BYTES)
    if (count <= 0) return
    const xs = new Float32Array(a.buffer, a.byteOffset + start, count)
    const ys = new Float32Array(b.buffer, b.byteOffset + start, count)
    this.#compared += count
    for (let index = 0; index < count; index++) {
      const [x, y] = [xs[index] ?? 0, ys[index] ?? 0]
      if (x !== y) this.#addDifference(x, y)
    }
  }

  found(): ElementDifferences {
    return {
      compared: this.#compared,
      differing: this.#differing,
      largestAbsolute: this.#largestAbsolute,
      largestRelative: this.#largestRelative,
      notFinite: this.#notFinite
    }
  }

  #addDifference(x: number, y: number): void {
    if (Number.isNaN(x) && Number.isNaN(y)) return
    this.#differing++
    const absolute = Math.abs(x - y)
    if (!Number.isFinite(absolute)) {
      this.#notFinite++
      return
    }
    this.#largestAbsolute = Math.max(this.#largestAbsolute, absolute)
    this.#largestRelative = Math.max(this.#largestRelative, absolute / Math.max(Math.abs(x), Math.abs(y)))
  }
}
