import type { AudioShape } from '../../../../src/tasks/wav/audio-format.ts'
import { levelFrameStart } from '../../../../src/tasks/wav/silence/level-frames.ts'
import { LevelMeter } from '../../../../src/tasks/wav/silence/level-meter.ts'

const SYLLABLE_SECONDS = 0.18
const SPEECH_PEAK = 0.4
const ROOM_PEAK = 0.0005

/** A stretch of speech, in seconds. */
export interface Speech {
  readonly start: number
  readonly end: number
}

/** Numbers from 0 to 1 that follow from the seed alone. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * Speech-like noise in a quiet room: syllables that swell from half to full loudness, so that speech begins and ends audibly.
 * @returns [channels][frames]
 */
export function buildSpeech(shape: AudioShape, speeches: readonly Speech[], seed = 1): Float64Array[] {
  const random = randomNumbers(seed)
  return Array.from({ length: shape.channels }, (_, channel) => {
    const samples = new Float64Array(shape.frames)
    for (let frame = 0; frame < shape.frames; frame += 1) {
      const seconds = frame / shape.sampleRate
      const speech = speeches.find(({ start, end }) => seconds >= start && seconds < end)
      const phase = speech === undefined ? 0 : ((seconds - speech.start) / SYLLABLE_SECONDS) % 1
      const loudness = speech === undefined ? ROOM_PEAK : SPEECH_PEAK * (0.5 + 2 * phase * (1 - phase))
      // Speech is in the last channel alone, so that the loudest has to be found.
      samples[frame] = (random() * 2 - 1) * (channel === shape.channels - 1 ? loudness : ROOM_PEAK)
    }
    return samples
  })
}

/** Levels of a signal that is cut before the level frames `cuts`, and fed in blocks of `blockFrames`. */
export function measureLevels(
  shape: AudioShape,
  signal: readonly Float64Array[],
  cuts: readonly number[] = [],
  blockFrames = 1024
): Uint8Array[] {
  const inside = cuts.map((index) => levelFrameStart(shape.sampleRate, index)).filter((frame) => frame < shape.frames)
  const borders = [0, ...inside.sort((one, other) => one - other), shape.frames]
  return borders.slice(1).map((end, index) => {
    const start = borders[index] as number
    const meter = new LevelMeter(shape, { start, end })
    for (let frame = start; frame < end; frame += blockFrames) {
      const count = Math.min(blockFrames, end - frame)
      meter.feed(
        signal.map((samples) => samples.subarray(frame, frame + count)),
        count
      )
    }
    return meter.finish()
  })
}
