/** What is measured of audio, as people read it. Levels that are −∞ (silence) are null, since JSON has no infinity. */
export interface LevelFigures {
  readonly durationSeconds: number
  /** EBU R128: integrated, range, and the greatest of 400 ms and of 3 s. */
  readonly loudnessLufs: number | null
  readonly loudnessRangeLu: number | null
  readonly momentaryMaxLufs: number | null
  readonly shortTermMaxLufs: number | null
  readonly channels: readonly ChannelFigures[]
}

/** One channel; levels relative to full scale. */
export interface ChannelFigures {
  readonly peakDbfs: number | null
  /** Between samples too. */
  readonly truePeakDbtp: number | null
  readonly rmsDbfs: number | null
  readonly dcOffset: number
  /** Samples at full scale or beyond, and the longest run of them. */
  readonly fullScaleSamples: number
  readonly longestFullScaleRun: number
}

/** What a wav job says of its audio. */
export interface AudioFigures {
  /** The chain in its normal form. */
  readonly effects: string
  /** Encoding of the result's samples. */
  readonly format: string
  readonly dithered: boolean
  /** Samples that the result's format could not hold, by channel. */
  readonly clippedSamples: readonly number[]
  /** Samples of the input that were no finite number, and were read as 0 or full scale. */
  readonly nonFiniteSamples?: number
  /** Of the input, as far as the effects use it. */
  readonly before: LevelFigures
  readonly after: LevelFigures
}

/** What a silence job says of its audio; times in seconds. */
export interface SilenceFigures {
  readonly duration: number
  readonly silences: number
  readonly sounds: number
  readonly silentSeconds: number
  readonly soundSeconds: number
  readonly bridgedBursts: number
  readonly settings: object
}

/** What a voice job says of its audio; times in seconds. */
export interface VoiceFigures {
  readonly duration: number
  /** Stretches of speech, and how long they are together. */
  readonly stretches: number
  readonly speechSeconds: number
  readonly settings: object
}

/** What the segments of a job found together. */
export type JobFindings = AudioFigures | SilenceFigures | VoiceFigures
