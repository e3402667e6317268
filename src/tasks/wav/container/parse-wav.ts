import { type AudioShape, SAMPLE_BYTES, type SampleEncoding } from '../audio-format.ts'
import {
  CHUNK_HEADER_BYTES,
  type Chunk,
  checkChunkCount,
  isChunkId,
  isKnownId,
  LENGTH_UNKNOWN,
  type LongLengths,
  offsetBehind,
  readChunk,
  show
} from './chunk.ts'
import { findDataExtent } from './data-extent.ts'
import { findDataHeader } from './find-data-header.ts'
import { KeptChunks } from './kept-chunks.ts'
import { readLongLengths } from './long-lengths.ts'
import type { ByteRange, RangeReader } from './range-reader.ts'
import { type RiffHead, readRiffHead } from './riff-head.ts'
import { wavEmpty, wavMalformed } from './wav-error.ts'
import { parseFormat, type WavFormat } from './wav-format.ts'
import { WavScan } from './wav-scan.ts'

/** A WAV file as its headers tell it, checked against its length. */
export interface WavFile {
  /** At least one frame. */
  readonly shape: AudioShape
  readonly encoding: SampleEncoding
  /** Of one sample of every channel. */
  readonly frameBytes: number
  /** Speaker positions of an extensible format, uint32; 0 names none. */
  readonly channelMask?: number
  /** Of the first frame. */
  readonly dataOffset: number
  /** frames × frameBytes; within the file. */
  readonly dataBytes: number
  /** Chunks to be kept, with headers and padding, that lie before and after the audio. A range of odd length lacks its padding. */
  readonly before: readonly ByteRange[]
  readonly after: readonly ByteRange[]
  readonly container: 'riff' | 'rf64' | 'bw64'
  /** What is strange but was borne, for people. */
  readonly notices: readonly string[]
}

/** How to meet damage. */
export interface ParseWavOptions {
  /** Whether to read as far as it goes, with notices, where audio is cut or lengths lie. */
  readonly salvage: boolean
}

/**
 * Reads a WAV, RF64 or BW64 file's headers, a few KiB of it, whatever its size.
 * @param file untrusted
 * @throws SwarmError WAV_UNKNOWN for another kind of file; WAV_MALFORMED for what breaks the format; WAV_UNSUPPORTED for other
 *   codecs, rates and channel counts; INPUT_EMPTY for no frames; what `file.read` throws
 * @see Microsoft, "Multiple Channel Audio Data and WAVE Files"; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64)
 */
export function parseWav(file: RangeReader, options: ParseWavOptions): WavFile {
  const scan = new WavScan(file, options.salvage)
  const head = readRiffHead(scan)
  const long = head.container === 'riff' ? undefined : readLongLengths(scan, head.firstChunkOffset)
  const kept = new KeptChunks()
  const { format, data, count } = readFront(scan, head.firstChunkOffset, long, kept)
  const frameBytes = format.channels * SAMPLE_BYTES[format.encoding]
  const extent = findDataExtent(scan, data, frameBytes, long)
  if (extent.next !== undefined) {
    readBack(scan, extent.next, long, kept, count)
    checkRiffLength(scan, head, long)
  }
  if (extent.byteLength === 0) throw wavEmpty(file.path, data.bodyOffset)
  const { encoding, channels, sampleRate, channelMask } = format
  return {
    shape: { sampleRate, channels, frames: extent.byteLength / frameBytes },
    encoding,
    frameBytes,
    ...(channelMask === undefined ? {} : { channelMask }),
    dataOffset: data.bodyOffset,
    dataBytes: extent.byteLength,
    before: kept.before,
    after: kept.after,
    container: head.container,
    notices: scan.notices
  }
}

interface Front {
  readonly format: WavFormat
  readonly data: Chunk
  /** Of chunks up to and with data. */
  readonly count: number
}

