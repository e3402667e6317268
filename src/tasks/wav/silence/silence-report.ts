import type { AudioShape } from '../audio-format.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import { levelFrameCount, levelFrameStart } from './level-frames.ts'
import { LEVEL_BYTES } from './level-meter.ts'
import type { SilenceSettings } from './silence-settings.ts'

/** A stretch of time in seconds; `end` is the first moment behind it. */
export interface TimeSpan {
  readonly start: number
  readonly end: number
}

/** Where audio is silent, and where it is not: the spans of both fill its duration without overlap. */
export interface SilenceReport {
  /** In seconds. */
  readonly duration: number
  readonly settings: SilenceSettings
  readonly silences: readonly TimeSpan[]
  readonly sounds: readonly TimeSpan[]
  readonly silentSeconds: number
  readonly soundSeconds: number
  /** Sounds too short to end a silence, which therefore lie within {@link SilenceReport.silences}. */
  readonly bridgedBursts: number
}

/** Level frames `start` up to, but without, `end`. */
interface Run {
  start: number
  end: number
}

/**
 * Finds silences in the levels of a whole file.
 *
 * Silence begins with the frame whose level is below the threshold, and ends with the one whose level is above threshold and
 * hysteresis together. Then each sound that is shorter than the least sound and lies between two silences, however short,
 * is made silence: it is bridged. Then silences shorter than the least silence are made sound.
 *
 * @param parts levels of consecutive ranges of {@link levelFrameCount} frames in all, as a LevelMeter gives them
 * @throws RangeError when there are more or fewer levels than the shape has
 */
export function reduceLevels(shape: AudioShape, parts: Iterable<Uint8Array>, settings: SilenceSettings): SilenceReport {
  const count = levelFrameCount(shape)
  const time = (index: number): number =>
    Math.min(levelFrameStart(shape.sampleRate, index), shape.frames) / shape.sampleRate
  const lasts = (run: Run): number => time(run.end) - time(run.start)

  const bridged: Run[] = []
  let bridgedBursts = 0
  for (const run of findSilentRuns(parts, count, settings)) {
    const last = bridged.at(-1)
    if (last !== undefined && isShorter(time(run.start) - time(last.end), settings.leastSound)) {
      last.end = run.end
      bridgedBursts += 1
    } else bridged.push(run)
  }
  const silences = bridged.filter((run) => !isShorter(lasts(run), settings.leastSilence))
  const spans = silences.map((run) => ({ start: time(run.start), end: time(run.end) }))
  const duration = shape.frames / shape.sampleRate
  const silentSeconds = silences.reduce((sum, run) => sum + lasts(run), 0)
  return {
    duration,
    settings,
    silences: spans,
    sounds: between(spans, duration),
    silentSeconds,
    soundSeconds: duration - silentSeconds,
    bridgedBursts
  }
}

/** Durations come of a subtraction, so that 2 s may be a little less. */
function isShorter(seconds: number, least: number): boolean {
  return seconds < least - 1e-9
}

function findSilentRuns(parts: Iterable<Uint8Array>, count: number, settings: SilenceSettings): Run[] {
  const begins = decibelsToGain(settings.threshold)
  const ends = decibelsToGain(settings.threshold + settings.hysteresis)
  const runs: Run[] = []
  let index = 0
  let silent = false
  let start = 0
  for (const part of parts) {
    const levels = new DataView(part.buffer, part.byteOffset, part.byteLength)
    if (part.byteLength % LEVEL_BYTES !== 0 || index + part.byteLength / LEVEL_BYTES > count) {
      throw new RangeError(
        `expected ${count} levels of ${LEVEL_BYTES} bytes, but after ${index} came ${part.byteLength} bytes`
      )
    }
    for (let offset = 0; offset < part.byteLength; offset += LEVEL_BYTES) {
      const level = levels.getFloat32(offset, true)
      if (silent && level > ends) runs.push({ start, end: index })
      else if (!silent && level < begins) start = index
      silent = silent ? level <= ends : level < begins
      index += 1
    }
  }
  if (index !== count) throw new RangeError(`expected ${count} levels, but got ${index}`)
  if (silent) runs.push({ start, end: count })
  return runs
}

function between(silences: readonly TimeSpan[], duration: number): TimeSpan[] {
  const sounds: TimeSpan[] = []
  let start = 0
  for (const silence of silences) {
    if (silence.start > start) sounds.push({ start, end: silence.start })
    start = silence.end
  }
  if (duration > start) sounds.push({ start, end: duration })
  return sounds
}
