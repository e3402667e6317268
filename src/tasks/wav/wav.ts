import type { CheckDepth, KernelCall, OnProgress, ReadInput, RefusalReason, Room, SegmentKernel } from '../task-kind.ts'
import { RecentPlans } from './segments/recent-plans.ts'
import { type RunSegment, runSegments, verifySegments } from './segments/segment-results.ts'
import { openInput, runSegment } from './wav-kernel.ts'
import { WavPasses } from './wav-passes.ts'
import { parseWavPlan } from './wav-plan.ts'

/** Runs chains of effects. */
export const wavKernel: SegmentKernel = { run, verify }

const recent = new RecentPlans((params) => new WavPasses(parseWavPlan(params)))

/** @throws SwarmError PARAMS_INVALID, CHAIN_INVALID, EFFECT_UNSUITABLE */
export function wavPassesOf(params: Uint8Array): WavPasses {
  return recent.of(params)
}

function run(input: Uint8Array, { params }: KernelCall, onProgress?: OnProgress, room?: Room): Uint8Array {
  const layout = wavPassesOf(params)
  const opened = openInput(layout, input)
  const compute: RunSegment = (segment, result) => runSegment(layout, opened, segment, result)
  return runSegments(layout.grid, opened.run, compute, onProgress, room)
}

function verify(read: ReadInput, result: Uint8Array, { params }: KernelCall, depth: CheckDepth): RefusalReason {
  const layout = wavPassesOf(params)
  return verifySegments(layout.grid, read, result, depth, (input) => {
    const opened = openInput(layout, input)
    return (segment, expected) => runSegment(layout, opened, segment, expected)
  })
}