function readFront(scan: WavScan, start: number, long: LongLengths | undefined, kept: KeptChunks): Front {
  let format: WavFormat | undefined
  let offset = start
  for (let count = 1; ; count++) {
    checkChunkCount(scan, count, offset)
    const chunk = readFrontChunk(scan, offset, long, format !== undefined)
    if (chunk.id === 'data') {
      if (format !== undefined) return { format, data: chunk, count }
      throw wavMalformed(scan.file.path, offset, 'expected chunk "fmt " before the audio, but found "data"')
    }
    const next = offsetBehind(scan, chunk, long)
    if (chunk.id === 'fmt ') {
      if (format === undefined) format = parseFormat(scan, chunk)
      else scan.notice(`at byte ${offset}, there is a second chunk "fmt "; the first counts`)
    } else kept.add(scan, 'before', chunk, next)
    offset = next
  }
}

/** Reads a chunk that has to be there. Salvaging, a chunk that cannot be is skipped by looking for the audio's header. */
function readFrontChunk(scan: WavScan, offset: number, long: LongLengths | undefined, hasFormat: boolean): Chunk {
  const wanted = hasFormat ? 'data' : 'fmt '
  if (!scan.has(offset, CHUNK_HEADER_BYTES)) {
    const left = Math.max(0, scan.file.byteLength - offset)
    throw wavMalformed(scan.file.path, offset, `expected chunk "${wanted}", but the file ends with ${left} bytes more`)
  }
  const chunk = readChunk(scan, offset, long)
  const isWithin = chunk.id === 'data' || scan.has(chunk.bodyOffset, chunk.byteLength)
  if (isChunkId(chunk.id) && isWithin) return chunk
  const problem = isWithin
    ? `expected chunk "${wanted}", but found ${show(chunk.id)}`
    : `expected chunk ${show(chunk.id)} to end within the file, but it says that it has ${chunk.byteLength} bytes`
  if (!hasFormat) throw wavMalformed(scan.file.path, offset, problem)
  scan.fault(offset, problem, 'the next "data" is taken for the audio')
  const found = findDataHeader(scan, offset)
  if (found !== undefined) return readChunk(scan, found, long)
  throw wavMalformed(scan.file.path, offset, `${problem}, and no "data" behind it`)
}

/** Walks what lies behind the audio. What is no chunk there harms nothing, and is left out with a notice. */
function readBack(
  scan: WavScan,
  start: number,
  long: LongLengths | undefined,
  kept: KeptChunks,
  countBefore: number
): void {
  const fileBytes = scan.file.byteLength
  let offset = start
  for (let count = countBefore + 1; offset < fileBytes; count++) {
    checkChunkCount(scan, count, offset)
    const chunk = scan.has(offset, CHUNK_HEADER_BYTES) ? readChunk(scan, offset, long) : undefined
    if (chunk === undefined || !isChunkId(chunk.id)) {
      scan.notice(`at byte ${offset}, the last ${fileBytes - offset} bytes are no chunk; they are left out`)
      return
    }
    if (!scan.has(chunk.bodyOffset, chunk.byteLength)) {
      const problem = `chunk ${show(chunk.id)} says that it has ${chunk.byteLength} bytes, but the file ends`
      if (isKnownId(chunk.id)) scan.fault(offset, problem, 'it is left out')
      else scan.notice(`at byte ${offset}, ${problem}; it is left out`)
      return
    }
    const next = offsetBehind(scan, chunk, long)
    if (chunk.id === 'data') scan.notice(`at byte ${offset}, there is a second chunk "data"; it is left out`)
    else kept.add(scan, 'after', chunk, next)
    offset = next
  }
}

function checkRiffLength(scan: WavScan, head: RiffHead, long: LongLengths | undefined): void {
  const isLong = head.riffBytes === LENGTH_UNKNOWN && long !== undefined
  const told = isLong ? long.riffBytes : head.riffBytes
  const real = scan.file.byteLength - CHUNK_HEADER_BYTES
  if (told === real) return
  scan.notice(`at byte 4, it says that ${told} bytes follow, but there are ${real}`)
}
