import { type Chunk, isChunkAt, type LongLengths, offsetBehind, readChunk } from './chunk.ts'
import type { WavScan } from './wav-scan.ts'

/** Where audio ends, and what comes then. */
export interface DataExtent {
  /** Whole frames. */
  readonly byteLength: number
  /** Where the chunk behind it begins; undefined when the audio goes to the file's end. */
  readonly next?: number
}

/** Chunks that are looked at to tell an empty data chunk from one of a streaming writer. */
const LOOK_AHEAD_CHUNKS = 100
const TWO_32 = 2 ** 32
/** What arecord and others write where they cannot seek back. SoX writes a bit less, in whole frames. */
const STREAMED_LENGTHS: readonly number[] = [0x7fff_ffff, 0x8000_0000]
const SOX_STREAMED_BYTES = 0x7fff_f000

/**
 * Finds how much of a data chunk is audio: what its length says, or all to the file's end where a streaming writer left no length.
 * @param frameBytes from 1
 * @throws SwarmError WAV_MALFORMED when the file is shorter or a frame is cut, unless salvaging
 */
export function findDataExtent(
  scan: WavScan,
  data: Chunk,
  frameBytes: number,
  long: LongLengths | undefined
): DataExtent {
  const { bodyOffset, byteLength } = data
  const rest = scan.file.byteLength - bodyOffset
  if (isStreamed(scan, data, frameBytes, long)) {
    if (rest > 0)
      scan.notice(`its audio has no length, as of a streaming writer; the ${rest} bytes to the end are taken`)
    const partial = rest % frameBytes
    const isPadding = partial === 1 && (rest - 1) % 2 === 1
    return { byteLength: isPadding ? rest - 1 : wholeFrames(scan, bodyOffset, rest, frameBytes) }
  }
  if (byteLength > rest) {
    const problem = `expected ${lengthText(byteLength)} of audio, but the file ends after ${rest}`
    scan.fault(bodyOffset, problem, 'they are taken')
    return { byteLength: wholeFrames(scan, bodyOffset, rest, frameBytes) }
  }
  const countedBytes = data.isLong && long !== undefined ? long.frames * frameBytes : 0
  // FFmpeg 5.1 counts the padding of RF64 audio as audio, but its frames are right.
  const isPaddingCounted = byteLength - 1 === countedBytes && countedBytes % 2 === 1
  return {
    byteLength: isPaddingCounted ? countedBytes : wholeFrames(scan, bodyOffset, byteLength, frameBytes),
    next: offsetBehind(scan, data, long)
  }
}

function isStreamed(scan: WavScan, data: Chunk, frameBytes: number, long: LongLengths | undefined): boolean {
  const rest = scan.file.byteLength - data.bodyOffset
  const { byteLength } = data
  if (byteLength === 0) return !isChainToEnd(scan, data.bodyOffset, long)
  if (byteLength <= rest) return false
  if (data.isLong) return byteLength >= TWO_32 * TWO_32 - 1
  if (byteLength === 0xffff_ffff || STREAMED_LENGTHS.includes(byteLength)) return true
  return byteLength <= SOX_STREAMED_BYTES && byteLength > SOX_STREAMED_BYTES - frameBytes
}

/** Whether chunk follows chunk up to the file's end. */
function isChainToEnd(scan: WavScan, offset: number, long: LongLengths | undefined): boolean {
  let next = offset
  for (let count = 0; count < LOOK_AHEAD_CHUNKS && isChunkAt(scan, next, long); count++) {
    const chunk = readChunk(scan, next, long)
    next = chunk.bodyOffset + chunk.byteLength + (chunk.byteLength % 2)
    if (next >= scan.file.byteLength) return true
  }
  return next === scan.file.byteLength
}

function wholeFrames(scan: WavScan, offset: number, byteLength: number, frameBytes: number): number {
  const partial = byteLength % frameBytes
  if (partial === 0) return byteLength
  const problem = `expected whole frames of ${frameBytes} bytes, but there are ${partial} bytes over`
  scan.fault(offset + byteLength - partial, problem, 'they are left out')
  return byteLength - partial
}

function lengthText(byteLength: number): string {
  return Number.isSafeInteger(byteLength) ? `${byteLength} bytes` : 'more than 2^53 bytes'
}
