import type { Advert } from '../../protocols/advert/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { type JobId, peerName } from '../domain/ids.ts'
import { JobChoice, type JobKey } from '../domain/job-choice.ts'
import type { WorkerPorts } from './ports.ts'

/** Refusals after which a job is not asked again until its submitter starts anew. */
const FINAL_REFUSALS: readonly RefusalCode[] = [
  RefusalCode.barred,
  RefusalCode.jobClosed,
  RefusalCode.unknownJob,
  RefusalCode.unsupportedKernel,
  RefusalCode.localOnly
]
/** When to ask again where the submitter said "when told to", in ms: the telling may be lost. */
const RETRY_UNTOLD_MS = 2_000

/** Owns the adverts of the jobs that this worker could take part in, and what became of its claims. */
export class OpenJobs {
  readonly #ports: Pick<WorkerPorts, 'clock' | 'kernelIds' | 'memoryBytes'>
  readonly #kernelIds: ReadonlySet<string>
  readonly #choice = new JobChoice()
  readonly #adverts = new Map<string, Advert>()
  /** Jobs with a claim under way. */
  readonly #claiming = new Set<string>()

  constructor(ports: Pick<WorkerPorts, 'clock' | 'kernelIds' | 'memoryBytes'>) {
    this.#ports = ports
    this.#kernelIds = new Set(ports.kernelIds)
  }

  /** Takes in an advert. A new incarnation of its submitter gets a fresh start. */
  update(advert: Advert): void {
    const job = keyOf(advert)
    const known = this.#adverts.get(textOf(job))
    const isNewIncarnation = known !== undefined && known.incarnation !== advert.incarnation
    if (advert.state === 'closed' || isNewIncarnation) this.#forget(job)
    if (advert.state === 'closed' || advert.localOnly) return
    const { kernelId, localOnly, blockBytes, chunkBytesMax } = advert
    const isOpen = this.#choice.open({ ...job, kernelId, localOnly, blockBytes, chunkBytesMax })
    if (isOpen) this.#adverts.set(textOf(job), advert)
  }

  /** A submitter is gone: its jobs are no more to be had. */
  forgetSubmitter(submitter: string): void {
    for (const advert of this.#adverts.values()) if (advert.submitter === submitter) this.#forget(keyOf(advert))
  }

  /** Submitters of open jobs that this worker can do. */
  submitters(): ReadonlySet<string> {
    const doable = [...this.#adverts.values()].filter(({ kernelId }) => this.#kernelIds.has(kernelId))
    return new Set(doable.map(({ submitter }) => submitter))
  }

  /** Who submitted an open job. */
  submitterOf(jobId: string): string | undefined {
    return [...this.#adverts.values()].find((advert) => advert.jobId === jobId)?.submitter
  }

  /** @returns the job whose turn it is among those whose submitter is ready and has no claim of ours to answer */
  choose(isReady: (submitter: string) => boolean): Advert | undefined {
    const { memoryBytes, clock } = this.#ports
    const means = { kernelIds: this.#kernelIds, memoryBytes, freeBytes: memoryBytes, nowMs: clock.nowMs() }
    const isEligible = (job: JobKey) => isReady(job.submitter) && !this.#claiming.has(textOf(job))
    const { job } = this.#choice.next(means, isEligible)
    return job === undefined ? undefined : this.#adverts.get(textOf(job))
  }

  /** A claim is under way. */
  claiming(advert: Advert): void {
    this.#claiming.add(textOf(keyOf(advert)))
  }

  /** A claim was answered. */
  claimed(advert: Advert, grantCount: number, refusal: RefusalCode | undefined, retryAfterMs: number): void {
    const job = keyOf(advert)
    this.#claiming.delete(textOf(job))
    if (grantCount > 0) this.#choice.served(job)
    else if (refusal !== undefined && FINAL_REFUSALS.includes(refusal)) this.#choice.bar(job)
    else this.#choice.backOff(job, this.#ports.clock.nowMs() + (retryAfterMs || RETRY_UNTOLD_MS))
  }

  /** There may be work again. @returns false for a job that is not known here */
  wake(submitter: string, jobId: string): boolean {
    const job = keyOf({ submitter, jobId })
    if (!this.#adverts.has(textOf(job))) return false
    this.#choice.wake(job)
    return true
  }

  #forget(job: JobKey): void {
    this.#adverts.delete(textOf(job))
    this.#claiming.delete(textOf(job))
    this.#choice.close(job)
  }
}

/** The advert protocol has checked both ids. */
function keyOf({ submitter, jobId }: Pick<Advert, 'submitter' | 'jobId'>): JobKey {
  return { jobId: jobId as JobId, submitter: peerName(submitter) }
}

function textOf({ submitter, jobId }: JobKey): string {
  return `${submitter} ${jobId}`
}
