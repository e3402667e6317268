import { SAMPLE_BYTES } from '../audio-format.ts'
import type { ByteRange } from './range-reader.ts'
import { dataHeader, formatChunks, rf64Head, riffHead, type WavOutput } from './wav-header.ts'

/** What comes next in a file that is written: bytes, a range of the source, or so many bytes of audio. */
export type WavPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'copy'; readonly range: ByteRange }
  | { readonly kind: 'audio'; readonly byteLength: number }

/** Chunks of the source that go over into the output. */
export interface KeptRanges {
  readonly before: readonly ByteRange[]
  readonly after: readonly ByteRange[]
}

/** A whole file before its audio is known. */
export interface WavLayout {
  /** In the order of the file, without gaps; `audio` is there once. */
  readonly parts: readonly WavPart[]
  /** Even. */
  readonly audioOffset: number
  readonly audioBytes: number
  /** Of the whole file; even. */
  readonly byteLength: number
  /** RF64 exactly when the file's length goes beyond what RIFF can tell, 2³² + 7 bytes. */
  readonly container: 'riff' | 'rf64'
}

const RIFF_BYTES_MAX = 0xffff_ffff
const RIFF_PRELUDE_BYTES = 8

/**
 * Plans a file: head, kept chunks, audio, padding, kept chunks.
 * @param kept chunks with their headers; one without its padding (an odd length) gets it
 * @throws RangeError for no or too many channels, or a file of 2⁵³ bytes or more
 */
export function layOutWav(output: WavOutput, kept: KeptRanges): WavLayout {
  const { frames, channels } = output.shape
  const audioBytes = frames * channels * SAMPLE_BYTES[output.encoding]
  const format = formatChunks(output)
  const before = copies(kept.before)
  const audio: WavPart[] = [bytesPart(dataHeader(audioBytes)), { kind: 'audio', byteLength: audioBytes }]
  if (audioBytes % 2 === 1) audio.push(padding())
  const tail: WavPart[] = [...before, ...audio, ...copies(kept.after)]
  const tailBytes = format.byteLength + lengthOf(tail)
  const plainRiffBytes = riffHead(0).byteLength + tailBytes - RIFF_PRELUDE_BYTES
  const isLong = plainRiffBytes > RIFF_BYTES_MAX
  const longRiffBytes = rf64Head(0, 0, 0).byteLength + tailBytes - RIFF_PRELUDE_BYTES
  const riffBytes = isLong ? longRiffBytes : plainRiffBytes
  if (!Number.isSafeInteger(riffBytes + RIFF_PRELUDE_BYTES) || frames < 0) {
    throw new RangeError(`a WAV file cannot have ${frames} frames of ${channels} channels`)
  }
  const head = isLong ? rf64Head(riffBytes, audioBytes, frames) : riffHead(riffBytes)
  const front = bytesPart(new Uint8Array([...head, ...format]))
  return {
    parts: [front, ...tail],
    audioOffset: front.bytes.byteLength + lengthOf(before) + dataHeader(0).byteLength,
    audioBytes,
    byteLength: riffBytes + RIFF_PRELUDE_BYTES,
    container: isLong ? 'rf64' : 'riff'
  }
}

/** @returns bytes that a part takes in the file */
export function partBytes(part: WavPart): number {
  if (part.kind === 'bytes') return part.bytes.byteLength
  return part.kind === 'copy' ? part.range.byteLength : part.byteLength
}

function bytesPart(bytes: Uint8Array): WavPart & { readonly kind: 'bytes' } {
  return { kind: 'bytes', bytes }
}

function padding(): WavPart {
  return bytesPart(new Uint8Array(1))
}

function copies(ranges: readonly ByteRange[]): WavPart[] {
  const parts: WavPart[] = []
  for (const range of ranges) {
    parts.push({ kind: 'copy', range })
    if (range.byteLength % 2 === 1) parts.push(padding())
  }
  return parts
}

function lengthOf(parts: readonly WavPart[]): number {
  let byteLength = 0
  for (const part of parts) byteLength += partBytes(part)
  return byteLength
}
