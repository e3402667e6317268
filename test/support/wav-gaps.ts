import { Random } from '../sim/random.ts'
import { writeWav } from './wav-writing.ts'

const SAMPLE_RATE = 48_000
const SYLLABLE_SECONDS = 0.18
const SPEECH_PEAK = 0.4
/** Of a quiet room: −60 dB of full scale at most. */
const ROOM_PEAK = 0.001
/** Between words: too short to be a silence. */
const WORD_SECONDS = 1.4
const PAUSE_SECONDS = 0.25

/** A stretch of time in seconds. */
export interface Gap {
  readonly start: number
  readonly end: number
}

/**
 * Writes stereo of 16 bits with speech-like noise, which is loud up to the frame that a gap begins with, and from the one on
 * that it ends with; between gaps there are pauses of 0.25 s too.
 * @param gapSeconds length of each gap
 * @returns the gaps, which lie at no multiple of 10 ms
 */
export async function writeGappedSpeech(
  path: string,
  { seconds, gapSeconds, seed = 1 }: { readonly seconds: number; readonly gapSeconds: number; readonly seed?: number }
): Promise<readonly Gap[]> {
  const random = new Random(seed)
  const gaps: Gap[] = []
  for (let start = random.between(3, 6); start + gapSeconds + 1 < seconds; start += gapSeconds + random.between(3, 8)) {
    const frame = Math.round(start * SAMPLE_RATE)
    gaps.push({ start: frame / SAMPLE_RATE, end: frame / SAMPLE_RATE + gapSeconds })
  }
  const frames = Math.round(seconds * SAMPLE_RATE)
  await writeWav(path, { sampleRate: SAMPLE_RATE, channels: 2, frames, encoding: 's16' }, speak(frames, gaps, random))
  return gaps
}

/** A second at a time. */
function* speak(frames: number, gaps: readonly Gap[], random: Random): Generator<readonly Float64Array[]> {
  const block = [new Float64Array(SAMPLE_RATE), new Float64Array(SAMPLE_RATE)]
  const frameGaps = gaps.map(({ start, end }) => ({
    start: Math.round(start * SAMPLE_RATE),
    end: Math.round(end * SAMPLE_RATE)
  }))
  let next = 0
  let wordStart = 0
  for (let first = 0; first < frames; first += SAMPLE_RATE) {
    const count = Math.min(SAMPLE_RATE, frames - first)
    for (let frame = first; frame < first + count; frame++) {
      while (frame === frameGaps[next]?.end) {
        wordStart = frame
        next++
      }
      const gap = frameGaps[next]
      const isGap = gap !== undefined && frame >= gap.start
      // Whatever the words' rhythm, speech is loud right before a gap.
      const isEdge = gap !== undefined && gap.start - frame < SYLLABLE_SECONDS * SAMPLE_RATE
      const level = isGap ? ROOM_PEAK : loudnessAt((frame - wordStart) / SAMPLE_RATE, isEdge)
      for (const samples of block) samples[frame - first] = level * (2 * random.next() - 1)
    }
    yield block.map((samples) => samples.subarray(0, count))
  }
}

function loudnessAt(seconds: number, isEdge: boolean): number {
  const phase = (seconds / SYLLABLE_SECONDS) % 1
  const isPause = !isEdge && seconds % (WORD_SECONDS + PAUSE_SECONDS) > WORD_SECONDS
  return isPause ? ROOM_PEAK : SPEECH_PEAK * (0.5 + 2 * phase * (1 - phase))
}
