import type { SegmentFindings, SegmentReports } from '../domain/compute.ts'
import type { SignalSummary } from '../tasks/wav/effects/effect.ts'
import { segmentJob } from '../tasks/wav/segment-jobs.ts'
import { SegmentPlaces } from '../tasks/wav/segments/segment-places.ts'
import { findSilence, findVoice } from '../tasks/wav/silence/silence-findings.ts'
import { SilencePass } from '../tasks/wav/silence.ts'
import { VoicePass } from '../tasks/wav/voice.ts'
import { WavPasses } from '../tasks/wav/wav-passes.ts'
import { reduceReports, summarizeMeasures } from '../tasks/wav/wav-reports.ts'
import { answer } from './answer.ts'
import { audioFindings } from './audio-findings.ts'
import { FileReader } from './file-reader.ts'
import type { SummarizePassRequest } from './kernel-messages.ts'

/** Reads what one pass of a wav job reported. */
export function summarizePass(request: SummarizePassRequest): unknown {
  return answer<SignalSummary>(() => {
    const layout = segmentJob(request.kind, request.params)
    if (!(layout instanceof WavPasses)) throw new RangeError(`${request.kind} has no passes to sum up`)
    return summarizeMeasures(layout, request.pass, reportsOf(request, request.pass))
  })
}

/** Reads what all passes reported, and draws it. */
export function concludeSegments(request: SegmentReports): unknown {
  return answer<SegmentFindings>(() => {
    const layout = segmentJob(request.kind, request.params)
    if (layout instanceof VoicePass) return findVoice(layout.plan, reportsOf(request, 0))
    if (layout instanceof SilencePass) return findSilence(layout.plan, reportsOf(request, 0))
    if (!(layout instanceof WavPasses)) throw new RangeError(`${request.kind} reports nothing that is known`)
    return audioFindings(
      layout,
      reduceReports(layout, (pass) => reportsOf(request, pass))
    )
  })
}

/** The reports of a pass's segments, in order, one at a time. */
function* reportsOf(request: SegmentReports, pass: number): Generator<Uint8Array> {
  const { grid } = segmentJob(request.kind, request.params)
  const places = new SegmentPlaces(grid, request)
  using reader = new FileReader(request.path)
  for (const { index, reportBytes } of grid.segmentsOf({ pass, first: 0, count: grid.segmentCount(pass) })) {
    yield reader.read(places.reportPosition(pass, index), reportBytes)
  }
}
