import type { AudioShape } from '../audio-format.ts'

/** Level frames in a second: each lasts 10 ms. */
export const LEVEL_FRAMES_PER_SECOND = 100

/**
 * First audio frame of a level frame, so that frame `index` covers those up to, but without, the start of `index + 1`, at
 * rates too that 100 does not divide.
 * @param sampleRate in Hz
 * @param index of the level frame, from 0
 */
export function levelFrameStart(sampleRate: number, index: number): number {
  return Math.round((index * sampleRate) / LEVEL_FRAMES_PER_SECOND)
}

/** Level frames that cover the audio; the last may be shorter than 10 ms. */
export function levelFrameCount({ sampleRate, frames }: AudioShape): number {
  return levelFrameFrom(sampleRate, frames)
}

/**
 * First level frame that starts at or behind an audio frame.
 * @param frame of the audio, from 0
 */
export function levelFrameFrom(sampleRate: number, frame: number): number {
  let index = Math.max(0, Math.floor((frame * LEVEL_FRAMES_PER_SECOND) / sampleRate) - 1)
  while (levelFrameStart(sampleRate, index) < frame) index += 1
  return index
}
