import type { AudioShape } from '../audio-format.ts'
import type { TimeSpan } from './silence-report.ts'

/** Where somebody speaks. */
export interface VoiceReport {
  /** In seconds. */
  readonly duration: number
  readonly settings: VoiceSettings
  readonly speech: readonly TimeSpan[]
  readonly speechSeconds: number
}

/** How windows of speech become stretches of it, in seconds. */
export interface VoiceSettings {
  /** Shorter pauses belong to the speech around them. */
  readonly leastPause: number
  /** Shorter stretches, pauses included, are no speech. */
  readonly leastSpeech: number
  /** Added on both sides, as far as there is room, since a voice begins softly. */
  readonly margin: number
}

/** What is taken of a setting that is not given. */
export const VOICE_DEFAULTS: VoiceSettings = { leastPause: 0.3, leastSpeech: 0.25, margin: 0.1 }

interface Stretch {
  start: number
  end: number
}

/**
 * Puts the flags of a whole file together.
 *
 * @param windowSeconds duration of a window, the last of which may reach beyond the audio
 * @param parts flags of consecutive windows from the first on, a byte each, 0 where nobody speaks
 * @param settings margin at most half the least pause, so that stretches do not meet
 * @throws RangeError when flags do not cover the audio exactly, or the margin is too large
 */
export function reduceVoice(
  shape: AudioShape,
  windowSeconds: number,
  parts: Iterable<Uint8Array>,
  settings: VoiceSettings = VOICE_DEFAULTS
): VoiceReport {
  if (settings.margin * 2 > settings.leastPause) {
    throw new RangeError(`a margin of ${settings.margin} s is more than half the least pause, ${settings.leastPause} s`)
  }
  const duration = shape.frames / shape.sampleRate
  const { stretches, count } = findStretches(parts, Math.round(settings.leastPause / windowSeconds))
  if ((count - 1) * windowSeconds >= duration || count * windowSeconds < duration - 1e-9) {
    throw new RangeError(`${count} windows of ${windowSeconds} s do not cover ${duration} s`)
  }
  const speech = stretches
    .filter(({ start, end }) => (end - start) * windowSeconds >= settings.leastSpeech)
    .map(({ start, end }) => ({
      start: Math.max(0, start * windowSeconds - settings.margin),
      end: Math.min(duration, end * windowSeconds + settings.margin)
    }))
  return { duration, settings, speech, speechSeconds: speech.reduce((sum, { start, end }) => sum + end - start, 0) }
}

function findStretches(parts: Iterable<Uint8Array>, pauseWindows: number): { stretches: Stretch[]; count: number } {
  const stretches: Stretch[] = []
  let count = 0
  for (const part of parts) {
    for (const flag of part) {
      const last = stretches.at(-1)
      if (flag !== 0) {
        if (last !== undefined && count - last.end < pauseWindows) last.end = count + 1
        else stretches.push({ start: count, end: count + 1 })
      }
      count += 1
    }
  }
  return { stretches, count }
}
