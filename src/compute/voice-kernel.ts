import type { CheckDepth, KernelCall, OnProgress, ReadInput, RefusalReason, SegmentKernel } from '../tasks/task-kind.ts'
import { planarBlock } from '../tasks/wav/effects/carried-stream.ts'
import { BLOCK_FRAMES } from '../tasks/wav/effects/effect.ts'
import { InputFrames } from '../tasks/wav/segments/input-frames.ts'
import type { SegmentRun } from '../tasks/wav/segments/segment-grid.ts'
import { drawSegments, openChunk } from '../tasks/wav/segments/segment-results.ts'
import { voiceInputRange } from '../tasks/wav/silence/voice-windows.ts'
import { type VoicePass, voicePassOf } from '../tasks/wav/voice.ts'
import { VoiceActivity } from './voice-activity.ts'

/** Of a segment's windows, how many may be judged otherwise on another processor. Unbroken runs differ by 0.2 %. */
const DIFFERENT_SHARE_MAX = 0.02

/** Tells where somebody speaks. */
export const voiceKernel: SegmentKernel = { run: runVoice, verify: verifyVoice }

/** Tells where somebody speaks, for a chunk. @returns a byte for each window. @throws SwarmError VAD_MISSING, INPUT_MALFORMED */
function runVoice(input: Uint8Array, { params }: KernelCall, onProgress?: OnProgress): Uint8Array {
  const { pass, run, frames } = openVoice(input, params)
  const { start, end } = pass.windows(run)
  const flags = new Uint8Array(end - start)
  let offset = 0
  for (let index = run.first; index < run.first + run.count; index++) {
    const part = detect(pass, frames, { first: index, count: 1 })
    flags.set(part, offset)
    offset += part.byteLength
    onProgress?.(offset)
  }
  return flags
}

/** Listens to segments of a claimed result again. @returns why it is refused, or undefined */
function verifyVoice(read: ReadInput, result: Uint8Array, { params }: KernelCall, depth: CheckDepth): RefusalReason {
  const pass = voicePassOf(params)
  const { run, checked } = drawSegments(pass.grid, read, depth)
  const { start, end } = pass.windows(run)
  if (result.byteLength !== end - start) return `the result has ${result.byteLength} flags instead of ${end - start}`
  if (result.some((flag) => flag > 1)) return 'a flag is neither 0 nor 1'
  if (checked.size === 0) return undefined
  const { frames } = openVoice(read(), params)
  for (const first of checked) {
    const one = { first, count: 1 }
    const windows = pass.windows(one)
    const claimed = result.subarray(windows.start - start, windows.end - start)
    const different = detect(pass, frames, one).reduce((sum, flag, index) => sum + Number(flag !== claimed[index]), 0)
    if (different <= 1 + DIFFERENT_SHARE_MAX * claimed.byteLength) continue
    return `${different} of ${claimed.byteLength} windows of segment ${one.first} are judged otherwise here`
  }
  return undefined
}

function openVoice(
  input: Uint8Array,
  params: Uint8Array
): { readonly pass: VoicePass; readonly run: SegmentRun; readonly frames: InputFrames } {
  const pass = voicePassOf(params)
  const { run, body } = openChunk(pass.grid, input)
  return { pass, run, frames: new InputFrames(pass.plan.source, pass.inputRanges(run), body) }
}

function detect(pass: VoicePass, frames: InputFrames, run: Pick<SegmentRun, 'first' | 'count'>): Uint8Array {
  const { source } = pass.plan
  const windows = pass.windows(run)
  const range = voiceInputRange(source, windows)
  const activity = new VoiceActivity(source, windows)
  const stream = frames.open(range)
  const block = planarBlock(source.channels)
  for (let frame = range.start; frame < range.end; ) {
    const count = Math.min(BLOCK_FRAMES, range.end - frame)
    stream.read(block, count)
    activity.feed(block, count)
    frame += count
  }
  return activity.finish()
}
