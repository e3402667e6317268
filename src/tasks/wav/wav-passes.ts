import { SwarmError } from '../../errors.ts'
import type { AudioShape, FrameRange } from './audio-format.ts'
import type { Chain } from './chain/chain.ts'
import { parseChain } from './chain/parse-chain.ts'
import { type PlannedChain, planChain } from './chain/plan-chain.ts'
import { splitPasses } from './chain/split-passes.ts'
import type { PlanResources, SignalSummary } from './effects/effect.ts'
import { measureByteLength } from './measure/measure-bytes.ts'
import { type MeasureLayout, measureWarmUpFrames, planMeasure } from './measure/measure-layout.ts'
import { isEmpty, joinRanges, lengthOf } from './segments/frame-ranges.ts'
import { SegmentGrid, type SegmentRun } from './segments/segment-grid.ts'
import type { PassAudio, SegmentJob } from './segments/segment-job.ts'
import { type EncodedAudio, frameBytes, type WavPlan } from './wav-plan.ts'

/** Bytes of one count beside the measures: frames that were not finite, then clipped samples by output channel. */
export const TALLY_BYTES = 8

/** A summary that makes every effect take its longest way, for planning before anything was measured. */
const LOUDEST: Omit<SignalSummary, 'peaks' | 'truePeaks' | 'dcOffsets'> = { loudness: -60 }

/** The part of a pass's input that is measured before the effects, and which segment measures what. */
interface BeforeMeasure {
  readonly layout: MeasureLayout
  /** Frames of the input that the effects use, which are what is measured. */
  readonly used: FrameRange
  /** Frames of `used`, counted from its start, that a segment measures; may be empty. */
  share(index: number): FrameRange
}

/** One pass of a wav job. */
export interface WavPass extends PassAudio {
  readonly effects: Chain
  /** What the effects make of the input. */
  readonly shape: AudioShape
  readonly segmentFrames: number
  readonly segmentCount: number
  readonly before: BeforeMeasure | undefined
  /** What the effects gave is measured; undefined where nothing was done to the input. */
  readonly after: MeasureLayout | undefined
  readonly dither: boolean
  /** Output frames of a segment. */
  range(index: number): FrameRange
}

/** Where everything of a wav job lies. Depends on its plan alone. */
export class WavPasses implements SegmentJob {
  readonly grid: SegmentGrid
  readonly plan: WavPlan
  readonly passes: readonly WavPass[]
  #planned: { readonly key: string; readonly chain: PlannedChain } | undefined

  /** @throws SwarmError CHAIN_INVALID, EFFECT_UNSUITABLE, PARAMS_INVALID */
  constructor(plan: WavPlan) {
    this.plan = plan
    this.passes = makePasses(plan)
    this.grid = new SegmentGrid(
      this.passes.map((pass) => ({
        segmentCount: pass.segmentCount,
        audioBytes: (index) => (pass.output === undefined ? 0 : lengthOf(pass.range(index)) * frameBytes(pass.output)),
        reportBytes: (index) => reportParts(pass, index).reduce((sum, bytes) => sum + bytes, 0)
      }))
    )
  }

  pass(index: number): WavPass {
    const pass = this.passes[index]
    if (pass === undefined) throw new RangeError(`the job has no pass ${index}`)
    return pass
  }

