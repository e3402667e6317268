import { SwarmError } from '../../errors.ts'
import type { PlannedChain } from './chain/plan-chain.ts'
import { planarBlock } from './effects/carried-stream.ts'
import { BLOCK_FRAMES, type SignalSummary } from './effects/effect.ts'
import { RangeMeasure } from './measure/range-measure.ts'
import { SampleDecoder } from './samples/decode-samples.ts'
import { SampleEncoder } from './samples/encode-samples.ts'
import { lengthOf } from './segments/frame-ranges.ts'
import { InputFrames } from './segments/input-frames.ts'
import type { Segment, SegmentRun } from './segments/segment-grid.ts'
import { openChunk } from './segments/segment-results.ts'
import { measuredRange, reportParts, TALLY_BYTES, type WavPass, type WavPasses, warmStart } from './wav-passes.ts'
import { type EncodedAudio, frameBytes } from './wav-plan.ts'

/** A chunk's input, taken apart: what its segments are made from. */
export interface SegmentInput {
  readonly run: SegmentRun
  readonly summary: SignalSummary | undefined
  readonly chain: PlannedChain
  readonly frames: InputFrames
}

/** Takes a chunk's input apart. @throws SwarmError INPUT_MALFORMED */
export function openInput(layout: WavPasses, input: Uint8Array): SegmentInput {
  const { run, summary, body } = openChunk(layout.grid, input)
  const pass = layout.pass(run.pass)
  if (pass.needsSummary && !fits(summary, pass.input)) throw malformed('it lacks a summary of each channel')
  let offset = 0
  const impulses = new Map<string, Impulse>()
  for (const impulse of pass.impulses) {
    impulses.set(impulse.path, readImpulse(impulse, body, offset))
    offset += impulse.frames * frameBytes(impulse)
  }
  const ranges = layout.inputRanges(run, summary)
  const frames = new InputFrames(pass.input, ranges, body.subarray(offset))
  const chain = layout.planPass(run.pass, summary, (path) => requireImpulse(impulses, path))
  return { run, summary, chain, frames }
}

function fits(summary: SignalSummary | undefined, { channels }: EncodedAudio): boolean {
  if (summary === undefined) return false
  return [summary.peaks, summary.truePeaks, summary.dcOffsets].every(({ length }) => length === channels)
}

/** Computes one segment into `result`: its audio, then its report; the same bits everywhere. */
export function runSegment(layout: WavPasses, input: SegmentInput, segment: Segment, result: Uint8Array): void {
  const pass = layout.pass(segment.pass)
  const [beforeBytes = 0, afterBytes = 0] = reportParts(pass, segment.index)
  const report = result.subarray(segment.audioBytes)
  const tallies = new DataView(report.buffer, report.byteOffset + beforeBytes + afterBytes)
  if (beforeBytes > 0) {
    const { measure, nonFinite } = measureBefore(pass, input, segment.index)
    report.set(measure, 0)
    tallies.setFloat64(0, nonFinite, true)
  }
  if (pass.output === undefined) return
  const { after, clipped } = render(pass, input, segment.index, result.subarray(0, segment.audioBytes))
  if (after !== undefined) report.set(after, beforeBytes)
  for (const [channel, count] of clipped.entries()) tallies.setFloat64((1 + channel) * TALLY_BYTES, count, true)
}

function measureBefore(
  pass: WavPass,
  input: SegmentInput,
  index: number
): { readonly measure: Uint8Array; readonly nonFinite: number } {
  const { before } = pass
  if (before === undefined) throw new RangeError('the pass measures nothing before its effects')
  const range = measuredRange(pass, index)
  const share = before.share(index)
  const measure = new RangeMeasure(before.layout, share)
  const stream = input.frames.open(range)
  const warmFrames = lengthOf(range) - lengthOf(share)
  let warmNonFinite = 0
  let done = 0
  const block = planarBlock(pass.input.channels)
  while (done < lengthOf(range)) {
    const stop = done < warmFrames ? warmFrames : lengthOf(range)
    const count = Math.min(BLOCK_FRAMES, stop - done)
    stream.read(block, count)
    measure.feed(block, count)
    done += count
    if (done <= warmFrames) warmNonFinite = stream.nonFinite
  }
  return { measure: measure.finish(), nonFinite: stream.nonFinite - warmNonFinite }
}

function render(
  pass: WavPass,
  input: SegmentInput,
  index: number,
  audio: Uint8Array
): { readonly after: Uint8Array | undefined; readonly clipped: readonly number[] } {
  const { output } = pass
  if (output === undefined) throw new RangeError('the pass gives no audio')
  const range = pass.range(index)
  const start = warmStart(pass, range.start)
  const stream = input.chain.open({ start, end: range.end }, (wanted) => input.frames.open(wanted))
  const measure = pass.after === undefined ? undefined : new RangeMeasure(pass.after, range)
  const encoder = new SampleEncoder(output.encoding, output.channels, { dither: pass.dither })
  const block = planarBlock(output.channels)
  for (let frame = start; frame < range.end; ) {
    const stop = frame < range.start ? range.start : range.end
    const count = Math.min(BLOCK_FRAMES, stop - frame)
    stream.read(block, count)
    measure?.feed(block, count)
    if (frame >= range.start) encoder.encode(block, count, frame, audio, (frame - range.start) * frameBytes(output))
    frame += count
  }
  return { after: measure?.finish(), clipped: encoder.clipped }
}

interface Impulse {
  readonly sampleRate: number
  readonly channels: readonly Float64Array[]
}

function readImpulse(audio: EncodedAudio, input: Uint8Array, offset: number): Impulse {
  if (input.byteLength < offset + audio.frames * frameBytes(audio)) throw malformed('an impulse response is cut short')
  const channels = Array.from({ length: audio.channels }, () => new Float64Array(audio.frames))
  new SampleDecoder(audio.encoding, audio.channels).decode(input, offset, audio.frames, channels)
  return { sampleRate: audio.sampleRate, channels }
}

function requireImpulse(impulses: ReadonlyMap<string, Impulse>, path: string): Impulse {
  const impulse = impulses.get(path)
  if (impulse === undefined) throw malformed(`the impulse response ${path} is missing`)
  return impulse
}

function malformed(reason: string): SwarmError {
  return new SwarmError('INPUT_MALFORMED', `the chunk's input makes no sense: ${reason}`)
}
