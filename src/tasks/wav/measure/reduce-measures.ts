import { EXIT_CODES, SwarmError } from '../../../errors.ts'
import type { FrameRange } from '../audio-format.ts'
import type { SignalSummary } from '../effects/effect.ts'
import { type ClippedRuns, joinClippedRuns, NO_CLIPPED_RUNS } from './clipped-runs.ts'
import { gatedLoudness } from './gated-loudness.ts'
import { type ChannelPart, type MeasurePart, parseMeasurePart } from './measure-bytes.ts'
import { binsOf, columnsOf, hopCount, type MeasureLayout } from './measure-layout.ts'

/** What is measured of one channel. Magnitudes are relative to full scale. */
export interface ChannelMeasures {
  readonly peak: number
  /** Between samples as well; never below {@link ChannelMeasures.peak}. */
  readonly truePeak: number
  readonly rms: number
  readonly dcOffset: number
  /** Samples of magnitude 1 or more, and the longest run of them. */
  readonly clippedSamples: number
  readonly longestClippedRun: number
  /** [waveformBins] least and greatest sample of each run of frames. */
  readonly minima: Float32Array
  readonly maxima: Float32Array
}

/** What is measured of a file. Loudness is in LUFS (−Infinity: nothing above the gates), its range in LU. */
export interface Measures {
  readonly durationSeconds: number
  readonly channels: readonly ChannelMeasures[]
  readonly loudness: number
  readonly loudnessRange: number
  readonly momentaryMax: number
  readonly shortTermMax: number
  /**
   * [spectrogramColumns][spectrogramSize / 2 + 1] levels, the mean power of the channels: 255 is a sine at full scale, each
   * step below 0.5 dB less. Row k is at k · rate / spectrogramSize Hz.
   */
  readonly spectrogram: Uint8Array
}

/** The measures of one range, as they came. */
export interface RangeMeasureBytes {
  readonly range: FrameRange
  readonly bytes: Uint8Array
}

/**
 * Joins the measures of ranges to the measures of the file. Sums are kept by hop and added in the order of frames, so what
 * comes out does not depend on where the ranges were cut.
 * @param parts in any order; their ranges are the file's frames, each once
 * @throws SwarmError MEASURE_INVALID when frames are missing or measured twice, or bytes are not a measure of their range
 */
export function reduceMeasures(layout: MeasureLayout, parts: readonly RangeMeasureBytes[]): Measures {
  const joined = new JoinedMeasures(layout)
  let frame = 0
  for (const { range, bytes } of [...parts].sort(
    (a, b) => a.range.start - b.range.start || a.range.end - b.range.end
  )) {
    const isHop = range.end % layout.hopFrames === 0 || range.end === layout.shape.frames
    if (range.start !== frame || range.end < frame || range.end > layout.shape.frames || !isHop) {
      throw invalid(
        `expected measures from frame ${frame} on, to a hop's end; got frames ${range.start} to ${range.end}`
      )
    }
    joined.add(range, parseMeasurePart(layout, range, bytes))
    frame = range.end
  }
  if (frame !== layout.shape.frames) {
    throw invalid(`expected measures of ${layout.shape.frames} frames, got those of ${frame}`)
  }
  return joined.measures()
}

/** What effects are planned with, out of a file's measures. */
export function summaryOf(measures: Measures): SignalSummary {
  return {
    peaks: measures.channels.map((channel) => channel.peak),
    truePeaks: measures.channels.map((channel) => channel.truePeak),
    dcOffsets: measures.channels.map((channel) => channel.dcOffset),
    loudness: measures.loudness
  }
}

/** One channel, as far as ranges have been joined. */
class JoinedChannel {
  peak = 0
  truePeak = 0
  sum = 0
  squares = 0
  clipped: ClippedRuns = NO_CLIPPED_RUNS
  readonly minima: Float32Array
  readonly maxima: Float32Array

  constructor(layout: MeasureLayout) {
    this.minima = new Float32Array(layout.waveformBins).fill(Number.POSITIVE_INFINITY)
    this.maxima = new Float32Array(layout.waveformBins).fill(Number.NEGATIVE_INFINITY)
  }

  add(part: ChannelPart, firstBin: number): void {
    this.peak = Math.max(this.peak, part.peak)
    this.truePeak = Math.max(this.truePeak, part.truePeak)
    this.clipped = joinClippedRuns(this.clipped, part.clipped)
    for (const sum of part.sums) this.sum += sum
    for (const squares of part.squares) this.squares += squares
    for (let i = 0; i < part.minima.length; i++) {
      const bin = firstBin + i
      this.minima[bin] = Math.min(this.minima[bin] as number, part.minima[i] as number)
      this.maxima[bin] = Math.max(this.maxima[bin] as number, part.maxima[i] as number)
    }
  }

  measures(frames: number): ChannelMeasures {
    const count = Math.max(1, frames)
    return {
      peak: this.peak,
      truePeak: this.truePeak,
      rms: Math.sqrt(this.squares / count),
      dcOffset: this.sum / count,
      clippedSamples: this.clipped.count,
      longestClippedRun: this.clipped.longest,
      minima: this.minima,
      maxima: this.maxima
    }
  }
}

class JoinedMeasures {
  readonly #layout: MeasureLayout
  readonly #channels: readonly JoinedChannel[]
  readonly #hopPowers: Float64Array
  readonly #levels: Uint8Array

  constructor(layout: MeasureLayout) {
    const { shape } = layout
    this.#layout = layout
    this.#channels = Array.from({ length: shape.channels }, () => new JoinedChannel(layout))
    this.#hopPowers = new Float64Array(hopCount(layout, { start: 0, end: shape.frames }))
    this.#levels = new Uint8Array(layout.spectrogramColumns * (layout.spectrogramSize / 2 + 1))
  }

  add(range: FrameRange, part: MeasurePart): void {
    const firstBin = binsOf(this.#layout, range).first
    const firstHop = range.start / this.#layout.hopFrames
    for (const [index, joined] of this.#channels.entries()) {
      const channel = part.channels[index] as ChannelPart
      joined.add(channel, firstBin)
      const weight = (this.#layout.weights[index] ?? 1) / this.#layout.hopFrames
      for (let hop = 0; hop < channel.weightedSquares.length; hop++) {
        const at = firstHop + hop
        this.#hopPowers[at] = (this.#hopPowers[at] as number) + weight * (channel.weightedSquares[hop] as number)
      }
    }
    const firstLevel = columnsOf(this.#layout, range).first * (this.#layout.spectrogramSize / 2 + 1)
    for (let i = 0; i < part.levels.length; i++) {
      const at = firstLevel + i
      this.#levels[at] = Math.max(this.#levels[at] as number, part.levels[i] as number)
    }
  }

  measures(): Measures {
    const { shape, hopFrames } = this.#layout
    const loudness = gatedLoudness(this.#hopPowers.subarray(0, Math.floor(shape.frames / hopFrames)))
    return {
      durationSeconds: shape.frames / shape.sampleRate,
      channels: this.#channels.map((channel) => channel.measures(shape.frames)),
      loudness: loudness.integrated,
      loudnessRange: loudness.range,
      momentaryMax: loudness.momentaryMax,
      shortTermMax: loudness.shortTermMax,
      spectrogram: this.#levels
    }
  }
}

function invalid(message: string): SwarmError {
  return new SwarmError('MEASURE_INVALID', message, { exitCode: EXIT_CODES.usage })
}
