import { gainToDecibels } from '../math/exact-math.ts'
import { timeTicks } from './axis-ticks.ts'

/** What a waveform is drawn from. */
export interface Waveform {
  /** In Hz. */
  readonly sampleRate: number
  readonly frames: number
  readonly channels: number
  /** By channel: least and greatest sample of each of evenly many parts of the audio, full scale ±1. */
  readonly bins: readonly { readonly min: Float32Array; readonly max: Float32Array }[]
}

/** How {@link drawWaveform} draws. */
export interface WaveformStyle {
  readonly title?: string
  /** `db` shows 60 dB below full scale on each side; the middle is all that is quieter. */
  readonly amplitude?: 'linear' | 'db'
}

const PLOT_WIDTH = 1200
/** More rows than this would be too many to look at, and too many bytes. */
const ROWS_MAX = 32
const COORDINATES_MAX = 18_000
const MARGIN = { left: 62, right: 20, top: 44, bottom: 34 } as const
const ROW_GAP = 14
const TIME_TICKS_MAX = 13
const DB_FLOOR = -60
const LINEAR_TICKS = [1, 0.5, 0, -0.5, -1]
const DB_TICKS = [0, -20, -40]
const TITLE_CHARACTERS_MAX = 120
const CHANNEL_COLOURS = ['#1f6f9f', '#b4532a']

interface Row {
  readonly top: number
  readonly height: number
  readonly amplitude: 'linear' | 'db'
}

/**
 * Draws a waveform as SVG, a row for each channel, with axes of amplitude and time; at most 300 KB.
 *
 * @returns the text of a file
 * @throws RangeError when there are not as many bins as channels
 */
export function drawWaveform(waveform: Waveform, style: WaveformStyle = {}): string {
  const { channels, bins, sampleRate, frames } = waveform
  if (bins.length !== channels) throw new RangeError(`${channels} channels have as many bins, but got ${bins.length}`)
  const rows = Math.min(channels, ROWS_MAX)
  const rowHeight = Math.max(48, Math.min(220, Math.floor(720 / Math.max(1, rows))))
  const plotHeight = rows * (rowHeight + ROW_GAP) - ROW_GAP
  const width = MARGIN.left + PLOT_WIDTH + MARGIN.right
  const height = MARGIN.top + plotHeight + MARGIN.bottom
  const columns = Math.min(PLOT_WIDTH, Math.floor(COORDINATES_MAX / (2 * Math.max(1, rows))))
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ' font-family="system-ui, sans-serif" font-size="11" fill="#333">\n',
    `<rect width="${width}" height="${height}" fill="#fff"/>\n`,
    `<text x="${MARGIN.left}" y="20" font-size="15">${escapeText(style.title ?? 'Waveform')}</text>\n`,
    `<text x="${MARGIN.left}" y="36" fill="#777">${describe(waveform)}</text>\n`
  ]
  for (let channel = 0; channel < rows; channel += 1) {
    const top = MARGIN.top + channel * (rowHeight + ROW_GAP)
    const row: Row = { top, height: rowHeight, amplitude: style.amplitude ?? 'linear' }
    parts.push(drawRow(row, channel), drawBins(row, bins[channel] as Waveform['bins'][number], columns, channel))
  }
  parts.push(drawTimeAxis(frames / sampleRate, MARGIN.top, plotHeight), '</svg>\n')
  return parts.join('')
}

function drawRow(row: Row, channel: number): string {
  const right = MARGIN.left + PLOT_WIDTH
  const lines = [
    `<rect x="${MARGIN.left}" y="${row.top}" width="${PLOT_WIDTH}" height="${row.height}" fill="#f6f7f8"/>\n`
  ]
  for (const { position, label } of amplitudeTicks(row.amplitude)) {
    const y = yOf(row, position)
    lines.push(`<path d="M${MARGIN.left} ${y}H${right}" stroke="#dcdfe2"/>`)
    if (row.height >= 90 || position === 0) {
      lines.push(`<text x="${MARGIN.left - 6}" y="${round(y + 4)}" text-anchor="end">${label}</text>\n`)
    }
  }
  lines.push(`<text x="12" y="${round(row.top + 10)}" font-weight="600">${channel + 1}</text>\n`)
  return lines.join('')
}

