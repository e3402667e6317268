import type { JobEvent } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import type { JobOptions, JobSpec } from '../domain/job.ts'
import type { JournalChunk, JournalJob } from '../domain/journal.ts'
import { LeaseTable } from '../domain/lease-table.ts'
import type { ResultSink, SegmentFile } from '../domain/result-sink.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import type { TaskKind } from '../tasks/task-kind.ts'
import type { JobContext } from './job-context.ts'
import { inputsMaker, type MakeInputs } from './job-inputs.ts'
import { JobMetrics } from './job-metrics.ts'
import type { LeaseDesk } from './lease-desk.ts'
import { leaseWindowBytes } from './lease-window.ts'
import type { SubmitterPorts } from './ports.ts'
import { JobRun, type JobRunHooks } from './run-job.ts'
import { ShipPolicy } from './ship-policy.ts'

/** Bytes of one block of a job's grid, unless the user's chunks are smaller. */
export const BLOCK_BYTES = 256 * 1024
/** Largest chunk, unless the user names a size. */
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024
/** What a new job is made of. */
export interface NewJob {
  readonly jobId: JobId
  readonly kind: TaskKind
  readonly kernelId: string
  /** Encoded parameters of the kind. */
  readonly params: Uint8Array
  readonly reverse: boolean
  readonly inputBytes: number
  /** Of the fixed grid, in bytes. */
  readonly blockBytes: number
  /** Unix ms. */
  readonly inputModifiedMs: number
  readonly options: JobOptions
  readonly sealing?: { readonly key: Uint8Array; readonly iv: Uint8Array }
}

/** Writes a new job into the journal. */
export function createJob(job: NewJob, ports: SubmitterPorts): JournalJob {
  const { options, kind } = job
  const spec: JobSpec = {
    jobId: job.jobId,
    submitter: ports.submitter,
    submitterName: ports.name,
    kind: kind.kind,
    params: job.params,
    kernelId: job.kernelId,
    inputBytes: job.inputBytes,
    blockBytes: job.blockBytes,
    reverse: job.reverse
  }
  const record: JournalJob = {
    spec,
    options,
    state: 'open',
    incarnation: 1,
    openedAtMs: ports.clock.wallMs(),
    inputModifiedMs: job.inputModifiedMs,
    ...(job.sealing !== undefined && { sealing: job.sealing }),
    releases: 0,
    duplicates: 0,
    ranMs: 0
  }
  ports.journal.create(record)
  return record
}

/**
 * Makes a journalled job ready to run: opens its sink (which re-checks what a former incarnation had placed), and
 * restores its lease table with the chunks that still stand.
 *
 * @throws SwarmError from the sink or a corrupt journal
 */
export async function openJob(
  record: JournalJob,
  desk: LeaseDesk,
  ports: SubmitterPorts,
  emit: (event: JobEvent) => void,
  { signal }: { signal: AbortSignal }
): Promise<JobRun> {
  const kind = requireTaskKind(record.spec.kind)
  const journalled = ports.journal.chunks(record.spec.jobId)
  const file = kind.takes === 'segments' ? await ports.segmentFile(record) : undefined
  const makeInputs = await inputsMaker(kind)
  const { sink, standing } = await openSink({ record, kind, journalled, file }, ports, emit, { signal })
  try {
    const restored = keepStanding(record, journalled, standing, ports)
    const controller = new AbortController()
    const metrics = restoredMetrics(restored, kind, record, ports)
    return new JobRun(
      (hooks) =>
        makeContext({ record, kind, makeInputs, restored, sink, file, metrics, desk, ports, emit, hooks, controller }),
      record,
      controller
    )
  } catch (error) {
    await sink.abort({ discard: false })
    throw error
  }
}

interface ContextParts {
  readonly record: JournalJob
  readonly makeInputs: MakeInputs
  readonly kind: TaskKind
  readonly restored: readonly JournalChunk[]
  readonly sink: ResultSink
  /** Jobs of segments only. */
  readonly file: SegmentFile | undefined
  readonly metrics: JobMetrics
  readonly desk: LeaseDesk
  readonly ports: SubmitterPorts
  readonly emit: (event: JobEvent) => void
  readonly hooks: JobRunHooks
  readonly controller: AbortController
}

