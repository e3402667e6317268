import { type CarryingKernel, STATE_FLOOR } from './carried-stream.ts'
import { BLOCK_FRAMES } from './effect.ts'
import { exp2Negative, log2Of } from './envelope-octaves.ts'

/** 20 log₁₀ 2. */
export const OCTAVE_DECIBELS = 6.020599913279624

/** A compressor's numbers. Levels are octaves of magnitude: {@link OCTAVE_DECIBELS} each, 0 at full scale. */
export interface CompressLaw {
  readonly threshold: number
  /** Reduction for each octave above the threshold: 1 − 1 / ratio. */
  readonly slope: number
  /** Width of the bend around the threshold. */
  readonly knee: number
  /** Factor of the output. */
  readonly makeup: number
  /** What is left after a frame of the way to more and to less reduction. */
  readonly attack: number
  readonly release: number
}

/** A compressor at work; its state is the reduction. */
export class CompressKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #law: CompressLaw
  /** Levels up to this are not reduced. */
  readonly #quietest: number
  readonly #gains = new Float64Array(BLOCK_FRAMES)
  /** In octaves, from 0. */
  #reduction = 0

  constructor(channels: number, law: CompressLaw) {
    this.inputChannels = channels
    this.channels = channels
    this.#law = law
    // Rounded down by more than the logarithm's error, and never 0.
    this.#quietest = exp2Negative(-Math.min(law.threshold - law.knee / 2, 0)) * (1 - 1e-9)
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    const gains = this.#gains
    gains.fill(0, 0, count)
    for (const samples of input) raiseToMagnitudes(gains, samples, count)
    this.#turnIntoGains(count)
    for (const [channel, samples] of input.entries()) {
      multiply(samples, gains, output[channel] as Float64Array, at, count)
    }
  }

  settle(): void {
    if (this.#reduction < STATE_FLOOR) this.#reduction = 0
  }

  /** Levels of frames become the gains that they get. */
  #turnIntoGains(count: number): void {
    const gains = this.#gains
    const quietest = this.#quietest
    const { threshold, slope, knee, makeup, attack, release } = this.#law
    const halfKnee = knee / 2
    const bend = knee > 0 ? slope / (2 * knee) : 0
    let reduction = this.#reduction
    for (let i = 0; i < count; i++) {
      const level = gains[i] as number
      let target = 0
      if (level > quietest) {
        const over = log2Of(level) - threshold
        if (over >= halfKnee) target = slope * over
        else if (over > -halfKnee) target = bend * (over + halfKnee) * (over + halfKnee)
      }
      reduction = target + (target > reduction ? attack : release) * (reduction - target)
      gains[i] = reduction === 0 ? makeup : makeup * exp2Negative(reduction)
    }
    this.#reduction = reduction
  }
}

function raiseToMagnitudes(levels: Float64Array, samples: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(samples[i] as number)
    if (magnitude > (levels[i] as number)) levels[i] = magnitude
  }
}

function multiply(samples: Float64Array, gains: Float64Array, out: Float64Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) out[at + i] = (samples[i] as number) * (gains[i] as number)
}
