import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileReader } from '../compute/file-reader.ts'
import type { ComputePool } from '../domain/compute.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { parseWav, type WavFile } from '../tasks/wav/container/parse-wav.ts'
import type { EncodedAudio } from '../tasks/wav/wav-plan.ts'

/** Decodes what is no WAV file, for whoever may write beside the results. */
export interface SoundDecoder {
  readonly compute: Pick<ComputePool, 'decodeSound'>
  /** Absolute path of the file that gets the samples; stays until its job ends. */
  readonly outputPath: string
  readonly signal: AbortSignal
}

/** A file of sound whose samples can be read by ranges. */
export interface AudioInput {
  readonly audio: EncodedAudio
  readonly channelMask?: number
  /** The file that holds the samples, and where in it the first frame lies, in bytes. */
  readonly samples: { readonly path: string; readonly offset: number }
  /** What the file was, when it had to be decoded first. */
  readonly decodedFrom?: string
  readonly notices: readonly string[]
}

const HEAD_BYTES = 12
/** First bytes of WAV files, RIFF with lengths of 64 bits among them. */
const WAV_HEADS = ['RIFF', 'RF64', 'BW64']

/**
 * Opens a file of sound; what is no WAV file is decoded first.
 * @param decoder without one, only WAV files can be opened
 * @throws SwarmError WAV_MALFORMED, AUDIO_UNKNOWN and others, OPTION_UNSUITABLE without a decoder
 */
export async function openAudio(path: string, salvage: boolean, decoder?: SoundDecoder): Promise<AudioInput> {
  if (isWav(path)) return wavInput(path, readWav(path, salvage))
  if (decoder === undefined) {
    const message = `${path} is no WAV file, so its length is known only once it is decoded: --plan cannot say what it takes`
    throw new SwarmError('OPTION_UNSUITABLE', message, { exitCode: EXIT_CODES.usage })
  }
  const { compute, outputPath, signal } = decoder
  await mkdir(dirname(outputPath), { recursive: true })
  const { shape, encoding, format, notices } = await compute.decodeSound({ path, outputPath, salvage }, { signal })
  return { audio: { ...shape, encoding }, samples: { path: outputPath, offset: 0 }, decodedFrom: format, notices }
}

/** @throws SwarmError WAV_UNKNOWN, WAV_MALFORMED and others */
export function readWav(path: string, salvage: boolean): WavFile {
  using reader = new FileReader(path)
  return parseWav(reader, { salvage })
}

function isWav(path: string): boolean {
  using reader = new FileReader(path)
  // Too short for any format: the WAV reader says it best.
  if (reader.byteLength < HEAD_BYTES) return true
  return WAV_HEADS.includes(new TextDecoder('latin1').decode(reader.read(0, 4)))
}

function wavInput(path: string, { shape, encoding, channelMask, dataOffset, notices }: WavFile): AudioInput {
  return {
    audio: { ...shape, encoding },
    ...(channelMask !== undefined && { channelMask }),
    samples: { path, offset: dataOffset },
    notices
  }
}
