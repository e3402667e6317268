import type { AudioShape, FrameRange } from '../../src/tasks/wav/audio-format.ts'
import { parseChain } from '../../src/tasks/wav/chain/parse-chain.ts'
import { type PlannedChain, planChain } from '../../src/tasks/wav/chain/plan-chain.ts'
import { splitPasses } from '../../src/tasks/wav/chain/split-passes.ts'
import {
  BLOCK_FRAMES,
  type FrameStream,
  type PlanResources,
  type SignalSummary
} from '../../src/tasks/wav/effects/effect.ts'
import { planMeasure } from '../../src/tasks/wav/measure/measure-layout.ts'
import { RangeMeasure } from '../../src/tasks/wav/measure/range-measure.ts'
import { reduceMeasures, summaryOf } from '../../src/tasks/wav/measure/reduce-measures.ts'

/** A source of frames, such as a file. */
export interface FrameSource {
  readonly shape: AudioShape
  open(range: FrameRange): FrameStream
}

/**
 * A chain over a whole source in one run, in Float64 all the way: no segments, no files between passes. What an effect needs
 * to know of its whole input is measured in such a run too.
 */
export function unbroken(effects: string, source: FrameSource, impulse?: PlanResources['impulse']): FrameSource {
  let input = source
  for (const [index, pass] of splitPasses(parseChain(effects)).entries()) {
    const measured = index === 0 ? undefined : measureWhole(input)
    const resources = { ...(measured !== undefined && { measured }), ...(impulse !== undefined && { impulse }) }
    const chain = planChain(pass, input.shape, resources)
    input = new UnbrokenPass(chain, input, index === 0)
  }
  return input
}

class UnbrokenPass implements FrameSource {
  readonly shape: AudioShape
  readonly #chain: PlannedChain
  readonly #input: FrameSource
  /** Whether any range of the input is the same frames as in a whole run. */
  readonly #isFile: boolean

  constructor(chain: PlannedChain, input: FrameSource, isFile: boolean) {
    this.shape = chain.output
    this.#chain = chain
    this.#input = input
    this.#isFile = isFile
  }

  open(range: FrameRange): FrameStream {
    return this.#chain.open(range, (wanted) => {
      if (this.#isFile || wanted.start === 0) return this.#input.open(wanted)
      const stream = this.#input.open({ start: 0, end: wanted.end })
      skip(stream, wanted.start)
      return stream
    })
  }
}

function measureWhole(source: FrameSource): SignalSummary {
  const { shape } = source
  const layout = planMeasure(shape)
  const range = { start: 0, end: shape.frames }
  const measure = new RangeMeasure(layout, range)
  const stream = source.open(range)
  const block = blockOf(shape)
  for (let frame = 0; frame < shape.frames; frame += BLOCK_FRAMES) {
    const count = Math.min(BLOCK_FRAMES, shape.frames - frame)
    stream.read(block, count)
    measure.feed(block, count)
  }
  return summaryOf(reduceMeasures(layout, [{ range, bytes: measure.finish() }]))
}

function skip(stream: FrameStream, frames: number): void {
  const block = blockOf(stream)
  for (let done = 0; done < frames; done += BLOCK_FRAMES) stream.read(block, Math.min(BLOCK_FRAMES, frames - done))
}

/** Room for {@link BLOCK_FRAMES} of each channel. */
export function blockOf({ channels }: { readonly channels: number }): readonly Float64Array[] {
  return Array.from({ length: channels }, () => new Float64Array(BLOCK_FRAMES))
}
