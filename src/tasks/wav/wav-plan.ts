import { SwarmError } from '../../errors.ts'
import {
  type AudioShape,
  CHANNELS_MAX,
  SAMPLE_BYTES,
  SAMPLE_RATE_MAX,
  SAMPLE_RATE_MIN,
  type SampleEncoding
} from './audio-format.ts'
import type { SilenceSettings } from './silence/silence-settings.ts'

/** Audio as its samples lie in a file, frame after frame. */
export interface EncodedAudio extends AudioShape {
  readonly encoding: SampleEncoding
}

/** The audio of an impulse response that a chain names. */
export interface ImpulseAudio extends EncodedAudio {
  /** As the chain names it. */
  readonly path: string
}

/** What a wav job does; the same for every peer, since it fixes what a chunk is. */
export interface WavPlan {
  readonly source: EncodedAudio
  /** Loudspeakers as in WAVE_FORMAT_EXTENSIBLE, for the weights of channels in loudness. */
  readonly channelMask?: number
  /** Chain of effects in normal form. */
  readonly chain: string
  readonly impulses: readonly ImpulseAudio[]
  readonly output: { readonly encoding: SampleEncoding; readonly dither: boolean }
  /** Output frames of a segment, by pass; in a pass without effects, of its input. */
  readonly segmentFrames: readonly number[]
}

/** What a silence job does. */
export interface SilencePlan {
  readonly source: EncodedAudio
  readonly settings: SilenceSettings
  /** Level frames of a segment. */
  readonly segmentLevels: number
}

/** What a voice job does. */
export interface VoicePlan {
  readonly source: EncodedAudio
}

/** Frames of one segment at most: far above what a planner chooses, so that no peer can be made to plan for ever. */
const SEGMENT_FRAMES_MAX = 2 ** 28
const PASSES_MAX = 65
/** Impulse responses of one chain at most: each chunk brings along those of its pass. */
export const IMPULSES_MAX = 8
const FRAMES_MAX = 2 ** 46

/** As it travels in adverts and lies in the journal: JSON. */
export function encodePlan(plan: WavPlan | SilencePlan | VoicePlan): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(plan))
}

/** Takes untrusted bytes. @throws SwarmError PARAMS_INVALID */
export function parseWavPlan(params: Uint8Array): WavPlan {
  const fields = parseObject(params)
  const output = fieldsOf(fields.output, 'output')
  if (typeof output.dither !== 'boolean') throw invalid('output.dither is neither true nor false')
  const { chain } = fields
  if (typeof chain !== 'string') throw invalid('chain is no text')
  const source = parseAudio(fields.source, 'source')
  return {
    source,
    ...(fields.channelMask !== undefined && {
      channelMask: parseWhole(fields.channelMask, 'channelMask', 0, 2 ** 32 - 1)
    }),
    chain,
    impulses: parseList(fields.impulses, 'impulses', IMPULSES_MAX).map((impulse) => {
      const { path } = fieldsOf(impulse, 'an impulse')
      if (typeof path !== 'string') throw invalid('the path of an impulse is no text')
      return { path, ...parseAudio(impulse, 'an impulse') }
    }),
    output: { encoding: parseEncoding(output.encoding), dither: output.dither },
    segmentFrames: parseList(fields.segmentFrames, 'segmentFrames', PASSES_MAX).map((frames) =>
      parseWhole(frames, 'segmentFrames', 1, SEGMENT_FRAMES_MAX)
    )
  }
}

/** Takes untrusted bytes. @throws SwarmError PARAMS_INVALID */
export function parseSilencePlan(params: Uint8Array): SilencePlan {
  const fields = parseObject(params)
  const settings = fieldsOf(fields.settings, 'settings')
  const number = (name: keyof SilenceSettings): number => {
    const value = settings[name]
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(`settings.${name} is no number`)
    return value
  }
  return {
    source: parseAudio(fields.source, 'source'),
    settings: {
      threshold: number('threshold'),
      hysteresis: number('hysteresis'),
      leastSilence: number('leastSilence'),
      leastSound: number('leastSound')
    },
    segmentLevels: parseWhole(fields.segmentLevels, 'segmentLevels', 1, SEGMENT_FRAMES_MAX)
  }
}

/** The sound of any plan. Takes untrusted bytes. @throws SwarmError PARAMS_INVALID */
export function parseAudioSource(params: Uint8Array): EncodedAudio {
  return parseAudio(parseObject(params).source, 'source')
}

/** Takes untrusted bytes. @throws SwarmError PARAMS_INVALID */
export function parseVoicePlan(params: Uint8Array): VoicePlan {
  return { source: parseAudioSource(params) }
}

/** Bytes of one frame. */
export function frameBytes({ channels, encoding }: Pick<EncodedAudio, 'channels' | 'encoding'>): number {
  return channels * SAMPLE_BYTES[encoding]
}

function parseObject(params: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(params)), 'the plan')
  } catch (error) {
    if (error instanceof SwarmError) throw error
    throw invalid('they are no JSON')
  }
}

function parseAudio(value: unknown, name: string): EncodedAudio {
  const fields = fieldsOf(value, name)
  return {
    encoding: parseEncoding(fields.encoding),
    sampleRate: parseWhole(fields.sampleRate, `${name}.sampleRate`, SAMPLE_RATE_MIN, SAMPLE_RATE_MAX),
    channels: parseWhole(fields.channels, `${name}.channels`, 1, CHANNELS_MAX),
    frames: parseWhole(fields.frames, `${name}.frames`, 1, FRAMES_MAX)
  }
}

function parseEncoding(value: unknown): SampleEncoding {
  if (typeof value === 'string' && Object.hasOwn(SAMPLE_BYTES, value)) return value as SampleEncoding
  throw invalid(`there is no sample encoding ${JSON.stringify(value)}`)
}

function parseWhole(value: unknown, name: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw invalid(`${name} is no whole number from ${min} to ${max}`)
}

function parseList(value: unknown, name: string, max: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= max) return value
  throw invalid(`${name} is no list of at most ${max}`)
}

function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(`${name} is no object`)
}

function invalid(reason: string): SwarmError {
  return new SwarmError('PARAMS_INVALID', `the parameters of the audio job make no sense: ${reason}`)
}
