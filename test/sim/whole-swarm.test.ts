import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReceivedAdvert } from '../../protocols/advert/types.ts'
import type { JobEvent } from '../../src/domain/events.ts'
import { openJob } from '../../src/submitter/open-job.ts'
import { JobEndRequest, type JobRun } from '../../src/submitter/run-job.ts'
import { JOB_ID, JobHarness } from '../submitter/job-harness.ts'
import { fakePeerId } from '../support/fake-peer.ts'
import { Random } from './random.ts'
import { RealWorker } from './real-worker.ts'

/** No job here needs longer; pauses are at most a minute. */
const VIRTUAL_MS_MAX = 20 * 60_000
const STEP_MS = 100

const fault = fc.record({
  atMs: fc.integer({ min: 100, max: 2_000 }),
  worker: fc.nat({ max: 2 }),
  kind: fc.constantFrom('lose' as const, 'still' as const, 'resume' as const),
  forMs: fc.integer({ min: 100, max: 30_000 })
})
const scenario = fc.record({
  seed: fc.nat(),
  chunks: fc.integer({ min: 1, max: 60 }),
  liars: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  faults: fc.array(fault, { maxLength: 8 })
})

/** The real submitter and real workers, with what a process of either may suffer. */
class Swarm {
  readonly harness: JobHarness
  readonly workers: RealWorker[]
  #run: JobRun | undefined
  #stopping = new AbortController()
  last: JobEvent | undefined

  constructor({ seed, chunks, liars }: { seed: number; chunks: number; liars: readonly boolean[] }) {
    this.harness = new JobHarness(chunks, { local: liars.includes(false) ? 'never' : 'auto', waitMs: VIRTUAL_MS_MAX })
    const { harness } = this
    const random = new Random(seed)
    const pullAdverts = (): ReceivedAdvert[] => {
      return this.#run === undefined ? [] : [{ advert: this.#run.advert(), from: fakePeerId('sub') }]
    }
    this.workers = liars.map((lies, index) => {
      return new RealWorker({ name: `worker-${index}`, harness, random, lies, pullAdverts })
    })
    for (const worker of this.workers) worker.start()
  }

  async start(): Promise<void> {
    const { harness } = this
    this.#stopping = new AbortController()
    const { signal } = this.#stopping
    const run = await openJob(harness.record, harness.desk, harness.ports, () => undefined, { signal })
    this.#run = run
    for (const worker of this.workers) worker.hear({ advert: run.advert(), from: fakePeerId('sub') })
    run.run({ signal }).then(
      (event) => {
        this.last = event
      },
      (error) => {
        this.last = { event: 'failed', jobId: JOB_ID, code: 'THROWN', message: String(error) }
      }
    )
  }

  /** Stops the job and goes on with it, as `swarm jobs resume` does. */
  async resume(): Promise<void> {
    const { harness } = this
    const { output } = harness.sink
    this.#stopping.abort(new JobEndRequest('stopped'))
    await harness.clock.advance(0)
    if (this.last?.event !== 'stopped') return
    this.last = undefined
    const incarnation = harness.journal.reopen(JOB_ID)
    harness.record = { ...(harness.journal.get(JOB_ID) ?? harness.record), incarnation }
    const merged = harness.journal.chunks(JOB_ID).flatMap(({ merged, chunkIndex }) => (merged ? [chunkIndex] : []))
    harness.sinks.standing.splice(0, Number.POSITIVE_INFINITY, ...merged)
    await this.start()
    harness.sink.output.set(output)
  }
}

test('the real submitter and real workers give the right bytes whatever breaks', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ faults, ...of }) => {
      const swarm = new Swarm(of)
      const { harness, workers } = swarm
      const { clock, journal } = harness
      await swarm.start()
      const due = faults.toSorted((a, b) => a.atMs - b.atMs)
      while (swarm.last === undefined && clock.nowMs() < VIRTUAL_MS_MAX) {
        await clock.advance(STEP_MS)
        for (let next = due[0]; next !== undefined && next.atMs <= clock.nowMs(); next = due[0]) {
          due.shift()
          const worker = workers[next.worker % workers.length]
          if (next.kind === 'lose') worker?.lose()
          else if (next.kind === 'still') worker?.standStill(next.forMs)
          else if (swarm.last === undefined) await swarm.resume()
        }
      }

      expect(swarm.last).toMatchObject({ event: 'done' })
      expect(Buffer.compare(harness.sink.output, harness.expected)).toBe(0)
      const merged = journal.chunks(JOB_ID).flatMap((chunk) => chunk.merged ?? [])
      expect(merged).toHaveLength(journal.chunks(JOB_ID).length)
      const credited = merged.filter(({ peerId }) => peerId !== undefined)
      expect(journal.receipts(JOB_ID)).toHaveLength(credited.length)
      const liars = workers.filter((_, index) => of.liars[index]).map(({ name }) => name)
      expect(credited.filter(({ peerId }) => liars.includes(peerId ?? ''))).toEqual([])
      expect(harness.internalErrors).toEqual([])

      // Whatever was under way ends: no lease, no offer without its verdict, no timer.
      await clock.advance(45_000)
      expect(workers.map(({ worker, openOffers }) => [worker.leaseCount, openOffers.size])).toEqual(
        workers.map(() => [0, 0])
      )
      await Promise.all(workers.map(({ worker }) => worker.stop()))
      expect(clock.sleeping).toBe(0)
    }),
    { numRuns: 25 }
  )
}, 60_000)
