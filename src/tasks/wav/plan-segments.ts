import type { AudioShape } from './audio-format.ts'
import { parseChain } from './chain/parse-chain.ts'
import { planChain } from './chain/plan-chain.ts'
import { splitPasses } from './chain/split-passes.ts'
import { measureWarmUpFrames, planMeasure } from './measure/measure-layout.ts'
import { SEGMENTS_MAX } from './segments/segment-grid.ts'
import { loudestSummary, silentImpulse } from './wav-passes.ts'
import { type EncodedAudio, frameBytes, type WavPlan } from './wav-plan.ts'

/** A segment is so many times as long as what has to be run before it, as long as it has not {@link SEGMENT_BYTES_MAX}. */
const WARM_UPS = 8
const SEGMENT_SECONDS_MIN = 4
/** Bytes that a segment reads or gives, whichever is more. */
const SEGMENT_BYTES_MAX = 8 * 1024 * 1024
/** A short file is cut into as many segments, as long as each is longer than its warm-up and one second. */
const SEGMENTS_WANTED = 16

/**
 * Chooses the grid of segments for each pass: it depends on file and chain alone, never on peers or chunk sizes.
 * @returns output frames of a segment, by pass
 * @throws SwarmError CHAIN_INVALID, EFFECT_UNSUITABLE
 */
export function planSegments({
  source,
  chain,
  output,
  impulses
}: Omit<WavPlan, 'segmentFrames' | 'channelMask'>): readonly number[] {
  let input: EncodedAudio = source
  const impulse = (path: string) => silentImpulse({ impulses }, path)
  const passes = splitPasses(parseChain(chain))
  return passes.map((effects, index) => {
    const resources = { measured: loudestSummary(input), impulse }
    const planned = planChain(effects, input, resources)
    const given: EncodedAudio = {
      ...planned.output,
      encoding: index === passes.length - 1 ? output.encoding : effects.length === 0 ? input.encoding : 'f32'
    }
    const inputPerOutput = input.frames / Math.max(1, given.frames)
    const warmUp = planned.preRollFrames / Math.max(inputPerOutput, 1e-9) + measureWarmUpFrames(planMeasure(given))
    const bytesPerFrame = Math.max(frameBytes(input) * inputPerOutput, frameBytes(given))
    input = given
    const least = (given.frames * passes.length) / (SEGMENTS_MAX - passes.length)
    return segmentFrames(given, { warmUp, bytesPerFrame, least })
  })
}

interface SegmentCosts {
  /** Frames. */
  readonly warmUp: number
  readonly bytesPerFrame: number
  /** Frames below which a grid would have too many segments. */
  readonly least: number
}

function segmentFrames(shape: AudioShape, { warmUp, bytesPerFrame, least }: SegmentCosts): number {
  const { hopFrames } = planMeasure(shape)
  const { frames, sampleRate } = shape
  const wanted = Math.max(SEGMENT_SECONDS_MIN * sampleRate, WARM_UPS * warmUp)
  const shared = Math.max(frames / SEGMENTS_WANTED, 2 * warmUp, sampleRate)
  const most = Math.max(hopFrames, SEGMENT_BYTES_MAX / bytesPerFrame)
  return Math.ceil(Math.max(least, Math.min(wanted, shared, most)) / hopFrames) * hopFrames
}
