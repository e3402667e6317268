import type { AudioShape, FrameRange } from '../audio-format.ts'
import { VoiceResampler } from './voice-resample.ts'

/** Samples in a second that the model takes. */
export const VOICE_RATE = 16_000
/** Samples of a window, for each of which the model has an opinion. */
export const VOICE_WINDOW = 512
/**
 * Windows after which the model forgets what it heard, and starts {@link VOICE_WARM_UP_WINDOWS} earlier anew: about 31 s.
 * So flags follow from the file alone, whatever the ranges, and memory does not grow while somebody talks.
 */
export const VOICE_SEGMENT_WINDOWS = 960
/** Windows of warm-up before a segment: about 4 s. */
export const VOICE_WARM_UP_WINDOWS = 128

/** Windows of 32 ms that the audio has, the last of them filled up with silence. */
export function voiceWindowCount({ frames, sampleRate }: AudioShape): number {
  return Math.ceil(Math.ceil((frames * VOICE_RATE) / sampleRate) / VOICE_WINDOW)
}

/**
 * Frames that are needed to know a range of windows: warm-up and what resampling needs included.
 * @param windows `start` up to, but without, `end`
 * @param resampler of the audio's rate, where there is one already
 */
export function voiceInputRange(
  shape: AudioShape,
  windows: FrameRange,
  resampler: VoiceResampler = new VoiceResampler(shape.sampleRate)
): FrameRange {
  const samples = { start: firstVoiceWindow(windows) * VOICE_WINDOW, end: windows.end * VOICE_WINDOW }
  const { start, end } = resampler.framesOf(samples)
  return { start: Math.min(shape.frames, Math.max(0, start)), end: Math.max(0, Math.min(shape.frames, end)) }
}

/** Where the warm-up of a range's first segment begins. */
export function firstVoiceWindow({ start }: FrameRange): number {
  return Math.max(0, Math.floor(start / VOICE_SEGMENT_WINDOWS) * VOICE_SEGMENT_WINDOWS - VOICE_WARM_UP_WINDOWS)
}
