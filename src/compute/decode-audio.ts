import { type FileHandle, open, rm } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { type AudioShape, CHANNELS_MAX, SAMPLE_RATE_MAX, SAMPLE_RATE_MIN } from '../tasks/wav/audio-format.ts'
import type { DeclaredAudio } from './decode-audio-declared.ts'
import { decodeWithPackage, isDecodedByPackage } from './decode-audio-package.ts'
import { decodeWithProgram } from './decode-audio-program.ts'
import { openSource, type SoundSource } from './decode-audio-source.ts'
import { FrameWriter } from './decode-audio-writer.ts'

/** What {@link decodeAudio} made. */
export interface DecodedAudio {
  readonly shape: AudioShape
  readonly encoding: 'f32'
  /** What the file was, such as `mp3`. */
  readonly format: string
  /** What people should be told, a sentence each. */
  readonly notices: readonly string[]
}

/** How {@link decodeAudio} goes about it. */
export interface DecodeOptions {
  readonly signal?: AbortSignal
  /** Called as bytes of the file have been read. */
  readonly onProgress?: (doneBytes: number, fileBytes: number) => void
  /** Takes what there is of a file that is cut off, with a notice instead of an error. */
  readonly salvage?: boolean
  /** The system's ffmpeg. */
  readonly program?: string
}

/** Set on `ffmpeg` where nothing else is said. */
const PROGRAM = 'ffmpeg'

/**
 * Decodes a file of sound, or the sound of a video file, to interleaved raw float32 frames, little-endian, full scale ±1.
 * Delay and padding of the encoder are cut off where the format says how long they are. Reads and writes in pieces; memory
 * does not grow with the file. It computes: call it in a thread that has nothing else to do.
 *
 * @param outputPath is written with mode 0600, and removed when this fails
 * @throws SwarmError AUDIO_UNKNOWN when it is no format that we know, AUDIO_MALFORMED when it is broken or cut off or its
 *   shape is beyond what jobs take, FFMPEG_MISSING when only FFmpeg could, INPUT_UNREADABLE, OUTPUT_WRITE_FAILED; what
 *   `signal` was aborted with
 */
