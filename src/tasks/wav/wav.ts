import type { CheckDepth, KernelCall, OnProgress, RefusalReason, Room, SegmentKernel } from '../task-kind.ts'
import { type RunSegment, runSegments, verifySegments } from './segments/segment-results.ts'
import { openInput, runSegment } from './wav-kernel.ts'
import { WavPasses } from './wav-passes.ts'
import { parseWavPlan } from './wav-plan.ts'

/** Runs chains of effects. */
export const wavKernel: SegmentKernel = { run, verify }

/** The last layout that was asked for: all chunks of a job have the same one. */
let known: { readonly params: Uint8Array; readonly layout: WavPasses } | undefined

/** @throws SwarmError PARAMS_INVALID, CHAIN_INVALID, EFFECT_UNSUITABLE */
export function wavPassesOf(params: Uint8Array): WavPasses {
  if (known === undefined || !isSame(known.params, params)) {
    known = { params: params.slice(), layout: new WavPasses(parseWavPlan(params)) }
  }
  return known.layout
}

function run(input: Uint8Array, { params }: KernelCall, onProgress?: OnProgress, room?: Room): Uint8Array {
  const layout = wavPassesOf(params)
  const opened = openInput(layout, input)
  const compute: RunSegment = (segment, result) => runSegment(layout, opened, segment, result)
  return runSegments(layout.grid, opened.run, compute, onProgress, room)
}

function verify(input: Uint8Array, result: Uint8Array, { params }: KernelCall, depth: CheckDepth): RefusalReason {
  const layout = wavPassesOf(params)
  const opened = openInput(layout, input)
  const compute: RunSegment = (segment, expected) => runSegment(layout, opened, segment, expected)
  return verifySegments(layout.grid, opened.run, result, compute, depth)
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index])
}
