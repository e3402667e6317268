import { bareChunk } from '../domain/lease-chunks.ts'
import { SegmentCutter } from '../domain/segment-cutter.ts'
import { SwarmError } from '../errors.ts'
import { segmentJob } from '../tasks/wav/segment-jobs.ts'
import { SegmentPlaces } from '../tasks/wav/segments/segment-places.ts'
import { ChunkSource } from './chunk-source.ts'
import { type InputParts, type JobInputs, kernelCall } from './job-input-parts.ts'
import { impulsePlaces, SegmentPasses } from './segment-passes.ts'

/** Chunks whose input is what segments of an earlier pass gave, or ranges of the source. @throws SwarmError JOURNAL_CORRUPT */
export function segmentInputs({ file, ports, record, restored, signal, sink }: InputParts): JobInputs {
  const { options, spec } = record
  const { audio } = options
  if (audio === undefined || file === undefined) {
    throw new SwarmError('JOURNAL_CORRUPT', `job ${spec.jobId} does not say where its samples lie`)
  }
  const job = segmentJob(spec.kind, spec.params)
  const { compute, buffers } = ports
  const cutter: SegmentCutter = new SegmentCutter(
    job.grid,
    (chunk) => passes.inputBytes(chunk),
    restored.map(bareChunk)
  )
  const passes = new SegmentPasses({
    spec,
    job,
    source: audio.samples,
    impulses: impulsePlaces(audio.impulses),
    places: new SegmentPlaces(job.grid, { headBytes: file.head.byteLength, tailBytes: file.tail.byteLength }),
    placedPath: sink.placedPath,
    cutter,
    compute,
    signal
  })
  const partsOf = (chunk: Parameters<typeof passes.partsOf>[0]) => passes.partsOf(chunk)
  return { source: new ChunkSource(partsOf, kernelCall(record), compute, buffers, passes), cutter }
}
