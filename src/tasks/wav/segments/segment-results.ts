import { SwarmError } from '../../../errors.ts'
import type { CheckDepth, OnProgress, ReadInput, RefusalReason, Room } from '../../task-kind.ts'
import { type ChunkHead, HEAD_BYTES_MAX, parseHead } from './chunk-head.ts'
import type { Segment, SegmentGrid, SegmentRun } from './segment-grid.ts'

/** Of the segments of a trusted peer's results, how many are computed again. */
const CHECKED_SHARE = 1 / 24

/** Computes one segment's result into `result`, which has its length. */
export type RunSegment = (segment: Segment, result: Uint8Array) => void

/** Takes the head off a chunk's input. @throws SwarmError INPUT_MALFORMED when it names segments that the job does not have */
export function openChunk(grid: SegmentGrid, input: Uint8Array): ChunkHead & { readonly body: Uint8Array } {
  const { head, byteLength } = parseHead(input)
  checkRun(grid, head.run)
  return { ...head, body: input.subarray(byteLength) }
}

function checkRun(grid: SegmentGrid, { pass, first, count }: SegmentRun): void {
  if (pass < grid.passCount && first + count <= grid.segmentCount(pass)) return
  throw new SwarmError(
    'INPUT_MALFORMED',
    `the chunk's input is for segments ${first}+${count} of pass ${pass}, which are not the job's`
  )
}

/**
 * Draws which segments of a chunk are computed again. Reads no more of the input than its head: mostly none are.
 * @throws SwarmError INPUT_MALFORMED
 */
export function drawSegments(
  grid: SegmentGrid,
  read: ReadInput,
  { whole, random }: CheckDepth
): { readonly run: SegmentRun; readonly checked: ReadonlySet<number> } {
  const { run } = parseHead(read(HEAD_BYTES_MAX)).head
  checkRun(grid, run)
  const checked = new Set<number>()
  for (let index = run.first; index < run.first + run.count; index++) {
    if (whole || random() < CHECKED_SHARE) checked.add(index)
  }
  return { run, checked }
}

/** Computes a run of segments. @returns their results, one after the other */
export function runSegments(
  grid: SegmentGrid,
  run: SegmentRun,
  compute: RunSegment,
  onProgress?: OnProgress,
  room: Room = (byteLength) => new Uint8Array(byteLength)
): Uint8Array {
  const segments = [...grid.segmentsOf(run)]
  const result = room(segments.reduce((sum, segment) => sum + bytesOf(segment), 0))
  let offset = 0
  for (const segment of segments) {
    const end = offset + bytesOf(segment)
    // The memory may hold what was there before, and reports leave out what they have nothing to say of.
    result.fill(0, end - segment.reportBytes, end)
    compute(segment, result.subarray(offset, end))
    offset = end
    onProgress?.(offset)
  }
  return result
}

/**
 * Computes segments of a claimed result again: all of them, or a random share.
 * @param open gets the whole input, once there is something to compute
 * @returns why it is refused, or undefined
 */
export function verifySegments(
  grid: SegmentGrid,
  read: ReadInput,
  claimed: Uint8Array,
  depth: CheckDepth,
  open: (input: Uint8Array) => RunSegment
): RefusalReason {
  const { run, checked } = drawSegments(grid, read, depth)
  const segments = [...grid.segmentsOf(run)]
  const expectedBytes = segments.reduce((sum, segment) => sum + bytesOf(segment), 0)
  if (claimed.byteLength !== expectedBytes)
    return `the result has ${claimed.byteLength} bytes instead of ${expectedBytes}`
  if (checked.size === 0) return undefined
  const compute = open(read())
  let offset = 0
  for (const segment of segments) {
    const part = claimed.subarray(offset, offset + bytesOf(segment))
    offset += part.byteLength
    if (!checked.has(segment.index)) continue
    const expected = new Uint8Array(part.byteLength)
    compute(segment, expected)
    const wrong = firstDifference(expected, part)
    if (wrong >= 0)
      return `byte ${wrong} of segment ${segment.index} in pass ${segment.pass} is not what its input gives`
  }
  return undefined
}

function bytesOf({ audioBytes, reportBytes }: Segment): number {
  return audioBytes + reportBytes
}

/** Of two arrays of one length; −1 when they are the same. */
function firstDifference(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return index
  }
  return -1
}
