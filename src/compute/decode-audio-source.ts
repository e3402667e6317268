import { closeSync, fstatSync, openSync } from 'node:fs'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { type DeclaredAudio, readDeclared } from './decode-audio-declared.ts'
import { skipFlacMetadata } from './decode-audio-flac.ts'
import { readMp4Tables } from './decode-audio-mp4.ts'
import { type AudioFormat, id3ByteLength, SNIFF_BYTES, sniffAudio } from './decode-audio-sniff.ts'
import { readUpTo } from './file-range.ts'

/** Read from the file at once. */
const READ_BYTES = 1024 * 1024
/** Given to a decoder at once: what silence was packed into may grow ten thousandfold. */
const FEED_BYTES = 4 * 1024
/** One page of Ogg is never longer. */
const TAIL_BYTES = 64 * 1024 + 512
/** Bytes of an unknown file that an error shows. */
const SHOWN_BYTES = 12
const SUPPORTED =
  'WAV, FLAC, MP3, OGG (Vorbis, FLAC), Opus, M4A, AAC, AIFF and the sound of MP4, MOV, WebM and MKV; with FFmpeg on this ' +
  'machine, CAF, AC-3, AMR, AU, AVI, DTS, FLV, MP2, MPEG, Speex, W64, WavPack and WMA as well'

/** A file of sound that is open for reading. Owns the descriptor. */
export interface SoundSource extends Disposable {
  readonly path: string
  readonly format: AudioFormat
  readonly declared: DeclaredAudio
  readonly fileBytes: number
  /**
   * The bytes that a decoder wants, from the first on, as often as this is called; each piece is its receiver's to keep.
   * @throws SwarmError INPUT_UNREADABLE; what `signal` was aborted with
   */
  read(options: {
    readonly signal?: AbortSignal
    readonly onProgress?: (doneBytes: number, fileBytes: number) => void
  }): AsyncGenerator<Uint8Array>
}

/**
 * Opens a file of sound, and reads what it is and says of itself.
 * @throws SwarmError AUDIO_UNKNOWN, AUDIO_MALFORMED, INPUT_UNREADABLE
 */
export function openSource(path: string): SoundSource {
  const descriptor = openFile(path)
  try {
    const fileBytes = fstatSync(descriptor).size
    const { format, head, start } = identify(path, descriptor)
    const tail = readAt(path, descriptor, Math.max(0, fileBytes - TAIL_BYTES), TAIL_BYTES)
    const isMp4 = format === 'm4a' || format === 'mp4' || format === 'mov'
    const tables = isMp4 ? readMp4Tables(path, descriptor, fileBytes) : undefined
    const flac = format === 'flac' ? skipFlacMetadata(path, descriptor, start) : undefined
    const range = { start: flac?.start ?? start, fileBytes, before: flac?.before ?? tables?.moved }
    return {
      path,
      format,
      fileBytes,
      declared: tables ?? readDeclared(format, head, tail),
      read: (options) => readPieces(path, descriptor, range, options),
      [Symbol.dispose]: () => closeSync(descriptor)
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function identify(path: string, descriptor: number): { format: AudioFormat; head: Uint8Array; start: number } {
  const first = readAt(path, descriptor, 0, SNIFF_BYTES)
  const start = id3ByteLength(first)
  const head = start === 0 ? first : readAt(path, descriptor, start, SNIFF_BYTES)
  const format = sniffAudio(head) ?? (start > 0 && head.byteLength > 0 ? 'mp3' : undefined)
  if (format !== undefined && format !== 'wav') return { format, head, start }
  const shown = [...first.subarray(0, SHOWN_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const came =
    format === 'wav' ? 'is WAV, which is read as it is' : shown === '' ? 'is empty' : `begins with the bytes ${shown}`
  throw new SwarmError('AUDIO_UNKNOWN', `${path} ${came}; sound can be decoded from ${SUPPORTED}`, {
    exitCode: EXIT_CODES.usage
  })
}

interface PieceRange {
  readonly start: number
  readonly fileBytes: number
  readonly before: Uint8Array | undefined
}

async function* readPieces(
  path: string,
  descriptor: number,
  { start, fileBytes, before }: PieceRange,
  options: { signal?: AbortSignal; onProgress?: (doneBytes: number, fileBytes: number) => void }
): AsyncGenerator<Uint8Array> {
  if (before !== undefined) yield before.slice()
  for (let offset = start; ; ) {
    options.signal?.throwIfAborted()
    const bytes = readAt(path, descriptor, offset, READ_BYTES)
    if (bytes.byteLength === 0) return
    for (let at = 0; at < bytes.byteLength; at += FEED_BYTES) {
      options.signal?.throwIfAborted()
      yield bytes.subarray(at, at + FEED_BYTES)
    }
    offset += bytes.byteLength
    options.onProgress?.(Math.min(offset, fileBytes), fileBytes)
    // Decoders answer at once, so that nothing else would ever run in this thread.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function readAt(path: string, descriptor: number, offset: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  return bytes.subarray(0, readUpTo(descriptor, bytes, offset, path))
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
}
