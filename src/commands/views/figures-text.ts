import type { JobDimensions, JobFigures } from '../../app/api-types.ts'
import { formatBytes, formatCount, formatDurationMs, formatFlops, formatRate } from '../../cli/quantities.ts'

const NOTHING = '–'

/** How much a job was given to do: `4096×4096 · 4096×4096`, `158,760,000 samples`, `1:00:00, 2 × 48 kHz`. */
export function formatDimensions(dimensions: JobDimensions | undefined): string {
  if (dimensions === undefined) return NOTHING
  if ('samples' in dimensions) return `${formatCount(dimensions.samples)} samples`
  if ('audioSeconds' in dimensions) {
    const { audioSeconds, channels, sampleRate } = dimensions
    return `${formatDurationMs(audioSeconds * 1000)} of sound, ${channels} × ${sampleRate / 1000} kHz`
  }
  const { rows, inner, columns } = dimensions
  return `${rows}×${inner} · ${inner}×${columns}`
}

/** What a job got done in a second: `85.3 GFLOP/s` for a matrix product, `120 × real time` for sound, else bytes. */
export function formatThroughput(figures: JobFigures | undefined): string {
  if (figures === undefined || figures.unitsPerSecond === 0) return NOTHING
  if (figures.unit === 'audio-seconds') return `${formatCount(figures.unitsPerSecond)} × real time`
  if (figures.unit !== 'flops') return formatRate(figures.bytesPerSecond)
  return `${formatFlops(figures.unitsPerSecond)}/s`
}

/** Operations done of a matrix product: `, 12.3 GFLOP done`; samples are in the dimensions, so there is nothing to add. */
export function formatWork({ unit, units }: Pick<JobFigures, 'unit' | 'units'>): string {
  return unit === 'flops' ? `, ${formatFlops(units)} done` : ''
}

/** Tiles of a matrix product, else nothing to say. */
export function formatTiles(dimensions: JobDimensions | undefined): string {
  if (dimensions === undefined || !('tileRows' in dimensions)) return ''
  const { tileRows, tileColumns } = dimensions
  return `, tiles of ${tileRows}×${tileColumns} (${formatBytes(tileRows * tileColumns * 4)})`
}