function makeContext(parts: ContextParts): JobContext {
  const { record, kind, ports, desk } = parts
  const { spec, options } = record
  const { signal } = parts.controller
  const { source, cutter } = parts.makeInputs({ ...parts, signal })
  const { chunkBytesMax } = options
  const threadsOf = () => [...desk.sessions.values()].map(({ hello }) => hello.threads)
  const windowBytes = (): number =>
    leaseWindowBytes({ chunkBytesMax, peerThreads: kind.takes === 'segments' ? threadsOf() : undefined })
  const table = new LeaseTable({
    grid: spec,
    local: options.local,
    windowBytes,
    leasedBytesMax: windowBytes,
    numbers: desk.numbers,
    nowMs: ports.clock.nowMs(),
    restored: parts.restored,
    ...(cutter !== undefined && { cutter })
  })
  return {
    spec,
    options,
    incarnation: record.incarnation,
    kind,
    units: (chunkBytes) => kind.units(chunkBytes, spec),
    ports,
    table,
    cost: new ShipPolicy({
      spec,
      options,
      threads: ports.compute.threads,
      cores: ports.cores,
      isHere: (peer) => ports.isHere(peer),
      estimateNsPerByte: kind.estimateNsPerByte(spec),
      table,
      mainThreadCpuMs: () => ports.mainThreadCpuMs()
    }),
    source,
    sink: parts.sink,
    metrics: parts.metrics,
    desk,
    signal,
    emit: parts.emit,
    ...parts.hooks
  }
}

interface SinkParts {
  readonly record: JournalJob
  readonly kind: TaskKind
  readonly journalled: readonly JournalChunk[]
  readonly file: SegmentFile | undefined
}

async function openSink(
  { record, kind, journalled, file }: SinkParts,
  ports: SubmitterPorts,
  emit: (event: JobEvent) => void,
  { signal }: { signal: AbortSignal }
): Promise<{ sink: ResultSink; standing: readonly number[] }> {
  const { spec, options, sealing, checkpoint } = record
  const chunks = journalled.flatMap(({ merged, chunkIndex, outputOffset, outputBytes }) => {
    if (merged === undefined) return []
    const hash = merged.outputHash === undefined ? {} : { outputHash: merged.outputHash }
    return [{ chunkIndex, outputOffset, byteLength: outputBytes, ...hash }]
  })
  const onStall = (full: boolean, path: string) => {
    const message = full
      ? `the disk of ${path} is full: make room and the job goes on, nothing is lost`
      : `there is room again on the disk of ${path}: the job goes on`
    emit({ event: 'notice', jobId: spec.jobId, message })
  }
  return ports.openSink(
    {
      outDir: options.outDir,
      fileName: `result.${kind.extension}`,
      outputBytes: spec.inputBytes,
      partialTag: spec.jobId,
      ...(sealing !== undefined && (kind.takes === 'ranges' ? { sealing } : { sealAfter: sealing })),
      ...(kind.takes === 'tiles' && { tiles: parseMatrixPlan(spec.params) }),
      ...(file !== undefined && { segments: file }),
      ...(checkpoint !== undefined && { resume: { checkpoint, chunks } }),
      onStall
    },
    { signal }
  )
}

/** Chunks whose bytes did not stand the re-check are to be done again; the journal forgets that they were merged. */
function keepStanding(
  { spec, checkpoint }: JournalJob,
  journalled: readonly JournalChunk[],
  standing: readonly number[],
  ports: SubmitterPorts
): JournalChunk[] {
  const stands = new Set(standing)
  const lost = journalled.filter(({ merged, chunkIndex }) => merged !== undefined && !stands.has(chunkIndex))
  if (lost.length > 0) {
    const indexes = lost.map(({ chunkIndex }) => chunkIndex)
    // A sealed output stands whole or not at all; placed chunks need no checkpoint beside their own hashes.
    ports.journal.unmerge(spec.jobId, indexes, standing.length > 0 ? checkpoint : undefined)
  }
  return journalled.map((chunk) => {
    if (chunk.merged === undefined || stands.has(chunk.chunkIndex)) return chunk
    const { merged: _lost, ...pending } = chunk
    return pending
  })
}

function restoredMetrics(
  restored: readonly JournalChunk[],
  kind: TaskKind,
  record: JournalJob,
  ports: SubmitterPorts
): JobMetrics {
  const metrics = new JobMetrics()
  for (const { merged, inputBytes } of restored) {
    if (merged !== undefined) metrics.onMerged(merged, kind.units(inputBytes, record.spec))
  }
  for (const { peerId, name, bytesIn, bytesOut } of ports.journal.traffic(record.spec.jobId)) {
    metrics.restoreTraffic(peerId, name, bytesIn, bytesOut)
  }
  return metrics
}
