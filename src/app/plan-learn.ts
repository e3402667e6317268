import type { JobCounters } from '../domain/events.ts'
import type { JournalJob } from '../domain/journal.ts'
import type { MeasureStore } from '../store/measure-store.ts'
import type { PeerStore } from '../store/peer-store.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import { kernelName, START_MS_ASSUMED } from './plan-work.ts'

/** Kernel time from which a job tells more than its start, in ms. */
const TELLING_MS = 1_000

/** Where what a job showed is kept. */
export interface Lessons {
  readonly measures: MeasureStore
  readonly peers: Pick<PeerStore, 'addJob'>
  /** Kernel threads as a peer says; undefined when it is not linked any more. */
  threadsOf(peerId: string): number | undefined
  /** A measurement younger than this is better than what a job showed. */
  readonly freshMs: number
  /** Unix ms. */
  readonly nowMs: number
}

/** Keeps what a job that is done showed of its peers' kernels, and of this machine's where nothing was measured. */
export function learnFromJob(
  { incarnation, options, spec }: JournalJob,
  counters: Pick<JobCounters, 'checkMs' | 'computeMs' | 'inputBytes' | 'peers'>,
  lessons: Lessons
): void {
  // Counters of a resumed job miss what was before.
  if (incarnation > 1) return
  const kernel = kernelName({
    ...spec,
    ...(options.operands && { operands: options.operands }),
    ...(options.audio && { audio: options.audio })
  })
  const unitsPerByte = requireTaskKind(spec.kind).units(spec.blockBytes, spec) / spec.blockBytes
  let [peersBytes, peersMs] = [0, 0]
  for (const { computeMs, peerId, units } of counters.peers) {
    const bytes = units / unitsPerByte
    peersBytes += bytes
    peersMs += computeMs
    const threads = lessons.threadsOf(peerId)
    // Of a peer that only its threads are known of, the name alone is counted.
    const known = threads !== undefined && computeMs >= TELLING_MS
    lessons.peers.addJob(peerId, known ? { [kernel]: (bytes * threads * 1e3) / computeMs } : {})
  }
  const localMs = counters.computeMs - peersMs
  const localBytes = counters.inputBytes - peersBytes
  const { measures, nowMs } = lessons
  if (localMs < TELLING_MS || measures.kernel(kernel, nowMs - lessons.freshMs)?.source === 'measured') return
  const nsPerByte = (localMs * 1e6) / localBytes
  const checkNsPerByte = peersBytes > 0 ? (counters.checkMs * 1e6) / peersBytes : 0
  measures.keepKernel(kernel, {
    nsPerByte,
    startMs: START_MS_ASSUMED,
    checkNsPerByte,
    source: 'jobs',
    measuredAtMs: nowMs
  })
}