/** Position is 1 at the top of a row, −1 at its bottom. */
function amplitudeTicks(amplitude: Row['amplitude']): { position: number; label: string }[] {
  if (amplitude === 'linear') return LINEAR_TICKS.map((value) => ({ position: value, label: minus(value) }))
  const upper = DB_TICKS.map((db) => ({ position: 1 - db / DB_FLOOR, label: minus(db) }))
  const lower = upper.map(({ position, label }) => ({ position: -position, label }))
  return [...upper, { position: 0, label: minus(DB_FLOOR) }, ...lower]
}

/** One closed outline: along the greatest samples and back along the least. */
function drawBins(row: Row, { min, max }: Waveform['bins'][number], columns: number, channel: number): string {
  const count = Math.min(columns, max.length)
  const upper: string[] = []
  const lower: string[] = []
  for (let column = 0; column < count; column += 1) {
    const first = Math.floor((column * max.length) / count)
    const end = Math.max(first + 1, Math.floor(((column + 1) * max.length) / count))
    let least = Number.POSITIVE_INFINITY
    let greatest = Number.NEGATIVE_INFINITY
    for (let bin = first; bin < end; bin += 1) {
      least = Math.min(least, min[bin] as number)
      greatest = Math.max(greatest, max[bin] as number)
    }
    const x = round(MARGIN.left + ((column + 0.5) * PLOT_WIDTH) / count)
    upper.push(`${x} ${yOf(row, scaleSample(greatest, row.amplitude))}`)
    lower.push(`${x} ${yOf(row, scaleSample(least, row.amplitude))}`)
  }
  if (count === 0) return ''
  const colour = CHANNEL_COLOURS[channel % CHANNEL_COLOURS.length]
  return `<path d="M${upper.join('L')}L${lower.reverse().join('L')}Z" fill="${colour}" stroke="${colour}" stroke-width="0.7"/>\n`
}

function scaleSample(sample: number, amplitude: Row['amplitude']): number {
  if (!(Math.abs(sample) < Number.POSITIVE_INFINITY)) return 0
  if (amplitude === 'linear') return Math.max(-1, Math.min(1, sample))
  const height = 1 - Math.max(DB_FLOOR, Math.min(0, gainToDecibels(Math.abs(sample)))) / DB_FLOOR
  return sample < 0 ? -height : height
}

function drawTimeAxis(duration: number, top: number, height: number): string {
  const bottom = top + height
  return timeTicks(duration, TIME_TICKS_MAX)
    .map(({ value, label }) => {
      const x = round(MARGIN.left + (duration > 0 ? value / duration : 0) * PLOT_WIDTH)
      const line = `<path d="M${x} ${top}V${bottom + 5}" stroke="#c4c8cc" stroke-opacity="0.6"/>`
      return `${line}<text x="${x}" y="${bottom + 19}" text-anchor="middle">${label}</text>\n`
    })
    .join('')
}

function describe({ sampleRate, frames, channels }: Waveform): string {
  const seconds = (frames / sampleRate).toFixed(3)
  return `${channels} ${channels === 1 ? 'channel' : 'channels'}, ${sampleRate} Hz, ${frames} frames, ${seconds} s`
}

function yOf(row: Row, position: number): number {
  return round(row.top + ((1 - position) / 2) * row.height)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function minus(value: number): string {
  return String(value).replace('-', '−')
}

/** Text of a file's name may hold anything. @see https://www.w3.org/TR/xml/#charsets */
function escapeText(text: string): string {
  const short = text.length > TITLE_CHARACTERS_MAX ? `${text.slice(0, TITLE_CHARACTERS_MAX)}…` : text
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // Control characters and halves of surrogate pairs are not allowed in XML at all.
  const allowed = short.toWellFormed().replaceAll(/[\p{Cc}\ufffe\uffff]/gu, '�')
  return allowed.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
}
