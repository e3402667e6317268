import type { FrameRange } from '../audio-format.ts'
import { exactCos, exactSin } from '../math/exact-math.ts'

/** Samples in a second that come out. */
const VOICE_RATE = 16_000

/** Zeros of the sinc on each side: enough for a model, whose own analysis is coarser. */
const ZEROS = 12
/** A part of the band is given up, so that nothing is mirrored into speech. */
const BAND = 0.92
/** Positions between two frames that have weights of their own; others take the nearest. */
const PHASES_MAX = 1024

/**
 * Turns mono frames of any rate into 16 kHz. Sample n is a weighted sum of the frames around n / 16 kHz, so that it does not
 * depend on where a range begins. Frames outside the audio are silence.
 */
export class VoiceResampler {
  /** Frames on each side of a sample that it is made of. */
  readonly #reach: number
  readonly #ratio: number
  readonly #phases: number
  readonly #weights: Float64Array
  readonly #taps: number

  /** @param sampleRate of the frames, in Hz */
  constructor(sampleRate: number) {
    this.#ratio = sampleRate / VOICE_RATE
    const stretch = Math.max(1, this.#ratio) / BAND
    this.#reach = Math.ceil(ZEROS * stretch)
    this.#taps = 2 * this.#reach
    this.#phases = Math.min(PHASES_MAX, VOICE_RATE / greatestDivisor(sampleRate, VOICE_RATE))
    this.#weights = buildWeights(this.#phases, this.#reach, stretch)
  }

  /** Frames that samples `range` are made of; may reach beyond the audio on both sides. */
  framesOf(range: FrameRange): FrameRange {
    const { frame: start } = this.#locate(range.start)
    const { frame: end } = this.#locate(Math.max(range.start, range.end - 1))
    return { start: start - this.#reach + 1, end: end + this.#reach + 1 }
  }

  /**
   * Makes one sample.
   * @param frames of which the first is frame `first` of the audio, and which hold all of {@link VoiceResampler.framesOf} it
   */
  sample(index: number, frames: Float64Array, first: number): number {
    const { frame, phase } = this.#locate(index)
    const weights = this.#weights
    const taps = this.#taps
    const base = phase * taps
    const start = frame - this.#reach + 1 - first
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) sum += (weights[base + tap] as number) * (frames[start + tap] as number)
    return sum
  }

  #locate(index: number): { frame: number; phase: number } {
    const position = index * this.#ratio
    const frame = Math.floor(position)
    const phase = Math.round((position - frame) * this.#phases)
    return phase === this.#phases ? { frame: frame + 1, phase: 0 } : { frame, phase }
  }
}

/** Sinc under a Blackman window, each phase scaled to a sum of 1. @returns [phases × 2 reach] */
function buildWeights(phases: number, reach: number, stretch: number): Float64Array {
  const taps = 2 * reach
  const weights = new Float64Array(phases * taps)
  for (let phase = 0; phase < phases; phase += 1) {
    let sum = 0
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - reach + 1 - phase / phases
      const weight = sinc(distance / stretch) * blackman(distance / reach)
      weights[phase * taps + tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < taps; tap += 1) weights[phase * taps + tap] = (weights[phase * taps + tap] as number) / sum
  }
  return weights
}

function sinc(x: number): number {
  return x === 0 ? 1 : exactSin(Math.PI * x) / (Math.PI * x)
}

function blackman(x: number): number {
  if (x <= -1 || x >= 1) return 0
  return 0.42 + 0.5 * exactCos(Math.PI * x) + 0.08 * exactCos(2 * Math.PI * x)
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other)
}
