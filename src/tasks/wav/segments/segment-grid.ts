import { SwarmError } from '../../../errors.ts'

/** Segments of all passes together at most: 12 days of audio in segments of 4 s; more would keep a peer busy with planning. */
export const SEGMENTS_MAX = 2 ** 18

/** How long the results of one pass's segments are, by segment index. */
export interface SegmentPass {
  readonly segmentCount: number
  /** Bytes of the audio of a segment; 0 in a pass that only measures. */
  audioBytes(index: number): number
  /** Bytes of what is reported of a segment beside its audio. */
  reportBytes(index: number): number
}

/** One segment's result, as chunks count bytes. */
export interface Segment {
  readonly pass: number
  readonly index: number
  /** From the job's first byte, over all passes. */
  readonly offset: number
  /** The audio, behind which lies the report. */
  readonly audioBytes: number
  readonly reportBytes: number
  /** Audio of the same pass before this segment's, in bytes. */
  readonly audioOffset: number
}

/** Consecutive segments of one pass. */
export interface SegmentRun {
  readonly pass: number
  readonly first: number
  readonly count: number
}

/**
 * The bytes that a job's chunks are cut from: the results of the segments of the first pass, one after the other, then those
 * of the next. Depends on the job's parameters alone.
 */
export class SegmentGrid {
  readonly passCount: number
  readonly #passes: readonly SegmentPass[]
  /** By pass: where each segment begins, and where the last one ends; as chunks count, and of the audio alone. */
  readonly #offsets: readonly Float64Array[]
  readonly #audio: readonly Float64Array[]

  /** @throws SwarmError PARAMS_INVALID for more than {@link SEGMENTS_MAX} segments, since untrusted parameters lead here */
  constructor(passes: readonly SegmentPass[]) {
    const count = passes.reduce((sum, { segmentCount }) => sum + segmentCount, 0)
    if (!(count <= SEGMENTS_MAX)) {
      const message = `the job would have ${count} segments, expected at most ${SEGMENTS_MAX}: make its segments longer`
      throw new SwarmError('PARAMS_INVALID', message)
    }
    this.#passes = passes
    this.passCount = passes.length
    let start = 0
    this.#offsets = passes.map((pass) => {
      const offsets = sums(start, pass.segmentCount, (index) => pass.audioBytes(index) + pass.reportBytes(index))
      start = last(offsets)
      return offsets
    })
    this.#audio = passes.map((pass) => sums(0, pass.segmentCount, (index) => pass.audioBytes(index)))
  }

  /** Bytes of all segments of all passes. */
  get byteLength(): number {
    return last(this.#offsets.at(-1) ?? new Float64Array(1))
  }

  /** Length of the longest segment, in bytes. */
  get segmentBytesMax(): number {
    let most = 0
    for (const offsets of this.#offsets) {
      for (let index = 1; index < offsets.length; index++)
        most = Math.max(most, at(offsets, index) - at(offsets, index - 1))
    }
    return most
  }

  segmentCount(pass: number): number {
    return this.#passes[pass]?.segmentCount ?? 0
  }

  /** Where a pass begins; `passCount` names the end of the last one. */
  passOffset(pass: number): number {
    return pass === this.passCount ? this.byteLength : at(this.#offsets[pass] ?? new Float64Array(1), 0)
  }

  /** Bytes of all audio of a pass. */
  passAudioBytes(pass: number): number {
    return last(this.#audio[pass] ?? new Float64Array(1))
  }

  /** @throws RangeError when there is no such segment */
  segment(pass: number, index: number): Segment {
    const offsets = this.#offsets[pass]
    const shape = this.#passes[pass]
    if (offsets === undefined || shape === undefined || !(index >= 0 && index < shape.segmentCount)) {
      throw new RangeError(`there is no segment ${index} in pass ${pass}`)
    }
    const audioBytes = shape.audioBytes(index)
    const offset = at(offsets, index)
    const reportBytes = at(offsets, index + 1) - offset - audioBytes
    return { pass, index, offset, audioBytes, reportBytes, audioOffset: at(this.#audio[pass] ?? offsets, index) }
  }

  /** @returns the segments of `byteLength` bytes from `offset`. @throws RangeError unless these are whole segments of one pass */
  runOf(offset: number, byteLength: number): SegmentRun {
    const pass = this.#passAt(offset)
    const offsets = this.#offsets[pass]
    const first = offsets === undefined ? -1 : find(offsets, offset)
    const end = offsets === undefined ? -1 : find(offsets, offset + byteLength)
    if (first < 0 || end <= first) throw new RangeError(`${byteLength} bytes from ${offset} are no run of segments`)
    return { pass, first, count: end - first }
  }

  *segmentsOf({ pass, first, count }: SegmentRun): Generator<Segment> {
    for (let index = first; index < first + count; index++) yield this.segment(pass, index)
  }

  /** Bytes of whole segments from `offset` on that fit `byteLength` and end with their pass, but of one segment at least. */
  runBytes(offset: number, byteLength: number): number {
    const pass = this.#passAt(offset)
    const offsets = this.#offsets[pass]
    const first = offsets === undefined ? -1 : find(offsets, offset)
    if (offsets === undefined || first < 0) throw new RangeError(`no segment begins at ${offset}`)
    let end = first + 1
    while (end + 1 < offsets.length && at(offsets, end + 1) - offset <= byteLength) end++
    return at(offsets, end) - offset
  }

  #passAt(offset: number): number {
    let pass = 0
    while (pass + 1 < this.passCount && this.passOffset(pass + 1) <= offset) pass++
    return pass
  }
}

function sums(start: number, count: number, bytesOf: (index: number) => number): Float64Array {
  const offsets = new Float64Array(count + 1)
  offsets[0] = start
  for (let index = 0; index < count; index++) offsets[index + 1] = at(offsets, index) + bytesOf(index)
  return offsets
}

/** @returns the index of a value in rising ones, or −1 */
function find(offsets: Float64Array, value: number): number {
  let low = 0
  let high = offsets.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(offsets, middle) < value) low = middle + 1
    else high = middle
  }
  return at(offsets, low) === value ? low : -1
}

function last(offsets: Float64Array): number {
  return at(offsets, offsets.length - 1)
}

function at(offsets: Float64Array, index: number): number {
  return offsets[index] ?? 0
}
