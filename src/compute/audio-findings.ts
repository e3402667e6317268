import type { SegmentFindings } from '../domain/compute.ts'
import type { LevelFigures } from '../domain/findings.ts'
import type { AudioShape } from '../tasks/wav/audio-format.ts'
import { gainToDecibels } from '../tasks/wav/math/exact-math.ts'
import type { MeasureLayout } from '../tasks/wav/measure/measure-layout.ts'
import type { Measures } from '../tasks/wav/measure/reduce-measures.ts'
import { PALETTE } from '../tasks/wav/pictures/colour-map.ts'
import { drawSpectrogram } from '../tasks/wav/pictures/spectrogram-picture.ts'
import { drawWaveform } from '../tasks/wav/pictures/waveform-picture.ts'
import type { WavPasses } from '../tasks/wav/wav-passes.ts'
import type { WavMeasures } from '../tasks/wav/wav-reports.ts'
import { encodePng } from './png.ts'

/** File names of the pictures of a result. */
const WAVEFORM_NAME = 'waveform.svg'
const SPECTROGRAM_NAME = 'spectrogram.png'
/** Of a spectrogram's levels: a sine at full scale, and steps in dB. @see Measures.spectrogram */
const FULL_LEVEL = 255
const LEVELS_PER_DB = 2

/** What a wav job gives beside its audio: measures before and after, and pictures of the result. */
export function audioFindings(passes: WavPasses, measures: WavMeasures): SegmentFindings {
  const { before, after, clipped, nonFinite, layout } = measures
  const { plan } = passes
  return {
    figures: {
      effects: plan.chain,
      format: plan.output.encoding,
      dithered: plan.output.dither,
      ...(nonFinite > 0 && { nonFiniteSamples: nonFinite }),
      clippedSamples: clipped,
      before: figuresOf(before),
      after: figuresOf(after)
    },
    files: [
      { name: WAVEFORM_NAME, bytes: new TextEncoder().encode(waveformOf(layout.shape, after)) },
      { name: SPECTROGRAM_NAME, bytes: spectrogramOf(layout, after) }
    ]
  }
}

function figuresOf(measures: Measures): LevelFigures {
  const { durationSeconds, loudness, loudnessRange, momentaryMax, shortTermMax, channels } = measures
  return {
    durationSeconds,
    loudnessLufs: rounded(loudness),
    loudnessRangeLu: rounded(loudnessRange),
    momentaryMaxLufs: rounded(momentaryMax),
    shortTermMaxLufs: rounded(shortTermMax),
    channels: channels.map((channel) => ({
      peakDbfs: rounded(gainToDecibels(channel.peak)),
      truePeakDbtp: rounded(gainToDecibels(channel.truePeak)),
      rmsDbfs: rounded(gainToDecibels(channel.rms)),
      dcOffset: channel.dcOffset,
      fullScaleSamples: channel.clippedSamples,
      longestFullScaleRun: channel.longestClippedRun
    }))
  }
}

function waveformOf({ channels, frames, sampleRate }: AudioShape, measures: Measures): string {
  const bins = measures.channels.map(({ minima, maxima }) => ({ min: minima, max: maxima }))
  return drawWaveform({ channels, frames, sampleRate, bins })
}

function spectrogramOf({ shape, spectrogramColumns, spectrogramSize }: MeasureLayout, measures: Measures): Uint8Array {
  const { spectrogram } = measures
  const db = new Float32Array(spectrogram.length)
  // A loop, since `Float32Array.from` takes a quarter of a second for a million levels (measured).
  for (let index = 0; index < db.length; index++) db[index] = ((spectrogram[index] ?? 0) - FULL_LEVEL) / LEVELS_PER_DB
  const { height, pixels, width } = drawSpectrogram({
    columns: spectrogramColumns,
    bands: spectrogramSize / 2 + 1,
    db,
    sampleRate: shape.sampleRate,
    durationSeconds: measures.durationSeconds
  })
  return encodePng(width, height, pixels, PALETTE)
}

function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 100) / 100 : null
}
