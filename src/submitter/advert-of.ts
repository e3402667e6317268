import type { Advert } from '../../protocols/advert/types.ts'
import type { JobContext } from './job-context.ts'

/** A job as its workers need to know it. */
export function advertOf(job: JobContext, state: 'open' | 'closed', sequence: number): Advert {
  const { spec, options, table } = job
  return {
    jobId: spec.jobId,
    submitter: spec.submitter,
    submitterName: spec.submitterName,
    kind: spec.kind,
    params: spec.params,
    kernelId: spec.kernelId,
    inputBytes: spec.inputBytes,
    blockBytes: spec.blockBytes,
    reverse: spec.reverse,
    state,
    mergedBytes: table.counters.mergedBytes,
    localOnly: options.local === 'only',
    chunkBytesMax: options.chunkBytesMax,
    incarnation: job.incarnation,
    sequence
  }
}
