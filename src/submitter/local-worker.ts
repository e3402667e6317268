import type { LeaseGrant } from '../domain/lease-types.ts'
import { SwarmError } from '../errors.ts'
import type { JobContext } from './job-context.ts'
import type { MergeLog } from './merge-log.ts'

/** Chunks that the submitter works on at once beyond its threads, so that reading overlaps sealing. */
const LOCAL_AHEAD = 1

/**
 * The submitter's own worker: claims from the table like any other, without the network and without credit.
 */
export class LocalWorker {
  readonly #job: JobContext
  readonly #log: MergeLog
  #running = 0

  constructor(job: JobContext, log: MergeLog) {
    this.#job = job
    this.#log = log
  }

  /** Claims as much as the threads take. Called whenever the table changed. */
  pump(): void {
    const { table, ports, signal, cost, spec } = this.#job
    const free = ports.compute.threads + LOCAL_AHEAD - this.#running
    if (signal.aborted || free <= 0) return
    const { grants } = table.claimLocal({ count: free, nowMs: ports.clock.nowMs(), ...cost.localClaim() })
    if (grants.length === 0) return
    const journalled = grants.map(({ chunk, epoch, attempts }) => ({ ...chunk, epoch, attempts }))
    ports.journal.grant(spec.jobId, journalled)
    this.#job.granted(grants)
    for (const grant of grants) {
      this.#running += 1
      this.#work(grant).then(
        () => this.#ended(),
        (error) => {
          this.#ended()
          if (!signal.aborted) this.#failed(grant, error)
        }
      )
    }
  }

  #ended(): void {
    this.#running -= 1
    this.#job.changed()
  }

  #failed({ leaseNumber, chunk }: LeaseGrant, error: unknown): void {
    this.#job.revoked(this.#job.table.localFailed(leaseNumber, this.#job.ports.clock.nowMs()))
    if (error instanceof SwarmError && error.code !== 'KERNEL_FAILED') {
      this.#job.fail(error)
      return
    }
    const reason = error instanceof Error ? error.message : String(error)
    const message = `chunk ${chunk.chunkIndex} could not be computed on this machine: ${reason}`
    this.#job.fail(new SwarmError('CHUNK_FAILED', message, { cause: error }))
  }

  async #work({ chunk, leaseNumber }: LeaseGrant): Promise<void> {
    const { ports, source, table, cost, metrics, signal } = this.#job
    const done = await source.compute(chunk, { signal })
    cost.computed({ inputBytes: chunk.inputBytes, computeMs: done.computeMs })
    const passed = table.passed(leaseNumber, ports.clock.nowMs())
    if (passed.outcome !== 'placed') {
      ports.buffers.give(done.buffer)
      return
    }
    this.#job.revoked(passed.revoked)
    const { threads } = ports.compute
    const times = { computeMs: done.computeMs, leaseMs: passed.leaseMs, nowMs: ports.clock.nowMs() }
    const transferMs = metrics.onReturned({ peerId: '', threads, ...times })
    this.#log.expect(chunk, { chunkIndex: chunk.chunkIndex, computeMs: done.computeMs, transferMs })
    this.#log.put(chunk, done.buffer)
  }
}