  inputRanges(run: SegmentRun, summary?: SignalSummary): readonly FrameRange[] {
    const pass = this.pass(run.pass)
    const last = run.first + run.count - 1
    const ranges: FrameRange[] = []
    if (pass.output !== undefined) {
      const range = { start: warmStart(pass, pass.range(run.first).start), end: pass.range(last).end }
      ranges.push(this.#plannedChain(run.pass, summary).inputRange(range))
    }
    for (let index = run.first; index <= last; index++) ranges.push(measuredRange(pass, index))
    return joinRanges(ranges)
  }

  /** Effects of a pass, planned; without samples of impulse responses, unless these are given. */
  planPass(index: number, summary: SignalSummary | undefined, impulse?: PlanResources['impulse']): PlannedChain {
    const pass = this.pass(index)
    if (pass.needsSummary && summary === undefined) throw new RangeError(`pass ${index} needs a summary`)
    return planChain(pass.effects, pass.input, {
      impulse: impulse ?? ((path) => silentImpulse(this.plan, path)),
      ...(summary !== undefined && { measured: summary })
    })
  }

  #plannedChain(pass: number, summary: SignalSummary | undefined): PlannedChain {
    const key = `${pass} ${JSON.stringify(summary)}`
    if (this.#planned?.key !== key) this.#planned = { key, chain: this.planPass(pass, summary) }
    return this.#planned.chain
  }
}

/** Bytes of each part of a segment's report: measures before, measures after, tallies. */
export function reportParts(pass: WavPass, index: number): readonly number[] {
  const { before } = pass
  const share = before?.share(index)
  return [
    before === undefined || share === undefined || isEmpty(share) ? 0 : measureByteLength(before.layout, share),
    pass.after === undefined ? 0 : measureByteLength(pass.after, pass.range(index)),
    (1 + (pass.output?.channels ?? 0)) * TALLY_BYTES
  ]
}

/** First output frame that has to be made so that measures of a segment from `start` are right. */
export function warmStart({ after }: Pick<WavPass, 'after'>, start: number): number {
  return after === undefined ? start : Math.max(0, start - measureWarmUpFrames(after))
}

/** Input frames that the measure before the effects reads for a segment. */
export function measuredRange({ before }: Pick<WavPass, 'before'>, index: number): FrameRange {
  const share = before?.share(index)
  if (before === undefined || share === undefined || isEmpty(share)) return { start: 0, end: 0 }
  const start = Math.max(0, share.start - measureWarmUpFrames(before.layout))
  return { start: before.used.start + start, end: before.used.start + share.end }
}

/** A summary under which no effect of the next pass reads more than under this one. */
export function loudestSummary({ channels }: AudioShape): SignalSummary {
  const all = (value: number) => Array.from({ length: channels }, () => value)
  return { ...LOUDEST, peaks: all(1), truePeaks: all(1), dcOffsets: all(0) }
}

function makePasses(plan: WavPlan): readonly WavPass[] {
  const chains = splitPasses(parseChain(plan.chain))
  if (chains.length !== plan.segmentFrames.length) {
    const message = `the plan has ${plan.segmentFrames.length} passes, but its effects need ${chains.length}`
    throw new SwarmError('PARAMS_INVALID', message)
  }
  const passes: WavPass[] = []
  let input: EncodedAudio = plan.source
  let inputPass: number | undefined
  for (const [index, effects] of chains.entries()) {
    const isLast = index === chains.length - 1
    const pass = makePass(plan, { effects, input, inputPass, index, isLast })
    passes.push(pass)
    if (pass.output === undefined) continue
    input = pass.output
    inputPass = index
  }
  return passes
}

interface PassParts {
  readonly effects: Chain
  readonly input: EncodedAudio
  readonly inputPass: number | undefined
  readonly index: number
  readonly isLast: boolean
}

function makePass(plan: WavPlan, { effects, input, inputPass, index, isLast }: PassParts): WavPass {
  const planned = planChain(effects, input, {
    measured: loudestSummary(input),
    impulse: (path) => silentImpulse(plan, path)
  })
  const shape = planned.output
  if (shape.frames < 1) throw noFrames()
  const channelMask = shape.channels === plan.source.channels ? plan.channelMask : undefined
  const measure = planMeasure(shape, { channelMask, pictures: isLast })
  const segmentFrames = plan.segmentFrames[index] ?? 0
  if (segmentFrames < 1 || segmentFrames % measure.hopFrames !== 0) {
    throw new SwarmError('PARAMS_INVALID', `segments of ${segmentFrames} frames are no whole number of 100 ms`)
  }
  const segmentCount = Math.ceil(shape.frames / segmentFrames)
  const range = (segment: number): FrameRange => ({
    start: segment * segmentFrames,
    end: Math.min((segment + 1) * segmentFrames, shape.frames)
  })
  const measuresOnly = effects.length === 0 && !isLast
  return {
    effects,
    input,
    inputPass,
    shape,
    segmentFrames,
    segmentCount,
    range,
    output: measuresOnly ? undefined : { ...shape, encoding: isLast ? plan.output.encoding : 'f32' },
    needsSummary: index > 0,
    impulses: plan.impulses.filter(({ path }) =>
      effects.some(({ settings }) => Object.values(settings).includes(path))
    ),
    before:
      index === 0
        ? measureBefore(planned, input, segmentCount, {
            channelMask: plan.channelMask,
            // The result's pictures are drawn; without effects, that is what came in.
            pictures: isLast && effects.length === 0
          })
        : undefined,
    after: effects.length === 0 ? undefined : measure,
    dither: isLast && plan.output.dither
  }
}

/** Shares of about the same length, at hops, in the order in which segments read the input. */
function measureBefore(
  planned: PlannedChain,
  input: AudioShape,
  segmentCount: number,
  options: { channelMask: number | undefined; pictures: boolean }
): BeforeMeasure {
  const whole = planned.inputRange({ start: 0, end: planned.output.frames })
  const used = isEmpty(whole) ? { start: 0, end: input.frames } : whole
  const { channels, sampleRate } = input
  const layout = planMeasure({ channels, sampleRate, frames: lengthOf(used) }, options)
  const hop = layout.hopFrames
  const hops = Math.ceil(lengthOf(used) / hop)
  const middle = planned.output.frames / 2
  const early = planned.inputRange({ start: 0, end: Math.ceil(middle) })
  const late = planned.inputRange({ start: Math.floor(middle), end: planned.output.frames })
  const isBackward = early.start > late.start
  return {
    layout,
    used,
    share: (segment) => {
      const index = isBackward ? segmentCount - 1 - segment : segment
      const start = Math.floor((index * hops) / segmentCount) * hop
      const end = Math.floor(((index + 1) * hops) / segmentCount) * hop
      return { start, end: Math.min(end, lengthOf(used)) }
    }
  }
}

/** A response of the right shape, for planning where there are no samples. @throws SwarmError PARAMS_INVALID for an unknown one */
export function silentImpulse(
  plan: Pick<WavPlan, 'impulses'>,
  path: string
): { sampleRate: number; channels: readonly Float64Array[] } {
  const impulse = plan.impulses.find((each) => each.path === path)
  if (impulse === undefined) {
    throw new SwarmError('PARAMS_INVALID', `the plan does not say what the impulse response ${path} is`)
  }
  const silence = new Float64Array(impulse.frames)
  return { sampleRate: impulse.sampleRate, channels: Array.from({ length: impulse.channels }, () => silence) }
}

function noFrames(): SwarmError {
  return new SwarmError('EFFECT_UNSUITABLE', 'the effects leave nothing of the audio: its result would have no frames')
}
