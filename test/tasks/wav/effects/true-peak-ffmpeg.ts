import { spawnSync } from 'node:child_process'
import { FFMPEG } from '../../../support/audio-tools.ts'

/**
 * True peak of a raw file of float 64 in one channel, as FFmpeg's ebur128 measures it.
 * @returns dBTP, with one decimal
 * @throws Error when FFmpeg is not installed or says none
 */
export function truePeakOf(path: string, sampleRate: number): number {
  if (FFMPEG === undefined) throw new Error('ffmpeg is not installed')
  const input = ['-f', 'f64le', '-ar', `${sampleRate}`, '-ac', '1', '-i', path]
  const run = spawnSync(FFMPEG, ['-hide_banner', '-nostats', ...input, '-af', 'ebur128=peak=true', '-f', 'null', '-'])
  const found = /True peak:\s+Peak:\s+(-?[\d.]+) dBFS/.exec(String(run.stderr))
  if (found?.[1] === undefined) throw new Error(`ffmpeg says no true peak: ${String(run.stderr)}`)
  return Number(found[1])
}
