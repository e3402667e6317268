import { dirname, isAbsolute, join, resolve } from 'node:path'
import { createDetector, isVoiceInstalled } from '../compute/voice-activity-package.ts'
import type { AudioRequest, AudioSource, FileStamp } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { checkInputFile } from '../store/input-file.ts'
import { CHUNK_BYTES_MAX } from '../submitter/open-job.ts'
import type { SegmentTask } from '../tasks/task-kind.ts'
import { SAMPLE_BYTES, type SampleEncoding } from '../tasks/wav/audio-format.ts'
import { silence, voice } from '../tasks/wav/audio-kinds.ts'
import { filesOf } from '../tasks/wav/chain/chain-files.ts'
import { formatChain } from '../tasks/wav/chain/format-chain.ts'
import { parseChain } from '../tasks/wav/chain/parse-chain.ts'
import { planSegments } from '../tasks/wav/plan-segments.ts'
import { segmentJob } from '../tasks/wav/segment-jobs.ts'
import { SEGMENTS_MAX } from '../tasks/wav/segments/segment-grid.ts'
import { LEVEL_FRAMES_PER_SECOND, levelFrameCount } from '../tasks/wav/silence/level-frames.ts'
import { parseSilenceSettings } from '../tasks/wav/silence/silence-settings.ts'
import {
  type EncodedAudio,
  encodePlan,
  IMPULSES_MAX,
  type ImpulseAudio,
  type SilencePlan,
  type WavPlan
} from '../tasks/wav/wav-plan.ts'
import type { SubmitRequest } from './api-types.ts'
import { type AudioInput, openAudio, readWav, type SoundDecoder } from './audio-input.ts'
import type { JobShape } from './shaped-job.ts'

/** Encodings that `--format` names. */
const FORMATS: Readonly<Record<string, SampleEncoding>> = { pcm16: 's16', pcm24: 's24', float32: 'f32' }
/** A segment of a silence job: what is read for it is short at every rate and number of channels. */
const SILENCE_SECONDS = 4
const SILENCE_BYTES_MAX = 4 * 1024 * 1024

/**
 * Looks at the files of a request for audio.
 * @param decoder for what is no WAV file
 * @throws SwarmError for files and settings that do not fit, saying what would
 */
export async function shapeAudio(
  request: SubmitRequest,
  asked: SegmentTask,
  decoder?: SoundDecoder
): Promise<JobShape> {
  const audio = request.audio ?? { folder: dirname(request.inputPath) }
  const kind = audio.vad && asked.kind === silence.kind ? voice : asked
  const { byteLength, modifiedMs } = await checkInputFile(request.inputPath)
  const stamp: FileStamp = { path: request.inputPath, byteLength, modifiedMs }
  // Before a long file is decoded for nothing.
  checkRequest(request, audio, kind)
  const input = await openAudio(request.inputPath, audio.salvage ?? false, decoder)
  const plan = await planAudio(input, audio, kind)
  const { grid } = segmentJob(kind.kind, plan.params)
  const blockBytes = grid.segmentBytesMax
  return {
    kind,
    kernelId: kind.kernelId,
    params: plan.params,
    inputBytes: grid.byteLength,
    inputModifiedMs: modifiedMs,
    blockBytes,
    chunkBytesMax: Math.max(request.chunkBytes ?? CHUNK_BYTES_MAX, blockBytes),
    audio: { input: stamp, samples: input.samples, impulses: plan.impulses, request: audio },
    notices: input.notices.map((notice) => `${request.inputPath}: ${notice}`)
  }
}

async function planAudio(
  input: AudioInput,
  audio: AudioRequest,
  { kind }: Pick<SegmentTask, 'kind'>
): Promise<{ readonly params: Uint8Array; readonly impulses: AudioSource['impulses'] }> {
  if (kind === voice.kind) return { params: encodePlan({ source: input.audio }), impulses: [] }
  if (kind === silence.kind) return { params: encodePlan(planSilence(input.audio, audio)), impulses: [] }
  return planEffects(input, audio)
}

