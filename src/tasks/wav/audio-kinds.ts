// What the kinds of work on sound say of themselves. What they do is loaded only where it is done, since effects are many.
import type { SegmentTask } from '../task-kind.ts'
import { parseAudioSource, parseSilencePlan, parseVoicePlan, parseWavPlan } from './wav-plan.ts'

/** Bytes that a job's chunks count, and its parameters. */
type Job = Parameters<SegmentTask['units']>[1]

/** What all of them have in common. */
const SOUND = {
  takes: 'segments',
  unit: 'audio-seconds',
  verification: 'sampled',
  defaults: { reverse: false, encrypt: false },
  units: (chunkBytes: number, { inputBytes, params }: Job): number => {
    const { frames, sampleRate } = parseAudioSource(params)
    return ((chunkBytes / inputBytes) * frames) / sampleRate
  }
} as const

/** Effects on audio. A chunk's bytes are those of its segments' results: audio, and what was measured. */
export const wav: SegmentTask = {
  ...SOUND,
  kind: 'wav',
  kernelId: 'wav-effects-1',
  isOptional: false,
  extension: 'wav',
  describe: parseWavPlan,
  // A chain of a few effects on 48 kHz stereo in floats, at 100 × real time.
  estimateNsPerByte: () => 25
}

/** Where audio is silent. A chunk's bytes are the levels of its segments; levels depend on their own 10 ms alone. */
export const silence: SegmentTask = {
  ...SOUND,
  kind: 'silence',
  kernelId: 'silence-levels-1',
  isOptional: false,
  extension: 'json',
  describe: parseSilencePlan,
  // A level of stereo at 48 kHz has four bytes.
  estimateNsPerByte: () => 700
}

/**
 * Where somebody speaks, by a model that runs in native code. A chunk's bytes are flags of windows; what the model thinks of
 * borderline ones may differ from processor to processor, so results are checked within a tolerance.
 */
export const voice: SegmentTask = {
  ...SOUND,
  kind: 'voice',
  kernelId: 'voice-silero-1.0.3',
  isOptional: true,
  extension: 'json',
  describe: parseVoicePlan,
  // 90 × real time; a window of 32 ms has one byte.
  estimateNsPerByte: () => 350_000
}
