import { join } from 'node:path'
import type { SegmentFindings } from '../domain/compute.ts'
import type { JobCounters, JobOutputs } from '../domain/events.ts'
import { forecastOutcome } from '../domain/job.ts'
import type { JobContext } from './job-context.ts'

/** Name of the manifest in a job's output folder. */
export const MANIFEST_NAME = 'job.json'
/** What is said of a job at its end. */
interface JobEnding {
  readonly summary: string
  readonly findings: SegmentFindings | undefined
}

/** Name of the job's receipts in its output folder. */
export const LEDGER_NAME = 'ledger.bin'

/**
 * Ends a job whose chunks are all durable: publishes the result under its final name, writes manifest and ledger file,
 * closes journal and ledger. The journal is closed last, so a crash before leaves a job that resumes.
 */
export async function finishJob(
  job: JobContext,
  counters: () => JobCounters,
  { findings, summary }: JobEnding
): Promise<JobOutputs> {
  const { spec, options, ports, sink } = job
  const files: string[] = []
  for (const { name, bytes } of findings?.files ?? []) {
    const path = join(options.outDir, name)
    await ports.writeFile(path, bytes)
    files.push(path)
  }
  const published = await sink.publish()
  await closeInLedger(job, 'done', counters())
  const ledger = join(options.outDir, LEDGER_NAME)
  await ports.writeJobLedger(spec.jobId, ledger)
  const outputs: JobOutputs = {
    ...published,
    manifest: join(options.outDir, MANIFEST_NAME),
    ledger,
    ...(files.length > 0 && { files })
  }
  const ending = { summary, findings }
  await ports.writeFile(outputs.manifest, `${JSON.stringify(manifest(job, counters(), ending, outputs), null, 2)}\n`)
  ports.journal.close(spec.jobId, 'done', { summary })
  return outputs
}

/** Ends a job in this peer's feed, with a root over all its receipts. */
export async function closeInLedger(
  { spec, units, ports }: JobContext,
  outcome: 'done' | 'cancelled',
  { chunks, localChunks, peers }: JobCounters
): Promise<void> {
  const receipts = ports.journal.receipts(spec.jobId)
  const creditedUnits = peers.reduce((sum, peer) => sum + peer.units, 0)
  const close = {
    jobId: spec.jobId,
    outcome,
    kind: spec.kind,
    inputBytes: spec.inputBytes,
    chunks,
    localChunks,
    // Seconds of audio are no whole numbers, so a sum of all of them may be beside the whole by a rounding.
    localUnits: outcome === 'done' && localChunks > 0 ? Math.max(0, units(spec.inputBytes) - creditedUnits) : 0,
    closedAtMs: ports.clock.wallMs()
  }
  await ports.closeJob(close, receipts)
}

/** What `job.json` says: how the result came about, and with what figures. */
function manifest(
  job: JobContext,
  counters: JobCounters,
  { findings, summary }: JobEnding,
  outputs: JobOutputs
): object {
  const { spec, options, kind } = job
  return {
    jobId: spec.jobId,
    submitter: spec.submitter,
    task: spec.kind,
    kernel: spec.kernelId,
    verification: kind.verification,
    input: inputsOf(job),
    request: options.audio?.request,
    params: kind.describe(spec.params),
    blockBytes: spec.blockBytes,
    reversed: spec.reverse,
    encrypted: options.encrypt,
    encryption: options.encrypt ? 'AES-256-CBC, PKCS#7; HMAC-SHA256 over iv and ciphertext' : undefined,
    local: options.local,
    forecast: options.forecast && forecastOutcome(options.forecast, counters.totalMs),
    summary,
    findings: findings?.figures,
    metrics: counters,
    outputs
  }
}

/** What the result is of, as it was when the job opened, so that it can be told later whether it still is. */
function inputsOf({ options, ports, spec }: JobContext): object {
  const { audio, inputPath, operands } = options
  if (operands !== undefined) return operands
  if (audio !== undefined) {
    return { ...audio.input, impulses: audio.impulses.map(({ name, stamp }) => ({ name, ...stamp })) }
  }
  const modifiedMs = ports.journal.get(spec.jobId)?.inputModifiedMs
  return { path: inputPath, bytes: spec.inputBytes, modifiedMs }
}
