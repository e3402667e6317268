import type { JobFindings, LevelFigures } from '../domain/findings.ts'
import { formatCount, formatCounted, formatDurationMs } from './quantities.ts'

/** What a job found, in a line or two. */
export function formatFindings(findings: JobFindings): readonly string[] {
  if ('stretches' in findings) {
    const { duration, speechSeconds, stretches } = findings
    return [
      `${formatCounted(stretches, 'stretch')} of speech, ${formatDurationMs(speechSeconds * 1000)} of ${formatDurationMs(duration * 1000)}`
    ]
  }
  if (!('before' in findings)) {
    const { duration, silences, silentSeconds } = findings
    return [
      `${formatCounted(silences, 'silence')}, ${formatDurationMs(silentSeconds * 1000)} of ${formatDurationMs(duration * 1000)}`
    ]
  }
  const { after, before, clippedSamples, nonFiniteSamples } = findings
  const clipped = clippedSamples.reduce((sum, count) => sum + count, 0)
  return [
    `loudness ${change(before.loudnessLufs, after.loudnessLufs, 'LUFS')}, true peak ${change(truePeak(before), truePeak(after), 'dBTP')}, ` +
      `${formatDurationMs(before.durationSeconds * 1000)} → ${formatDurationMs(after.durationSeconds * 1000)}`,
    ...(clipped === 0 ? [] : [`${formatCount(clipped)} samples clipped: lower the gain, or normalize at the end`]),
    ...(nonFiniteSamples === undefined
      ? []
      : [`${formatCount(nonFiniteSamples)} samples of the input were no numbers: not-a-number was read as silence`])
  ]
}

function truePeak({ channels }: LevelFigures): number | null {
  return channels.reduce<number | null>((most, { truePeakDbtp }) => {
    if (truePeakDbtp === null) return most
    return most === null ? truePeakDbtp : Math.max(most, truePeakDbtp)
  }, null)
}

function change(before: number | null, after: number | null, unit: string): string {
  return `${level(before)} → ${level(after)} ${unit}`
}

function level(value: number | null): string {
  return value === null ? '−∞' : value.toFixed(1)
}
