import type { JobCounters, JobEvent } from '../domain/events.ts'
import type { JobFindings } from '../domain/findings.ts'
import { formatCounted } from './quantities.ts'

/** What became of one file of a batch. */
export interface BatchOutcome {
  /** As it is shown. */
  readonly file: string
  /** Absolute path of the folder that holds the outputs. */
  readonly folder: string
  /** Length of the file. */
  readonly inputBytes: number
  /** `skipped`: its result was there already. `not started`: the batch ended before its turn. */
  readonly state: 'done' | 'failed' | 'skipped' | 'stopped' | 'cancelled' | 'not started'
  readonly jobId?: string
  /** Of a failure. */
  readonly code?: string
  /** What to know or do. */
  readonly message?: string
  /** Of the job, in ms. */
  readonly totalMs?: number
  readonly chunks?: number
  /** Share of the chunks that peers computed, 0 to 1. */
  readonly peerShare?: number
  /** Integrated loudness before and after the effects, in LUFS; null for silence. */
  readonly loudness?: { readonly before: number | null; readonly after: number | null }
}

/** A file of a batch as outcomes name it. */
export type BatchPlace = Pick<BatchOutcome, 'file' | 'folder' | 'inputBytes'>

type Final = Extract<JobEvent, { event: 'done' | 'failed' | 'stopped' | 'cancelled' }>

/** How many files came to which end. */
export interface BatchCounts {
  readonly done: number
  /** Failures, and jobs that somebody else stopped or cancelled. */
  readonly failed: number
  readonly skipped: number
  /** Files that an interrupt left for the next time. */
  readonly left: number
}

/** Makes the outcome of a job's last event. */
export function outcomeOf({ file, folder, inputBytes }: BatchPlace, event: Final): BatchOutcome {
  const place = { file, folder, inputBytes, jobId: event.jobId }
  switch (event.event) {
    case 'done':
      return { ...place, state: 'done', totalMs: event.totalMs, ...sharesOf(event), ...foundOf(event.findings) }
    case 'failed':
      return { ...place, state: 'failed', code: event.code, message: event.message }
    case 'stopped':
      return { ...place, state: 'stopped', message: `${event.message}, or run the batch again` }
    case 'cancelled':
      return { ...place, state: 'cancelled', message: event.message }
  }
}

/** Whether an event is a job's last. */
export function isFinal(event: JobEvent): event is Final {
  return ['done', 'failed', 'stopped', 'cancelled'].includes(event.event)
}

/** @param interrupted whether the user stopped the batch: then a stopped job is no failure */
export function countOutcomes(outcomes: readonly BatchOutcome[], interrupted: boolean): BatchCounts {
  const count = (...states: BatchOutcome['state'][]) => outcomes.filter(({ state }) => states.includes(state)).length
  const stopped = count('stopped')
  return {
    done: count('done'),
    failed: count('failed', 'cancelled') + (interrupted ? 0 : stopped),
    skipped: count('skipped'),
    left: count('not started') + (interrupted ? stopped : 0)
  }
}

function sharesOf({ chunks, localChunks }: JobCounters) {
  return { chunks, ...(chunks > 0 && { peerShare: (chunks - localChunks) / chunks }) }
}

function foundOf(findings: JobFindings | undefined): Pick<BatchOutcome, 'loudness' | 'message'> {
  if (findings === undefined || !('before' in findings)) return {}
  const { after, before, clippedSamples } = findings
  const clipped = clippedSamples.reduce((sum, count) => sum + count, 0)
  return {
    loudness: { before: before.loudnessLufs, after: after.loudnessLufs },
    ...(clipped > 0 && {
      message: `${formatCounted(clipped, 'sample')} clipped: lower the gain, or normalize at the end`
    })
  }
}
