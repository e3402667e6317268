import type { AudioShape, FrameRange } from '../audio-format.ts'

/** Frames that are read at once at most: what buffers between effects have room for. */
export const BLOCK_FRAMES = 1024

/** How far the state after a pre-roll may be from the unbroken one, relative to full scale: −140 dB. */
export const PRE_ROLL_LEVEL = 1e-7

/** Audio as it flows from effect to effect: consecutive frames of a range, read once, in order. */
export interface FrameStream {
  readonly channels: number
  /**
   * Reads the next frames.
   * @param out [channels][≥ count] samples, full scale ±1; overwritten from index 0
   * @param count 1 to {@link BLOCK_FRAMES}; never beyond the range that the stream was opened with
   */
  read(out: readonly Float64Array[], count: number): void
}

/** What an effect is told, by parameter name. Times are in seconds, frequencies in Hz, gains in dB, widths as `1.2q`. */
export type Settings = Readonly<Record<string, number | string | undefined>>

/** One word behind an effect's name, as parser, normal form and `swarm effects` know it. */
export interface Parameter {
  readonly name: string
  /** For people, for example `cut-off frequency`. */
  readonly summary: string
  /**
   * How the word is read: `width` is a number with q, h (Hz) or o (octaves); `time` takes `1.5`, `250ms`, `1:30`, `48000s`
   * (samples); `level` a number with one of `units` behind it; `choice` one of `choices`; `file` a path.
   */
  readonly kind: 'number' | 'frequency' | 'gain' | 'time' | 'width' | 'percent' | 'level' | 'choice' | 'file'
  /** Least and greatest value, in the unit that {@link Settings} names; for numbers and their likes. */
  readonly min?: number
  readonly max?: number
  /** Of a `level`: what may follow the number; the first is meant when nothing does. The setting is text such as `-16LUFS`. */
  readonly units?: readonly string[]
  readonly choices?: readonly string[]
  /** Taken when the word is left out; a parameter without one is required, unless `optional`. */
  readonly fallback?: number | string
  /** May be left out without a fallback; its setting is undefined then. */
  readonly optional?: boolean
}

/** What all frames together say of a signal; the result of a pass that measures. */
export interface SignalSummary {
  /** Greatest sample magnitude, by channel; 1 is full scale. */
  readonly peaks: readonly number[]
  /** Greatest magnitude between samples as well (ITU-R BS.1770, 4 × oversampled), by channel. */
  readonly truePeaks: readonly number[]
  /** Mean sample, by channel. */
  readonly dcOffsets: readonly number[]
  /** EBU R128 integrated loudness in LUFS; −Infinity for silence. */
  readonly loudness: number
}

/** What a plan needs beside settings and shape. */
export interface PlanResources {
  /** Of the effect's whole input; given to effects that {@link EffectKind.measures}. */
  readonly measured?: SignalSummary
  /** Samples of an impulse response by the path that the chain names: [channels][frames], full scale ±1. */
  readonly impulse?: (path: string) => { readonly sampleRate: number; readonly channels: readonly Float64Array[] }
}

/**
 * An effect that knows its input's shape. Pure data and functions; it holds no state of a signal.
 *
 * Definition of its output: what one unbroken run gives that starts with frame 0 and state zero, with silence behind the
 * input's last frame. A stream of a range of it starts a pre-roll earlier, so that its state is within
 * {@link PRE_ROLL_LEVEL} of that run's; how long that is must follow from the settings alone, and its derivation is in the docs.
 */
export interface PlannedEffect {
  readonly output: AudioShape
  /**
   * Frames of input that a stream of `range` reads, pre-roll and look-ahead included, clipped to the input. Never shrinks when
   * `range` grows. `start` is 0 where the pre-roll would reach before the input. May be empty.
   */
  inputRange(range: FrameRange): FrameRange
  /**
   * Frames `range` of the output. `input` streams exactly {@link PlannedEffect.inputRange} of it, and need not be read to its
   * end. Same range, same input: same bits on every machine, since only + − × ÷ √, comparisons and rounding are used and
   * constants come of `math/exact-math.ts`. State that decays is flushed to 0 below 1e-30 at least every
   * {@link BLOCK_FRAMES} frames, by rules that depend on the range alone, since denormal numbers are slow.
   */
  open(range: FrameRange, input: FrameStream): FrameStream
}

/** One effect of the catalogue. */
export interface EffectKind {
  readonly name: string
  /** One sentence for `swarm effects`. */
  readonly summary: string
  readonly parameters: readonly Parameter[]
  /** Whether the whole input has to be measured before the effect can be planned: a pass of its own over the swarm. */
  readonly measures?: boolean
  /** @throws SwarmError EFFECT_UNSUITABLE when settings do not fit together, or do not fit audio of this shape */
  plan(settings: Settings, input: AudioShape, resources: PlanResources): PlannedEffect
}
