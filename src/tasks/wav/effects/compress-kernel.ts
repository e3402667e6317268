import { copyFrames, sampleLoops } from '../samples/loops/sample-loops.ts'
import { type CarryingKernel, STATE_FLOOR } from './carried-stream.ts'
import { exp2Negative } from './envelope-octaves.ts'

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
  /** As the loops read it. @see samples/loops/assembly/compress.ts */
  readonly #law: Float64Array
  /** In octaves, from 0. */
  #reduction = 0

  constructor(channels: number, { threshold, slope, knee, makeup, attack, release }: CompressLaw) {
    this.inputChannels = channels
    this.channels = channels
    // Levels up to this are not reduced. Rounded down by more than the logarithm's error, and never 0.
    const quietest = exp2Negative(-Math.min(threshold - knee / 2, 0)) * (1 - 1e-9)
    const bend = knee > 0 ? slope / (2 * knee) : 0
    this.#law = Float64Array.of(threshold, knee / 2, slope, bend, makeup, attack, release, quietest)
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    const loops = sampleLoops()
    const { run, levelsAt, parametersAt } = loops
    loops.levels.fill(0, 0, count)
    for (let channel = 0; channel < this.channels; channel++) {
      copyFrames(input[channel] as Float64Array, 0, count, loops.blocks[channel] as Float64Array, 0)
      run.raiseToMagnitudes(levelsAt, loops.blockAt(channel), count)
    }
    loops.parameters.set(this.#law)
    this.#reduction = run.turnIntoGains(levelsAt, count, parametersAt, this.#reduction)
    for (let channel = 0; channel < this.channels; channel++) {
      run.multiply(loops.blockAt(channel), levelsAt, count)
      copyFrames(loops.blocks[channel] as Float64Array, 0, count, output[channel] as Float64Array, at)
    }
  }

  settle(): void {
    if (this.#reduction < STATE_FLOOR) this.#reduction = 0
  }
}
