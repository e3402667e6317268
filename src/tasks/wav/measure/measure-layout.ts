import type { AudioShape, FrameRange } from '../audio-format.ts'
import { channelWeights } from './channel-weights.ts'

const WAVEFORM_BINS_MAX = 2000
const SPECTROGRAM_COLUMNS_MAX = 1200
/** Windows that one column of a long file takes its greatest power from. */
const WINDOWS_PER_COLUMN_MAX = 4

/** What is measured of a file, and where its windows lie: follows from the file alone, never from how it is cut. */
export interface MeasureLayout {
  readonly shape: AudioShape
  /** Of each channel's energy in loudness. */
  readonly weights: readonly number[]
  /** 100 ms: what all sums are kept by. */
  readonly hopFrames: number
  /** At most 2000, each of a run of frames. */
  readonly waveformBins: number
  /** At most 1200, each of {@link MeasureLayout.windowsPerColumn} windows of {@link MeasureLayout.spectrogramSize} frames. */
  readonly spectrogramColumns: number
  /** Frames of a Fourier transform; a column has half as many rows plus one. */
  readonly spectrogramSize: number
  readonly windowsPerColumn: number
}

/**
 * Lays out the measures of a file.
 * @param options channelMask: loudspeakers as in WAVE_FORMAT_EXTENSIBLE, for the channels' weights in loudness; pictures: false
 *   where nobody draws them, which leaves a waveform of one bin and no spectrogram
 * @see libebur128 for the hop: 100 ms, rounded to frames
 */
export function planMeasure(
  shape: AudioShape,
  { channelMask, pictures = true }: { channelMask?: number | undefined; pictures?: boolean } = {}
): MeasureLayout {
  const { frames, sampleRate } = shape
  const spectrogramSize = sampleRate >= 32_000 ? 2048 : sampleRate >= 16_000 ? 1024 : 512
  const spectrogramColumns = !pictures
    ? 0
    : Math.min(SPECTROGRAM_COLUMNS_MAX, Math.ceil(frames / (spectrogramSize / 2)))
  const room = Math.floor(frames / (spectrogramColumns * spectrogramSize))
  return {
    shape,
    weights: channelWeights(shape.channels, channelMask),
    hopFrames: Math.floor((sampleRate + 5) / 10),
    waveformBins: Math.min(pictures ? WAVEFORM_BINS_MAX : 1, frames),
    spectrogramColumns,
    spectrogramSize,
    windowsPerColumn: frames === 0 || !pictures ? 1 : Math.max(1, Math.min(WINDOWS_PER_COLUMN_MAX, room))
  }
}

/**
 * Frames before a range that have to be fed so that its measures are within 1e-7 of an unbroken run's: 150 ms.
 *
 * The slowest of the filters is the high-pass of the K-weighting, with two poles at 38 Hz: in 150 ms its state falls by
 * e^(−2π · 38 · 0.15) = 2.8e-16, times the 36 time constants that a double pole adds. True-peak taps (12 frames) and transforms
 * (at most 64 ms) are shorter, and have all they need.
 */
export function measureWarmUpFrames(layout: MeasureLayout): number {
  return Math.ceil(layout.hopFrames * 1.5)
}

/** Hops that begin in a range: it begins at a hop's begin, and its last hop may be cut short by the file's end. */
export function hopCount(layout: MeasureLayout, range: FrameRange): number {
  return Math.ceil((range.end - range.start) / layout.hopFrames)
}

/** First frame of a waveform bin; the file's end for the bin behind the last. */
export function binStart(layout: MeasureLayout, bin: number): number {
  return Math.floor((bin * layout.shape.frames) / layout.waveformBins)
}

/** Bins that a range has frames of: `first` up to, but without, `end`. */
export function binsOf(layout: MeasureLayout, range: FrameRange): { first: number; end: number } {
  if (range.end <= range.start) return { first: 0, end: 0 }
  return { first: binOf(layout, range.start), end: binOf(layout, range.end - 1) + 1 }
}

function binOf(layout: MeasureLayout, frame: number): number {
  let bin = Math.floor((frame * layout.waveformBins) / layout.shape.frames)
  while (bin > 0 && binStart(layout, bin) > frame) bin--
  while (binStart(layout, bin + 1) <= frame) bin++
  return bin
}

/** Frames of a spectrogram window, as [from, until); it may reach before the file's begin and behind its end. */
export function windowStart(layout: MeasureLayout, window: number): number {
  const windows = layout.spectrogramColumns * layout.windowsPerColumn
  return Math.floor(((window + 0.5) * layout.shape.frames) / windows) - layout.spectrogramSize / 2
}

/** The frame behind the last that a window has of the file: in whose range it is measured. */
export function windowEnd(layout: MeasureLayout, window: number): number {
  return Math.min(layout.shape.frames, windowStart(layout, window) + layout.spectrogramSize)
}

/** Windows that a range measures: those whose last frame it has; `first` up to, but without, `end`. */
export function windowsOf(layout: MeasureLayout, range: FrameRange): { first: number; end: number } {
  return { first: windowsEndingBy(layout, range.start), end: windowsEndingBy(layout, range.end) }
}

/** How many windows end at `frame` or before it. */
function windowsEndingBy(layout: MeasureLayout, frame: number): number {
  let known = 0
  let beyond = layout.spectrogramColumns * layout.windowsPerColumn + 1
  while (beyond - known > 1) {
    const middle = Math.floor((known + beyond) / 2)
    if (windowEnd(layout, middle - 1) <= frame) known = middle
    else beyond = middle
  }
  return known
}

/** Columns that a range measures windows of: `first` up to, but without, `end`. */
export function columnsOf(layout: MeasureLayout, range: FrameRange): { first: number; end: number } {
  const windows = windowsOf(layout, range)
  if (windows.end <= windows.first) return { first: 0, end: 0 }
  const per = layout.windowsPerColumn
  return { first: Math.floor(windows.first / per), end: Math.floor((windows.end - 1) / per) + 1 }
}
