import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { writeAll } from './decode-audio-writer.ts'

/** Last bytes of what the program says that are kept for the error. */
const STDERR_BYTES_MAX = 4096
/** A header without sound is longer in no case. */
const HEADER_BYTES_MAX = 64 * 1024

/** What the program made of a file. */
export interface ProgramAudio {
  readonly sampleRate: number
  readonly channels: number
  readonly frames: number
  /** What it complained about, although it went on. */
  readonly complaint?: string
}

interface WavHeader {
  readonly sampleRate: number
  readonly channels: number
  readonly dataOffset: number
}

/**
 * Decodes the first sound track of a file with the system's `ffmpeg`, to interleaved raw float32 frames.
 *
 * @param program path of ffmpeg
 * @param output where the frames are appended
 * @throws SwarmError FFMPEG_MISSING when there is none; AUDIO_MALFORMED with the end of what it said, when it fails;
 *   OUTPUT_WRITE_FAILED
 */
export async function decodeWithProgram(
  program: string,
  path: string,
  output: { readonly path: string; readonly file: FileHandle },
  signal: AbortSignal | undefined
): Promise<ProgramAudio> {
  // Nothing but the file itself: a playlist in disguise must not make it open other files or connections.
  const input = ['-nostdin', '-v', 'error', '-protocol_whitelist', 'file,pipe', '-i', `file:${path}`]
  const wanted = ['-map', '0:a:0', '-vn', '-sn', '-dn', '-bitexact', '-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1']
  const child = spawn(program, [...input, ...wanted], { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  const stop = (): boolean => child.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_BYTES_MAX)
  })
  try {
    const [header] = await Promise.all([copyFrames(child.stdout, output), closed])
    signal?.throwIfAborted()
    const complaint = said.trim()
    if (child.exitCode !== 0 || header.frames === 0) throw refused(path, complaint)
    return complaint === '' ? header : { ...header, complaint }
  } catch (error) {
    signal?.throwIfAborted()
    throw isMissing(error) ? missing(program, path, error) : error
  } finally {
    signal?.removeEventListener('abort', stop)
    child.kill('SIGKILL')
  }
}

async function copyFrames(
  stdout: AsyncIterable<Buffer>,
  output: { readonly path: string; readonly file: FileHandle }
): Promise<ProgramAudio> {
  let head: Buffer | undefined = Buffer.alloc(0)
  let header: WavHeader | undefined
  let bytes = 0
  for await (const chunk of stdout) {
    let samples = chunk
    if (head !== undefined) {
      head = Buffer.concat([head, chunk])
      header = readWavHeader(head)
      if (header === undefined) {
        if (head.byteLength > HEADER_BYTES_MAX) break
        continue
      }
      samples = head.subarray(header.dataOffset)
      head = undefined
    }
    await writeAll(output.path, output.file, samples)
    bytes += samples.byteLength
  }
  const { sampleRate = 0, channels = 0 } = header ?? {}
  return { sampleRate, channels, frames: channels === 0 ? 0 : Math.floor(bytes / (4 * channels)) }
}

/** The header that ffmpeg itself writes. @returns undefined as long as it is not complete */
function readWavHeader(bytes: Buffer): WavHeader | undefined {
  let sampleRate = 0
  let channels = 0
  for (let offset = 12; offset + 8 <= bytes.byteLength; ) {
    const type = bytes.toString('latin1', offset, offset + 4)
    if (type === 'data') return { sampleRate, channels, dataOffset: offset + 8 }
    if (type === 'fmt ' && offset + 16 <= bytes.byteLength) {
      channels = bytes.readUInt16LE(offset + 10)
      sampleRate = bytes.readUInt32LE(offset + 12)
    }
    offset += 8 + bytes.readUInt32LE(offset + 4)
  }
  return undefined
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'EACCES'].includes(String(error.code))
}

function missing(program: string, path: string, cause: unknown): SwarmError {
  const message = `${path} needs the program ${program} to be decoded, which is not on this machine: install FFmpeg`
  return new SwarmError('FFMPEG_MISSING', message, { cause, exitCode: EXIT_CODES.usage })
}

function refused(path: string, complaint: string): SwarmError {
  const said = complaint === '' ? 'gave no sound, and did not say why' : `says: ${complaint}`
  return new SwarmError('AUDIO_MALFORMED', `${path} cannot be decoded; ffmpeg ${said}`, { exitCode: EXIT_CODES.usage })
}
