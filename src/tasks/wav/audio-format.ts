/** How one sample lies in a file: unsigned or signed integers, or floats, little-endian. */
export type SampleEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64'

/** Bytes of one sample. */
export const SAMPLE_BYTES: Readonly<Record<SampleEncoding, number>> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 }

/** What audio is, whatever it lies in. A frame is one sample of every channel. */
export interface AudioShape {
  /** In Hz. */
  readonly sampleRate: number
  /** 1 to {@link CHANNELS_MAX}. */
  readonly channels: number
  readonly frames: number
}

/** Frames `start` up to, but without, `end`; counted from 0. */
export interface FrameRange {
  readonly start: number
  readonly end: number
}

export const CHANNELS_MAX = 32
export const SAMPLE_RATE_MIN = 8_000
export const SAMPLE_RATE_MAX = 384_000
