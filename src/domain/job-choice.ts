import type { JobId, PeerName } from './ids.ts'

/** Jobs remembered at once; more are not taken up. */
export const JOBS_MAX = 256

/** Names a job. Both parts count, so that no peer can pass off another's job as its own. */
export interface JobKey {
  readonly jobId: JobId
  readonly submitter: PeerName
}

/** An advertised job, as far as the choice needs it. */
export interface JobCandidate extends JobKey {
  readonly kernelId: string
  readonly localOnly: boolean
  readonly blockBytes: number
  readonly chunkBytesMax: number
}

/** What the worker has to give now. */
export interface WorkerMeans {
  readonly kernelIds: ReadonlySet<string>
  /** Bytes of chunk buffers in all. */
  readonly memoryBytes: number
  /** Of these, free now. */
  readonly freeBytes: number
  readonly nowMs: number
}

/** Which job to claim from; without one, after how many ms to look again (absent: when something changes). */
export type JobDecision = { readonly job: JobKey } | { readonly job?: never; readonly waitMs?: number }

interface OpenJob {
  readonly candidate: JobCandidate
  idleUntilMs: number
  barred: boolean
  /** Number of the turn in which it was served last; 0 when it never was. */
  servedTurn: number
}

/**
 * Chooses the job to claim from, of all that are advertised. Fair shares: the submitter that was served longest ago
 * comes first, and of its jobs the one served longest ago; so a submitter gains nothing by opening many jobs.
 *
 * Owns which jobs are open, barred or backed off, and when each was served; driven by the worker.
 */
export class JobChoice {
  readonly #jobs = new Map<string, OpenJob>()
  readonly #servedTurn = new Map<PeerName, number>()
  #turn = 0

  get jobCount(): number {
    return this.#jobs.size
  }

  /** A job is advertised, or advertised again. @returns false when there are too many to take it up */
  open({ jobId, submitter, kernelId, localOnly, blockBytes, chunkBytesMax }: JobCandidate): boolean {
    const candidate = { jobId, submitter, kernelId, localOnly, blockBytes, chunkBytesMax }
    const known = this.#get(candidate)
    if (known === undefined && this.#jobs.size >= JOBS_MAX) return false
    const { idleUntilMs, barred, servedTurn } = known ?? { idleUntilMs: 0, barred: false, servedTurn: 0 }
    this.#jobs.set(keyText(candidate), { candidate, idleUntilMs, barred, servedTurn })
    return true
  }

  /** A job was closed. */
  close(job: JobKey): void {
    this.#jobs.delete(keyText(job))
    this.#forgetSubmitter(job.submitter)
  }

  /** A submitter is not connected any more. */
  closeAll(submitter: PeerName): void {
    for (const [key, { candidate }] of this.#jobs) if (candidate.submitter === submitter) this.#jobs.delete(key)
    this.#forgetSubmitter(submitter)
  }

  /** The submitter said when to ask again. */
  backOff(job: JobKey, untilMs: number): void {
    const open = this.#get(job)
    if (open !== undefined) open.idleUntilMs = untilMs
  }

  /** There may be work again: ask at once. */
  wake(job: JobKey): void {
    this.backOff(job, 0)
  }

  /** The submitter wants nothing more of this peer for the job. */
  bar(job: JobKey): void {
    const open = this.#get(job)
    if (open !== undefined) open.barred = true
  }

  /** The job granted something. */
  served(job: JobKey): void {
    const open = this.#get(job)
    if (open === undefined) return
    open.servedTurn = ++this.#turn
    this.#servedTurn.set(job.submitter, this.#turn)
  }

  /**
   * @param isEligible leaves out jobs that the worker cannot claim from just now
   * @returns the job whose turn it is
   */
  next(means: WorkerMeans, isEligible: (job: JobKey) => boolean = () => true): JobDecision {
    let best: OpenJob | undefined
    let wakeAtMs = Number.POSITIVE_INFINITY
    for (const job of this.#jobs.values()) {
      if (!canServe(job, means) || !isEligible(job.candidate)) continue
      if (job.idleUntilMs > means.nowMs) wakeAtMs = Math.min(wakeAtMs, job.idleUntilMs)
      else if (best === undefined || this.#isBefore(job, best)) best = job
    }
    if (best !== undefined) return { job: { jobId: best.candidate.jobId, submitter: best.candidate.submitter } }
    return Number.isFinite(wakeAtMs) ? { waitMs: wakeAtMs - means.nowMs } : {}
  }

  #get(job: JobKey): OpenJob | undefined {
    return this.#jobs.get(keyText(job))
  }

  #isBefore(job: OpenJob, other: OpenJob): boolean {
    const turn = this.#servedTurn.get(job.candidate.submitter) ?? 0
    const otherTurn = this.#servedTurn.get(other.candidate.submitter) ?? 0
    return turn === otherTurn ? job.servedTurn < other.servedTurn : turn < otherTurn
  }

  #forgetSubmitter(submitter: PeerName): void {
    for (const { candidate } of this.#jobs.values()) if (candidate.submitter === submitter) return
    this.#servedTurn.delete(submitter)
  }
}

function keyText({ submitter, jobId }: JobKey): string {
  return `${submitter} ${jobId}`
}

function canServe({ candidate, barred }: OpenJob, means: WorkerMeans): boolean {
  if (barred || candidate.localOnly || !means.kernelIds.has(candidate.kernelId)) return false
  return candidate.chunkBytesMax <= means.memoryBytes && candidate.blockBytes <= means.freeBytes
}