function checkRequest(
  { exact, reverse, rightPath }: SubmitRequest,
  audio: AudioRequest,
  { kind }: Pick<SegmentTask, 'kind'>
): void {
  if (rightPath !== undefined || exact) throw unsuitable(`--b and --exact are for --task matrix, not for ${kind}`)
  if (reverse)
    throw unsuitable('--reverse turns single samples around: for audio, use the effect "reverse" of --task wav')
  if (kind === voice.kind) {
    if (audio.effects !== undefined || audio.format !== undefined || audio.silence !== undefined) {
      throw unsuitable('--vad takes no effects, no format and no thresholds: the model decides')
    }
    if (!isVoiceInstalled()) createDetector(1)
    return
  }
  if (audio.vad) throw unsuitable('--vad is for --task silence')
  if (kind === silence.kind) {
    if (audio.effects !== undefined) throw unsuitable('--effects is for --task wav, not for silence')
    if (audio.format !== undefined) throw unsuitable('--format is for --task wav: silence gives a report')
    parseSilenceSettings(audio.silence ?? {})
    return
  }
  if (audio.silence !== undefined) throw unsuitable('thresholds of silence are for --task silence, not for wav')
  if (audio.format !== undefined) encodingOf(audio.format, 's16')
  parseChain(audio.effects ?? '')
}

function planSilence(source: EncodedAudio, audio: AudioRequest): SilencePlan {
  const settings = parseSilenceSettings(audio.silence ?? {})
  const bytesPerSecond = source.sampleRate * source.channels * SAMPLE_BYTES[source.encoding]
  const seconds = Math.min(SILENCE_SECONDS, SILENCE_BYTES_MAX / bytesPerSecond)
  const wanted = Math.floor(seconds * LEVEL_FRAMES_PER_SECOND)
  return { source, settings, segmentLevels: Math.max(1, wanted, Math.ceil(levelFrameCount(source) / SEGMENTS_MAX)) }
}

async function planEffects(
  { audio: source, channelMask, decodedFrom }: AudioInput,
  audio: AudioRequest
): Promise<{ readonly params: Uint8Array; readonly impulses: AudioSource['impulses'] }> {
  const chain = parseChain(audio.effects ?? '')
  const distinct = filesOf(chain)
  if (distinct.length > IMPULSES_MAX) {
    throw unsuitable(`the effects name ${distinct.length} impulse responses, expected at most ${IMPULSES_MAX}`)
  }
  const found = await Promise.all(distinct.map((name) => readImpulse(name, audio.folder)))
  const impulses = found.map(({ audio: impulse }) => impulse)
  // What compressed formats give is as precise as 16 bits, and what people expect of a WAV file.
  const encoding = encodingOf(audio.format, decodedFrom === undefined ? source.encoding : 's16')
  const frame = {
    source,
    chain: formatChain(chain),
    output: { encoding, dither: drops(source.encoding, encoding, chain.length) },
    impulses
  }
  const plan: WavPlan = {
    ...frame,
    ...(channelMask !== undefined && { channelMask }),
    segmentFrames: planSegments(frame)
  }
  return { params: encodePlan(plan), impulses: found.map(({ place }) => place) }
}

async function readImpulse(
  name: string,
  folder: string
): Promise<{ readonly audio: ImpulseAudio; readonly place: AudioSource['impulses'][number] }> {
  const path = isAbsolute(name) ? name : resolve(join(folder, name))
  const { byteLength, modifiedMs } = await checkInputFile(path)
  const { shape, encoding, dataOffset } = readWav(path, false)
  return {
    audio: { path: name, ...shape, encoding },
    place: { name, offset: dataOffset, stamp: { path, byteLength, modifiedMs } }
  }
}

function encodingOf(format: string | undefined, own: SampleEncoding): SampleEncoding {
  if (format === undefined) return own
  const encoding = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (encoding !== undefined) return encoding
  throw unsuitable(`there is no output format ${format}: choose one of ${Object.keys(FORMATS).join(', ')}`)
}

/** Whether samples lose bits that dither can hide: effects compute in floats, so that integers of up to 24 bits do. */
function drops(input: SampleEncoding, output: SampleEncoding, effects: number): boolean {
  if (output === 'f32' || output === 'f64' || output === 's32') return false
  return effects > 0 || input === 'f32' || input === 'f64' || SAMPLE_BYTES[input] > SAMPLE_BYTES[output]
}

function unsuitable(message: string): SwarmError {
  return new SwarmError('OPTION_UNSUITABLE', message, { exitCode: EXIT_CODES.usage })
}
