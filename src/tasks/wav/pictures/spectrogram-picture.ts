import { frequencyTicks, timeTicks } from './axis-ticks.ts'
import { COLOURS, INK, PAPER } from './colour-map.ts'
import { drawText, fillRectangle, GLYPH_HEIGHT, type Raster, textWidth } from './pixel-font.ts'

/** What a spectrogram is drawn from. */
export interface Spectrogram {
  /** Steps of time, evenly over the duration. */
  readonly columns: number
  /** Steps of frequency, evenly from 0 to half the sample rate. */
  readonly bands: number
  /** [columns × bands] levels in dB of full scale, the lowest band of a column first; −Infinity for silence. */
  readonly db: Float32Array
  /** In Hz. */
  readonly sampleRate: number
  readonly durationSeconds: number
}

/** Levels in dB that get the first and the last colour. */
export const SPECTROGRAM_RANGE = { min: -120, max: 0 } as const

const PLOT_WIDTH_MAX = 1600
const PLOT_HEIGHT_MAX = 512
const PLOT_WIDTH_LEAST = 400
const PLOT_HEIGHT_LEAST = 256
const MARGIN = { left: 66, right: 92, top: 22, bottom: 42 } as const
const TICK_PIXELS = 6
const TEXT_SCALE = 2
const PIXELS_PER_TIME_TICK = 110
const PIXELS_PER_FREQUENCY_TICK = 44
const SCALE_WIDTH = 16
const SCALE_STEP_DB = 20

/**
 * Draws a spectrogram with axes of time and frequency, and a scale of its colours in dB.
 *
 * More columns or bands than the picture has pixels are put together by their loudest; fewer are drawn wider.
 *
 * @returns pixels of `PALETTE`
 * @throws RangeError when `db` has not [columns × bands] levels
 */
export function drawSpectrogram(spectrogram: Spectrogram): Raster {
  const { columns, bands, db } = spectrogram
  if (db.length !== columns * bands || columns < 1 || bands < 1) {
    throw new RangeError(
      `a spectrogram of ${columns} by ${bands} has that many levels, from 1 on, but got ${db.length}`
    )
  }
  const plot = {
    width: Math.min(PLOT_WIDTH_MAX, Math.max(PLOT_WIDTH_LEAST, columns)),
    height: Math.min(PLOT_HEIGHT_MAX, Math.max(PLOT_HEIGHT_LEAST, bands))
  }
  const width = MARGIN.left + plot.width + MARGIN.right
  const height = MARGIN.top + plot.height + MARGIN.bottom
  const raster = { width, height, pixels: new Uint8Array(width * height).fill(PAPER) }
  drawLevels(raster, spectrogram, plot.width, plot.height)
  drawFrame(raster, MARGIN.left, MARGIN.top, plot.width, plot.height)
  drawTime(raster, spectrogram.durationSeconds, plot.width, plot.height)
  drawFrequency(raster, spectrogram.sampleRate / 2, plot.height)
  drawScale(raster, plot.width, plot.height)
  return raster
}

function drawLevels(raster: Raster, spectrogram: Spectrogram, width: number, height: number): void {
  const { columns, bands, db } = spectrogram
  for (let x = 0; x < width; x += 1) {
    const firstColumn = Math.floor((x * columns) / width)
    const endColumn = Math.max(firstColumn + 1, Math.floor(((x + 1) * columns) / width))
    for (let y = 0; y < height; y += 1) {
      const firstBand = Math.floor((y * bands) / height)
      const endBand = Math.max(firstBand + 1, Math.floor(((y + 1) * bands) / height))
      let loudest = Number.NEGATIVE_INFINITY
      for (let column = firstColumn; column < endColumn; column += 1) {
        for (let band = firstBand; band < endBand; band += 1) {
          const level = db[column * bands + band] as number
          if (level > loudest) loudest = level
        }
      }
      raster.pixels[(MARGIN.top + height - 1 - y) * raster.width + MARGIN.left + x] = colourOf(loudest)
    }
  }
}

/** What is no number is drawn as silence. */
function colourOf(db: number): number {
  const { min, max } = SPECTROGRAM_RANGE
  const inRange = Math.max(min, Math.min(max, db))
  return Math.round(((inRange - min) / (max - min)) * (COLOURS - 1)) || 0
}

function drawFrame(raster: Raster, x: number, y: number, width: number, height: number): void {
  fillRectangle(raster, x - 1, y - 1, width + 2, 1, INK)
  fillRectangle(raster, x - 1, y + height, width + 2, 1, INK)
  fillRectangle(raster, x - 1, y - 1, 1, height + 2, INK)
  fillRectangle(raster, x + width, y - 1, 1, height + 2, INK)
}

function drawTime(raster: Raster, durationSeconds: number, width: number, height: number): void {
  const bottom = MARGIN.top + height + 1
  for (const { value, label } of timeTicks(durationSeconds, Math.floor(width / PIXELS_PER_TIME_TICK) + 1)) {
    const x = MARGIN.left + Math.round((value / Math.max(durationSeconds, 1e-9)) * (width - 1))
    fillRectangle(raster, x, bottom, 1, TICK_PIXELS, INK)
    drawText(raster, label, x - Math.floor(textWidth(label, TEXT_SCALE) / 2), bottom + TICK_PIXELS + 4, TEXT_SCALE, INK)
  }
}

function drawFrequency(raster: Raster, greatest: number, height: number): void {
  for (const { value, label } of frequencyTicks(greatest, Math.floor(height / PIXELS_PER_FREQUENCY_TICK) + 1)) {
    const y = MARGIN.top + height - 1 - Math.round((value / greatest) * (height - 1))
    fillRectangle(raster, MARGIN.left - 1 - TICK_PIXELS, y, TICK_PIXELS, 1, INK)
    drawLabelAt(raster, label, MARGIN.left - TICK_PIXELS - 5 - textWidth(label, TEXT_SCALE), y)
  }
  drawText(raster, 'Hz', 4, 4, TEXT_SCALE, INK)
}

function drawScale(raster: Raster, plotWidth: number, height: number): void {
  const left = MARGIN.left + plotWidth + 14
  const { min, max } = SPECTROGRAM_RANGE
  for (let y = 0; y < height; y += 1) {
    const db = min + ((max - min) * y) / (height - 1)
    for (let x = 0; x < SCALE_WIDTH; x += 1) {
      raster.pixels[(MARGIN.top + height - 1 - y) * raster.width + left + x] = colourOf(db)
    }
  }
  drawFrame(raster, left, MARGIN.top, SCALE_WIDTH, height)
  for (let db = min; db <= max; db += SCALE_STEP_DB) {
    const y = MARGIN.top + height - 1 - Math.round(((db - min) / (max - min)) * (height - 1))
    fillRectangle(raster, left + SCALE_WIDTH + 1, y, TICK_PIXELS, 1, INK)
    drawLabelAt(raster, `${db}`, left + SCALE_WIDTH + TICK_PIXELS + 4, y)
  }
  drawText(raster, 'dB', left, 4, TEXT_SCALE, INK)
}

function drawLabelAt(raster: Raster, label: string, x: number, middle: number): void {
  drawText(raster, label, x, middle - Math.floor((GLYPH_HEIGHT * TEXT_SCALE) / 2), TEXT_SCALE, INK)
}