export async function decodeAudio(
  path: string,
  outputPath: string,
  options: DecodeOptions = {}
): Promise<DecodedAudio> {
  options.signal?.throwIfAborted()
  using source = openSource(path)
  const file = await openOutput(outputPath)
  try {
    return await decodeTo(source, { path: outputPath, file }, options)
  } catch (error) {
    await rm(outputPath, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

interface Output {
  readonly path: string
  readonly file: FileHandle
}

async function decodeTo(source: SoundSource, output: Output, options: DecodeOptions): Promise<DecodedAudio> {
  const { path, format, declared } = source
  const notices: string[] = []
  if (!isDecodedByPackage(format)) return withProgram(source, output, options, notices)
  if (declared.damage !== undefined) complain(path, declared.damage, options, notices)
  try {
    if (declared.unsuitable !== undefined) throw new PackageRefusal(declared.unsuitable)
    const shape = await withPackage(source, output, options, declared.channels)
    checkLength(path, shape, declared, options, notices)
    return { shape, encoding: 'f32', format, notices }
  } catch (error) {
    if (!(error instanceof PackageRefusal)) throw error
    notices.push(`the built-in decoder does not take the sound of this ${format} file (${error.message})`)
    return await withProgram(source, output, options, notices).catch((second) => {
      if (second instanceof SwarmError && second.code === 'FFMPEG_MISSING') throw malformed(path, error.message, error)
      throw second
    })
  }
}

/** The package could not decode anything at all: perhaps it does not know the codec. */
class PackageRefusal extends Error {
  override readonly name = 'PackageRefusal'
}

/** There is more than one channel, which blocks of equal channels had hidden. */
class MoreChannels extends Error {
  override readonly name = 'MoreChannels'
  readonly channels: number

  constructor(channels: number) {
    super(`${channels} channels`)
    this.channels = channels
  }
}

async function withPackage(
  source: SoundSource,
  output: Output,
  options: DecodeOptions,
  channels: number | undefined
): Promise<AudioShape> {
  try {
    return await decodeBlocks(source, output, options, channels)
  } catch (error) {
    if (!(error instanceof MoreChannels)) throw error
    await restart(output)
    return await decodeBlocks(source, output, options, error.channels)
  }
}

async function decodeBlocks(
  source: SoundSource,
  output: Output,
  options: DecodeOptions,
  channels: number | undefined
): Promise<AudioShape> {
  let writer: FrameWriter | undefined
  let sampleRate = 0
  const blocks = decodeWithPackage(source.format, source.read(options), source.declared.bits)
  try {
    for await (const { channelData, sampleRate: rate } of blocks) {
      if (writer === undefined) {
        sampleRate = rate
        writer = new FrameWriter(output.path, output.file, channels ?? channelData.length)
        checkShape(source.path, sampleRate, writer.channels)
      }
      if (channelData.length > writer.channels) throw new MoreChannels(channelData.length)
      if (rate !== sampleRate) {
        throw malformed(source.path, `it changes from ${sampleRate} to ${rate} Hz after ${writer.frames} frames`)
      }
      await writer.write(channelData)
    }
  } catch (error) {
    if (error instanceof SwarmError || error instanceof MoreChannels || options.signal?.aborted === true) throw error
    const reason = error instanceof Error ? error.message : String(error)
    if (writer === undefined) throw new PackageRefusal(reason, { cause: error })
    throw malformed(source.path, `after ${writer.frames} frames: ${reason}`, error)
  }
  if (writer === undefined) throw new PackageRefusal('no sound came of it')
  return { sampleRate, channels: writer.channels, frames: writer.frames }
}

async function withProgram(
  source: SoundSource,
  output: Output,
  options: DecodeOptions,
  notices: string[]
): Promise<DecodedAudio> {
  await restart(output)
  const program = options.program ?? PROGRAM
  const { complaint, ...shape } = await decodeWithProgram(program, source.path, output, options.signal)
  checkShape(source.path, shape.sampleRate, shape.channels)
  notices.push(`decoded with ${program} of this machine: another version may give other samples`)
  if (complaint !== undefined) complain(source.path, `ffmpeg says: ${complaint}`, options, notices)
  options.onProgress?.(source.fileBytes, source.fileBytes)
  return { shape, encoding: 'f32', format: source.format, notices }
}

function checkLength(
  path: string,
  shape: AudioShape,
  declared: DeclaredAudio,
  options: DecodeOptions,
  notices: string[]
): void {
  const least = (declared.frames ?? 0) - (declared.toleranceFrames ?? 0)
  if (shape.frames >= least) return
  complain(path, `it says that it has ${declared.frames} frames, but only ${shape.frames} came`, options, notices)
}

function complain(path: string, damage: string, options: DecodeOptions, notices: string[]): void {
  if (options.salvage !== true) throw malformed(path, `${damage}; with --salvage it is read as far as it goes`)
  notices.push(`the file is damaged, and was read as far as it goes: ${damage}`)
}

function checkShape(path: string, sampleRate: number, channels: number): void {
  const fits =
    sampleRate >= SAMPLE_RATE_MIN && sampleRate <= SAMPLE_RATE_MAX && channels >= 1 && channels <= CHANNELS_MAX
  if (fits) return
  const expected = `1 to ${CHANNELS_MAX} channels of ${SAMPLE_RATE_MIN} to ${SAMPLE_RATE_MAX} Hz`
  throw malformed(path, `expected ${expected}, but it has ${channels} of ${sampleRate} Hz`)
}

async function openOutput(path: string): Promise<FileHandle> {
  try {
    await rm(path, { force: true })
    return await open(path, 'ax', 0o600)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('OUTPUT_WRITE_FAILED', `decoded sound cannot be written to ${path}: ${reason}`, {
      cause: error
    })
  }
}

/** Appending writes go on where the file ends, so that emptying it is enough. */
async function restart({ file }: Output): Promise<void> {
  await file.truncate(0)
}

function malformed(path: string, reason: string, cause?: unknown): SwarmError {
  return new SwarmError('AUDIO_MALFORMED', `${path} cannot be decoded: ${reason}`, {
    cause,
    exitCode: EXIT_CODES.usage
  })
}
