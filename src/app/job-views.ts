import { join } from 'node:path'
import type { JobOutputs } from '../domain/events.ts'
import { forecastOutcome } from '../domain/job.ts'
import type { Journal, JournalJob } from '../domain/journal.ts'
import type { JobTotals } from '../store/history.ts'
import type { JournalStore } from '../store/journal-store.ts'
import { outputPaths } from '../store/output-names.ts'
import { LEDGER_NAME, MANIFEST_NAME } from '../submitter/finish-job.ts'
import { JobMetrics } from '../submitter/job-metrics.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import type { JobDetail, JobView } from './api-types.ts'
import { jobFigures, jobRecipe } from './history.ts'

/** A journalled job as listed; its figures need the sums over its chunks. */
export function jobView(record: JournalJob, mergedBytes: number, running: boolean, totals?: JobTotals): JobView {
  const { spec, options } = record
  return {
    jobId: spec.jobId,
    state: record.state,
    running,
    task: spec.kind,
    inputPath: options.inputPath,
    outDir: options.outDir,
    inputBytes: spec.inputBytes,
    mergedBytes,
    openedAtMs: record.openedAtMs,
    ...(record.closedAtMs !== undefined && { closedAtMs: record.closedAtMs }),
    ...(record.failure !== undefined && { failure: record.failure }),
    ...(record.summary !== undefined && { summary: record.summary }),
    ...(totals !== undefined && { figures: jobFigures(record, totals) })
  }
}

/** Bytes of a job that are durable, as journalled. */
export function mergedBytesOf(record: JournalJob, journal: Journal): number {
  if (record.state === 'done') return record.spec.inputBytes
  const chunks = journal.chunks(record.spec.jobId)
  return chunks.reduce((sum, chunk) => (chunk.merged === undefined ? sum : sum + chunk.inputBytes), 0)
}

/** A journalled job with its figures. */
export function jobDetail(record: JournalJob, journal: JournalStore, running: boolean): JobDetail {
  const { spec } = record
  const kind = requireTaskKind(spec.kind)
  const metrics = new JobMetrics()
  for (const { merged, inputBytes } of journal.chunks(spec.jobId)) {
    if (merged !== undefined) metrics.onMerged(merged, kind.units(inputBytes, spec))
  }
  for (const { peerId, name, bytesIn, bytesOut } of journal.traffic(spec.jobId)) {
    metrics.restoreTraffic(peerId, name, bytesIn, bytesOut)
  }
  const mergedBytes = mergedBytesOf(record, journal)
  const counters = metrics.counters({
    inputBytes: spec.inputBytes,
    outputBytes: mergedBytes,
    releases: record.releases,
    duplicates: record.duplicates,
    totalMs: record.ranMs
  })
  const outputs = record.state === 'done' ? { outputs: jobOutputs(record) } : {}
  const view = jobView(record, mergedBytes, running, journal.history.totals(spec))
  const { forecast } = record.options
  const kept = forecast && { forecast: record.state === 'done' ? forecastOutcome(forecast, record.ranMs) : forecast }
  return { ...view, counters, ...outputs, recipe: jobRecipe(record), ...kept }
}

function jobOutputs({ spec, options }: JournalJob): JobOutputs {
  const { outDir } = options
  const fileName = `result.${requireTaskKind(spec.kind).extension}`
  const sealing = options.encrypt ? { sealing: { iv: new Uint8Array(0) } } : {}
  const { partial: _partial, ...published } = outputPaths({ outDir, fileName, ...sealing })
  return { ...published, manifest: join(outDir, MANIFEST_NAME), ledger: join(outDir, LEDGER_NAME) }
}
