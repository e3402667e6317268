import type { AudioShape, FrameRange } from '../../../../src/tasks/wav/audio-format.ts'
import { parseChain } from '../../../../src/tasks/wav/chain/parse-chain.ts'
import { type PlannedChain, planChain } from '../../../../src/tasks/wav/chain/plan-chain.ts'
import { BLOCK_FRAMES, type FrameStream, type PlanResources } from '../../../../src/tasks/wav/effects/effect.ts'

/** Audio in memory: [channels][frames]. */
export interface Signal {
  readonly sampleRate: number
  readonly samples: readonly Float64Array[]
}

/** Streams a range of a signal; throws when more is read than was asked for. */
export class SignalStream implements FrameStream {
  readonly channels: number
  readonly #samples: readonly Float64Array[]
  readonly #end: number
  #next: number

  constructor(samples: readonly Float64Array[], { start, end }: FrameRange) {
    this.channels = samples.length
    this.#samples = samples
    this.#next = start
    this.#end = end
  }

  read(out: readonly Float64Array[], count: number): void {
    const end = this.#next + count
    if (count < 1 || count > BLOCK_FRAMES || end > this.#end) {
      throw new RangeError(`read ${count} frames from ${this.#next}, but the range ends at ${this.#end}`)
    }
    for (const [channel, samples] of this.#samples.entries()) out[channel]?.set(samples.subarray(this.#next, end))
    this.#next = end
  }
}

/** Shape of a signal. */
export function shapeOf({ sampleRate, samples }: Signal): AudioShape {
  return { sampleRate, channels: samples.length, frames: samples[0]?.length ?? 0 }
}

/** Plans a chain's text for a signal. */
export function planFor(text: string, signal: Signal, resources: PlanResources = {}): PlannedChain {
  return planChain(parseChain(text), shapeOf(signal), resources)
}

/** Frames of a range of a chain's output, read in blocks of the given sizes in turn. */
export function runRange(
  plan: PlannedChain,
  signal: Signal,
  range: FrameRange,
  blocks: readonly number[] = [BLOCK_FRAMES]
): readonly Float64Array[] {
  const { channels } = plan.output
  const result = Array.from({ length: channels }, () => new Float64Array(range.end - range.start))
  if (range.end === range.start) return result
  const stream = plan.open(range, (wanted) => new SignalStream(signal.samples, wanted))
  const block = Array.from({ length: channels }, () => new Float64Array(BLOCK_FRAMES))
  for (let done = 0, turn = 0; done < range.end - range.start; turn++) {
    const count = Math.min(blocks[turn % blocks.length] ?? BLOCK_FRAMES, range.end - range.start - done)
    stream.read(block, count)
    for (const [channel, samples] of block.entries()) result[channel]?.set(samples.subarray(0, count), done)
    done += count
  }
  return result
}

/** The whole output of a chain's text in one run. */
export function runWhole(text: string, signal: Signal): readonly Float64Array[] {
  const plan = planFor(text, signal)
  return runRange(plan, signal, { start: 0, end: plan.output.frames })
}

/** White noise of a seed, rounded to floats, so that files of float 32 hold it exactly. */
export function noise(seed: number, channels: number, frames: number, level = 0.25): readonly Float64Array[] {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  const samples = Array.from({ length: channels }, () => new Float64Array(frames))
  for (let frame = 0; frame < frames; frame++) {
    for (const channel of samples) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      channel[frame] = Math.fround((state / 2 ** 31 - 1) * level)
    }
  }
  return samples
}

/** A sine that rises from 10 Hz to half the sample rate, rounded to floats. */
export function sweep(sampleRate: number, frames: number, level = 0.25): Float64Array {
  const top = sampleRate / 2 / 10
  const scale = (2 * Math.PI * 10 * frames) / sampleRate / Math.log(top)
  return Float64Array.from({ length: frames }, (_, frame) =>
    Math.fround(level * Math.sin(scale * (top ** (frame / frames) - 1)))
  )
}

/** Greatest difference of two signals of the same shape. @throws RangeError when the shapes differ */
export function greatestDifference(one: readonly Float64Array[], other: readonly Float64Array[]): number {
  if (one.length !== other.length) throw new RangeError(`${one.length} channels against ${other.length}`)
  let greatest = 0
  for (const [channel, samples] of one.entries()) {
    const others = other[channel] ?? new Float64Array(0)
    if (samples.length !== others.length) throw new RangeError(`${samples.length} frames against ${others.length}`)
    for (const [index, sample] of samples.entries()) {
      const difference = Math.abs(sample - (others[index] ?? Number.NaN))
      if (!(difference <= greatest)) greatest = difference
    }
  }
  return greatest
}
