import type { AudioShape, FrameRange } from '../audio-format.ts'
import { planTruePeak } from '../measure/true-peak-filter.ts'
import { CarriedStream, type CarryingKernel, planarBlock, reachOf } from './carried-stream.ts'
import { DelayLine } from './delay-line.ts'
import { BLOCK_FRAMES, type FrameStream, type PlannedEffect, PRE_ROLL_LEVEL } from './effect.ts'
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
  const inputRange = (range: FrameRange): FrameRange => reachOf(range, preRoll, latency, input.frames)
  return {
    output: input,
    inputRange,
    open(range: FrameRange, stream: FrameStream): FrameStream {
      const from = Math.max(range.start - preRoll, 0)
      const kernel = new LimitKernel(input, law, held, release)
      return new CarriedStream(kernel, stream, {
        inputRange: inputRange(range),
        from,
        discarded: range.start - from + latency
      })
    }
  }
}

/** A limiter at work, linked over all channels; it gives frames `held − 1` late. */
class LimitKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #law: LimitLaw
  readonly #detector: LimitDetector
  readonly #envelope: LimitEnvelope
  readonly #lines: readonly DelayLine[]
  readonly #loud: readonly Float64Array[]
  readonly #levels = new Float64Array(BLOCK_FRAMES)
  readonly #reductions = new Float64Array(BLOCK_FRAMES)

  constructor({ channels, sampleRate }: AudioShape, law: LimitLaw, held: number, release: number) {
    this.inputChannels = channels
    this.channels = channels
    this.#law = law
    this.#detector = new LimitDetector(
      channels,
      law.ceiling * TRUE_PEAK_MARGIN,
      law.isTruePeak ? planTruePeak(sampleRate) : undefined
    )
    this.#envelope = new LimitEnvelope(held, law.lookahead, release)
    this.#lines = Array.from({ length: channels }, () => new DelayLine(held - 1))
    this.#loud = planarBlock(channels)
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    const { gain, ceiling, isTruePeak } = this.#law
    const levels = this.#levels
    for (const [channel, samples] of input.entries()) {
      amplify(samples, gain, this.#loud[channel] as Float64Array, count)
    }
    this.#detector.detect(this.#loud, levels, count)
    turnIntoReductions(levels, isTruePeak ? ceiling * TRUE_PEAK_MARGIN : ceiling, count)
    this.#envelope.follow(levels, this.#reductions, count)
    for (const [channel, line] of this.#lines.entries()) {
      const out = output[channel] as Float64Array
      line.exchange(this.#loud[channel] as Float64Array, out, at, count)
      reduce(out, at, this.#reductions, ceiling, count)
    }
  }

  settle(): void {
    this.#envelope.settle()
  }
}

function amplify(samples: Float64Array, gain: number, loud: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) loud[i] = (samples[i] as number) * gain
}

function turnIntoReductions(levels: Float64Array, ceiling: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const level = levels[i] as number
    levels[i] = level > ceiling ? 1 - ceiling / level : 0
  }
}

/** Rounding alone could lift a sample above the ceiling; the clip takes that away. */
function reduce(out: Float64Array, at: number, reductions: Float64Array, ceiling: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const sample = out[at + i] as number
    const turned = sample - sample * (reductions[i] as number)
    out[at + i] = Math.max(Math.min(turned, ceiling), -ceiling)
  }
}
