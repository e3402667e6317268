import type { AudioShape } from '../audio-format.ts'
import { planTruePeak } from '../measure/true-peak-filter.ts'
import { copyFrames, sampleLoops } from '../samples/loops/sample-loops.ts'
import { type CarryingKernel, carried } from './carried-stream.ts'
import { DelayLine } from './delay-line.ts'
import { type PlannedEffect, PRE_ROLL_LEVEL } from './effect.ts'
import { decayPerFrame, framesToDecay, LOUDEST_INPUT } from './envelope-time.ts'
import { LimitDetector, TRUE_PEAK_HOLD } from './limit-detector.ts'
import { LimitEnvelope } from './limit-envelope.ts'

/** What a limiter keeps to. */
export interface LimitLaw {
  /** Greatest magnitude of the output; 1 is full scale. */
  readonly ceiling: number
  /** Whether it holds between samples too. */
  readonly isTruePeak: boolean
  /** Factor in front of it. */
  readonly gain: number
  /** Frames of the way down, from 1. */
  readonly lookahead: number
  /** In seconds. */
  readonly release: number
}

/** How far before full scale a limiter between samples stays: what the slope of its gain may add between them. */
const TRUE_PEAK_MARGIN = 0.995

/**
 * A limiter of audio of a shape.
 *
 * Pre-roll: behind the frames that it looks at, the reduction's distance to that of the unbroken run, at most 1, falls by
 * the release's factor at each frame, and the distance of outputs is that times the input.
 */
export function planLimiter(law: LimitLaw, input: AudioShape): PlannedEffect {
  const release = decayPerFrame(law.release, input.sampleRate)
  const held = law.lookahead + (law.isTruePeak ? TRUE_PEAK_HOLD : 0)
  const latency = held - 1
  const decay = framesToDecay(release, PRE_ROLL_LEVEL / (LOUDEST_INPUT * Math.max(law.gain, 1)))
  const preRoll = decay + held + law.lookahead + 2 * TRUE_PEAK_HOLD
  const reach = { before: preRoll, after: latency }
  return { output: input, ...carried(input, reach, () => new LimitKernel(input, law, held, release)) }
}

/** A limiter at work, linked over all channels; it gives frames `held − 1` late. */
class LimitKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #law: LimitLaw
  readonly #detector: LimitDetector
  readonly #envelope: LimitEnvelope
  readonly #lines: readonly DelayLine[]
  /** Greatest level that is left alone. */
  readonly #ceiling: number

  constructor({ channels, sampleRate }: AudioShape, law: LimitLaw, held: number, release: number) {
    this.inputChannels = channels
    this.channels = channels
    this.#law = law
    this.#ceiling = law.isTruePeak ? law.ceiling * TRUE_PEAK_MARGIN : law.ceiling
    this.#detector = new LimitDetector(channels, this.#ceiling, law.isTruePeak ? planTruePeak(sampleRate) : undefined)
    this.#envelope = new LimitEnvelope(held, law.lookahead, release)
    this.#lines = Array.from({ length: channels }, () => new DelayLine(held - 1))
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    const loops = sampleLoops()
    const { run, levelsAt } = loops
    const { gain, ceiling } = this.#law
    for (let channel = 0; channel < this.channels; channel++) {
      copyFrames(input[channel] as Float64Array, 0, count, loops.blocks[channel] as Float64Array, 0)
      if (gain !== 1) run.scale(loops.blockAt(channel), gain, count)
    }
    const isAbove = this.#detector.detect(count)
    if (isAbove) run.turnIntoReductions(levelsAt, this.#ceiling, count)
    const isReduced = this.#envelope.follow(loops.levels, isAbove, count)
    for (const [channel, line] of this.#lines.entries()) {
      const block = loops.blocks[channel] as Float64Array
      line.exchange(block, block, 0, count)
      if (isReduced) run.reduce(loops.blockAt(channel), levelsAt, ceiling, count)
      copyFrames(block, 0, count, output[channel] as Float64Array, at)
    }
  }

  settle(): void {
    this.#envelope.settle()
  }
}
