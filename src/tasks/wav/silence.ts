import type { CheckDepth, KernelCall, OnProgress, ReadInput, RefusalReason, Room, SegmentKernel } from '../task-kind.ts'
import type { FrameRange } from './audio-format.ts'
import { planarBlock } from './effects/carried-stream.ts'
import { BLOCK_FRAMES } from './effects/effect.ts'
import { lengthOf } from './segments/frame-ranges.ts'
import { InputFrames } from './segments/input-frames.ts'
import { RecentPlans } from './segments/recent-plans.ts'
import { SegmentGrid, type SegmentRun } from './segments/segment-grid.ts'
import type { PassAudio, SegmentJob } from './segments/segment-job.ts'
import { openChunk, type RunSegment, runSegments, verifySegments } from './segments/segment-results.ts'
import { levelFrameCount, levelFrameStart } from './silence/level-frames.ts'
import { LevelMeter, levelsByteLength } from './silence/level-meter.ts'
import { parseSilencePlan, type SilencePlan } from './wav-plan.ts'

/** Measures levels. */
export const silenceKernel: SegmentKernel = {
  run: (input: Uint8Array, { params }: KernelCall, onProgress?: OnProgress, room?: Room): Uint8Array => {
    const { layout, run, compute } = openLevels(input, params)
    return runSegments(layout.grid, run, compute, onProgress, room)
  },
  verify: (read: ReadInput, result: Uint8Array, { params }: KernelCall, depth: CheckDepth): RefusalReason =>
    verifySegments(silencePassOf(params).grid, read, result, depth, (input) => openLevels(input, params).compute)
}

/** Where everything of a silence job lies. */
export class SilencePass implements SegmentJob {
  readonly plan: SilencePlan
  readonly grid: SegmentGrid

  constructor(plan: SilencePlan) {
    this.plan = plan
    const segmentCount = Math.ceil(levelFrameCount(plan.source) / plan.segmentLevels)
    const reportBytes = (index: number) => levelsByteLength(plan.source, this.range(index))
    this.grid = new SegmentGrid([{ segmentCount, audioBytes: () => 0, reportBytes }])
  }

  /** Frames of a segment. */
  range(index: number): FrameRange {
    const { segmentLevels, source } = this.plan
    const start = levelFrameStart(source.sampleRate, index * segmentLevels)
    return { start, end: Math.min(levelFrameStart(source.sampleRate, (index + 1) * segmentLevels), source.frames) }
  }

  pass(): PassAudio {
    return { input: this.plan.source, inputPass: undefined, output: undefined, needsSummary: false, impulses: [] }
  }

  inputRanges({ first, count }: SegmentRun): readonly FrameRange[] {
    return [{ start: this.range(first).start, end: this.range(first + count - 1).end }]
  }
}

const recent = new RecentPlans((params) => new SilencePass(parseSilencePlan(params)))

/** @throws SwarmError PARAMS_INVALID */
export function silencePassOf(params: Uint8Array): SilencePass {
  return recent.of(params)
}

function openLevels(
  input: Uint8Array,
  params: Uint8Array
): { readonly layout: SilencePass; readonly run: SegmentRun; readonly compute: RunSegment } {
  const layout = silencePassOf(params)
  const { source } = layout.plan
  const { run, body } = openChunk(layout.grid, input)
  const frames = new InputFrames(source, layout.inputRanges(run), body)
  const block = planarBlock(source.channels)
  const compute: RunSegment = ({ index }, result) => {
    const range = layout.range(index)
    const stream = frames.open(range)
    const meter = new LevelMeter(source, range)
    for (let done = 0; done < lengthOf(range); ) {
      const count = Math.min(BLOCK_FRAMES, lengthOf(range) - done)
      stream.read(block, count)
      meter.feed(block, count)
      done += count
    }
    result.set(meter.finish())
  }
  return { layout, run, compute }
}
