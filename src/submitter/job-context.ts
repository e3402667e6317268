import type { JobEvent } from '../domain/events.ts'
import type { PeerName } from '../domain/ids.ts'
import type { JobOptions, JobSpec } from '../domain/job.ts'
import type { LeaseTable } from '../domain/lease-table.ts'
import type { LeaseGrant, Release, RevokedLease } from '../domain/lease-types.ts'
import type { ResultSink } from '../domain/result-sink.ts'
import type { TaskKind } from '../tasks/task-kind.ts'
import type { ChunkInputs } from './chunk-input.ts'
import type { JobMetrics } from './job-metrics.ts'
import type { LeaseDesk } from './lease-desk.ts'
import type { SubmitterPorts } from './ports.ts'
import type { ShipPolicy } from './ship-policy.ts'

/** What the parts of one running job share. The table decides; the parts carry out. */
export interface JobContext {
  readonly spec: JobSpec
  readonly options: JobOptions
  /** Rises with each start of the submitter. */
  readonly incarnation: number
  readonly kind: TaskKind
  /** Credit for a chunk of so many bytes. */
  readonly units: (chunkBytes: number) => number
  readonly ports: SubmitterPorts
  readonly table: LeaseTable
  readonly cost: ShipPolicy
  readonly source: ChunkInputs
  readonly sink: ResultSink
  readonly metrics: JobMetrics
  readonly desk: LeaseDesk
  /** Aborts when the job ends for whatever reason. */
  readonly signal: AbortSignal
  emit(event: JobEvent): void
  /** Leases ended without a result: inputs are dropped, holders told, the user told. */
  released(releases: readonly Release[]): void
  /** Leases are over because their chunk is placed: inputs are dropped, holders told. */
  revoked(leases: readonly RevokedLease[]): void
  /** Leases were granted, to a peer or to this machine. */
  granted(grants: readonly LeaseGrant[], peer?: PeerName): void
  /** Something in the table changed: whoever waits for work looks again. */
  changed(): void
  /** Ends the job with an error. */
  fail(error: unknown): void
}
