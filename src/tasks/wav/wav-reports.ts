import { SwarmError } from '../../errors.ts'
import type { FrameRange } from './audio-format.ts'
import type { SignalSummary } from './effects/effect.ts'
import type { MeasureLayout } from './measure/measure-layout.ts'
import { type Measures, reduceMeasures, summaryOf } from './measure/reduce-measures.ts'
import { isEmpty } from './segments/frame-ranges.ts'
import { reportParts, TALLY_BYTES, type WavPasses } from './wav-passes.ts'

/** What a pass's segments reported, taken apart. */
interface PassReports {
  readonly before: readonly MeasuredPart[]
  readonly after: readonly MeasuredPart[]
  /** Samples of the input that were no finite number. */
  readonly nonFinite: number
  /** Samples beyond full scale of the output's format, by channel. */
  readonly clipped: readonly number[]
}

interface MeasuredPart {
  readonly range: FrameRange
  readonly bytes: Uint8Array
}

/** What is known of a wav job's signal. */
export interface WavMeasures {
  /** Of the input, as far as the effects use it. */
  readonly before: Measures
  /** Of the result; the same object as `before` when there are no effects. */
  readonly after: Measures
  /** Of `after`. */
  readonly layout: MeasureLayout
  readonly nonFinite: number
  readonly clipped: readonly number[]
}

/**
 * What the next pass has to know of a pass's output.
 * @param reports of all segments of the pass, in order
 * @throws SwarmError MEASURE_INVALID
 */
export function summarizeMeasures(layout: WavPasses, pass: number, reports: Iterable<Uint8Array>): SignalSummary {
  const { before, after } = layout.pass(pass)
  const taken = takeApart(layout, pass, reports)
  if (after !== undefined) return summaryOf(reduceMeasures(after, taken.after))
  if (before === undefined) throw new RangeError(`pass ${pass} measures nothing`)
  return summaryOf(reduceMeasures(before.layout, taken.before))
}

/**
 * Sums up what the first pass measured before the effects, and the last one after them.
 * @param reportsOf gives the reports of a pass's segments, in order
 * @throws SwarmError MEASURE_INVALID
 */
export function reduceReports(layout: WavPasses, reportsOf: (pass: number) => Iterable<Uint8Array>): WavMeasures {
  const last = layout.passes.length - 1
  const first = takeApart(layout, 0, reportsOf(0))
  const end = last === 0 ? first : takeApart(layout, last, reportsOf(last))
  const { before: input } = layout.pass(0)
  const { after: output } = layout.pass(last)
  if (input === undefined) throw new RangeError('the first pass measures nothing before its effects')
  const before = reduceMeasures(input.layout, first.before)
  const after = output === undefined ? before : reduceMeasures(output, end.after)
  return { before, after, layout: output ?? input.layout, nonFinite: first.nonFinite, clipped: end.clipped }
}

/** A report may come of a peer whose segment nobody checked. */
function tallyAt(tallies: DataView, place: number, index: number): number {
  const count = tallies.getFloat64(place * TALLY_BYTES, true)
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw invalid(index, `it counts ${count} samples`)
}

function invalid(index: number, reason: string): SwarmError {
  const message = `the report of segment ${index} makes no sense: ${reason}; start the job anew`
  return new SwarmError('MEASURE_INVALID', message)
}

function takeApart(layout: WavPasses, passIndex: number, reports: Iterable<Uint8Array>): PassReports {
  const pass = layout.pass(passIndex)
  const before: MeasuredPart[] = []
  const after: MeasuredPart[] = []
  const clipped = new Array<number>(pass.output?.channels ?? 0).fill(0)
  let nonFinite = 0
  let index = 0
  for (const report of reports) {
    const [beforeBytes = 0, afterBytes = 0, tallyBytes = 0] = reportParts(pass, index)
    const expected = beforeBytes + afterBytes + tallyBytes
    if (report.byteLength !== expected) throw invalid(index, `it has ${report.byteLength} bytes, expected ${expected}`)
    const share = pass.before?.share(index)
    if (share !== undefined && !isEmpty(share)) before.push({ range: share, bytes: report.subarray(0, beforeBytes) })
    const measuredBytes = beforeBytes + afterBytes
    if (pass.after !== undefined) {
      after.push({ range: pass.range(index), bytes: report.subarray(beforeBytes, measuredBytes) })
    }
    const tallies = new DataView(report.buffer, report.byteOffset + measuredBytes)
    nonFinite += tallyAt(tallies, 0, index)
    for (const channel of clipped.keys()) {
      clipped[channel] = (clipped[channel] ?? 0) + tallyAt(tallies, 1 + channel, index)
    }
    index += 1
  }
  return { before, after, nonFinite, clipped }
}
