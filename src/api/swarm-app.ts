import type { JobEvent } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import type {
  ExportRequest,
  InviteView,
  JobDetail,
  JobView,
  LedgerFilter,
  LedgerView,
  PeerEvent,
  PeerView,
  PlanView,
  StatusView,
  SubmitRequest
} from './views.ts'

/*
 * What the app offers to commands, in this process or over the socket of the process that runs the home. Errors are
 * SwarmErrors on either side.
 */

/** How a wait is given up. */
export interface Waiting {
  readonly signal: AbortSignal
}

/** What a home remembers; needs no network. */
export interface HomeRecords {
  /** @throws SwarmError NOT_A_MEMBER */
  status(options: Waiting): Promise<StatusView>
  peers(options: Waiting): Promise<readonly PeerView[]>
  /** @throws SwarmError NOT_A_MEMBER */
  invite(options: Waiting): Promise<InviteView>
  /** Newest first. */
  jobs(options: Waiting): Promise<readonly JobView[]>
  /** @throws SwarmError JOB_UNKNOWN */
  job(jobId: JobId, options: Waiting): Promise<JobDetail>
  /** Ends a job for good: leases revoked, partial output and sealing key dropped. @throws SwarmError JOB_UNKNOWN, JOB_ENDED */
  cancel(jobId: JobId, options: Waiting): Promise<JobView>
  ledger(filter: LedgerFilter, options: Waiting): Promise<LedgerView>
  /** Writes the receipts (all, or one job's) in the form of `ledger.bin`. @throws SwarmError */
  exportLedger(request: ExportRequest, options: Waiting): Promise<{ path: string; receipts: number }>
  /**
   * Gives back what this holds: in the process that opened it stops the peer (leases released, running jobs stopped and
   * resumable); over the socket only hangs up. May be called again.
   */
  stop(): Promise<void>
}

/** A running peer. */
export interface SwarmApp extends HomeRecords {
  /** @throws SwarmError TASK_UNKNOWN, INPUT_UNREADABLE, INPUT_EMPTY, INPUT_LENGTH */
  plan(request: SubmitRequest, options: Waiting): Promise<PlanView>
  /**
   * Runs a job. Errors before `accepted` are thrown; later ones come as a `failed` event. The last event is `done`,
   * `failed`, `stopped` or `cancelled`. When the signal aborts, or the reader returns early, the job is stopped
   * (resumable), unless it is detached; an abort still yields the `stopped` event.
   */
  submit(request: SubmitRequest, options: Waiting): AsyncIterable<JobEvent>
  /** As {@link SwarmApp.submit}, for a stopped or interrupted job. @throws SwarmError JOB_UNKNOWN, JOB_ENDED, JOB_RUNNING */
  resume(jobId: JobId, options: Waiting): AsyncIterable<JobEvent>
  /**
   * Events of a job that runs in this process, from now on (a `progress` comes at once), up to its last. Leaving has no
   * effect on the job. A slow reader misses `progress`, never anything else. @throws SwarmError JOB_UNKNOWN, JOB_NOT_RUNNING
   */
  watch(jobId: JobId, options: Waiting): AsyncIterable<JobEvent>
  /** What the peer does, from now on; `ready` first. A slow reader misses the oldest. Ends on abort or stop. */
  events(options: Waiting): AsyncIterable<PeerEvent>
}
